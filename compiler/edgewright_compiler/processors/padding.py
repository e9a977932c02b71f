"""Where a text can be padded for an engine: on a side that changes no answer of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

    Array = np.ndarray[Any, Any]

# Tokens that are added to see what becomes of the answer.
ADDED = 3
# Sums of float32 in another order differ by less; a token that counts and should not differs by far more.
_ALIKE = 1e-3


def harmless_side(infer: Callable[[Arrays], Arrays], feeds: Arrays, pad_id: int, sides: Sequence[str]) -> str | None:
    """The first of these sides on which padding does not change what a model answers; None where each does.

    A model that takes the last token for the text's, or counts positions from the first, is wrong with padding there,
    whatever the settings of its tokenizer say.

    Args:
        infer: The model: arrays by name to arrays by name.
        feeds: One text, int64 arrays of shape [1, tokens].
        pad_id: What `input_ids` are filled with; all others with 0.
        sides: `right` and `left`, in the order to try them.
    """
    expected = infer(feeds)
    length = next(iter(feeds.values())).shape[1]
    for side in sides:
        fillers = {name: pad_id if name == "input_ids" else 0 for name in feeds}
        given = infer({name: padded(value, side, ADDED, fillers[name]) for name, value in feeds.items()})
        if all(_alike(expected[name], given[name], side, length) for name in expected):
            return side
    return None


def padded(value: Array, side: str, count: int, filler: int) -> Array:
    """Tokens of shape [1, tokens] with `count` more of them on that side."""
    widths = (0, count) if side == "right" else (count, 0)
    return np.pad(value, ((0, 0), widths), constant_values=filler)


def _alike(expected: Array, given: Array, side: str, length: int) -> bool:
    if given.shape != expected.shape:
        # One vector or score a token: those of the text.
        first = ADDED if side == "left" else 0
        given = given[:, first : first + length]
    scale = float(np.abs(expected).max(initial=0.0))
    return given.shape == expected.shape and bool(np.abs(given - expected).max(initial=0.0) <= _ALIKE * scale)
