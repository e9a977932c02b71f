"""Options of declared steps, checked before a step is made: a manifest is data of somebody else.

The types are those of the step's own signature. Numbers have the bounds below by their names, wherever they stand, so
that nothing of a forged size is ever allocated.
"""

from __future__ import annotations

import functools
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union

# Option -> least and largest value; the largest are far above what models have.
_BOUNDS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("height", "width", "shortest_edge", "longest_edge", "multiple_of"), (1, 2**14)),
    **dict.fromkeys(("mels", "bands"), (1, 2**12)),
    **dict.fromkeys(("n_fft", "hop_length"), (1, 2**16)),
    **dict.fromkeys(("samples", "shortest", "window"), (1, 2**26)),
    **dict.fromkeys(("whole", "overlap", "ratio", "max_length", "begin", "context", "max_new_tokens"), (0, 2**26)),
    "sampling_rate": (1, 768_000),
    "frames": (1, 2**16),
    "channels": (1, 2**6),
    "colour": (0, 255),
    "num_beams": (1, 2**10),
    "max_boxes": (1, 2**20),
    "best": (1, 2**20),
    "count": (0, 2**20),
}
# Of all others: what fits into 32 bits, as token ids do.
_NUMBERS = (-(2**31), 2**31 - 1)
_TEXT_LIMIT = 2**16
_ITEMS_LIMIT = 2**17
_DEPTH_LIMIT = 16
# Names of annotations that modules import for type checkers alone; what a package or an engine is, nobody asks here.
_NAMES = {"Mapping": Mapping, "Sequence": Sequence, "Any": Any, "Package": Any, "Engine": Any}


def check_options(kind: type, options: Mapping[str, object]) -> None:
    """Raise unless a step of this class can be made with these options.

    A class that hands options on to another one says so with `inner_options`.

    Raises:
        ValueError: An option has another type than the signature says, or is out of bounds.
    """
    hints = option_types(kind)
    for name, value in options.items():
        _check_size(name, value, name)
        if name in hints:
            _check(hints[name], value, name)


@functools.cache
def option_types(kind: type) -> dict[str, object]:
    """The options in a manifest of a step of this class, and the type of each."""
    make = vars(kind)["__init__"]
    hints = typing.get_type_hints(make, localns=_NAMES)
    # What takes all other options has no type of its own.
    own = {name: hints[name] for name in _names(make)}
    inner = getattr(kind, "inner_options", None)
    return {**(option_types(inner) if inner else {}), **own}


def surroundings_of(kind: type) -> tuple[str, ...]:
    """What a step of this class is given beside its options, in order: `package`, `engine`, both or nothing."""
    code = vars(kind)["__init__"].__code__
    return tuple(code.co_varnames[1 : code.co_argcount])


def _names(make: Any) -> tuple[str, ...]:
    """Names of the arguments that are given by keyword alone."""
    code = make.__code__
    return tuple(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])


def _check_size(name: str, value: Any, place: str, depth: int = 0) -> None:
    """Bounds of numbers, lengths and depth, whatever the type should be."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        least, largest = _BOUNDS.get(name, _NUMBERS)
        if not least <= value <= largest:
            raise ValueError(f"{place} is {_short(value)}; it may be {least} to {largest}")
    elif isinstance(value, float):
        _demand(math.isfinite(value), place, value, "a finite number")
    elif isinstance(value, str):
        _demand(len(value) <= _TEXT_LIMIT, place, value, f"at most {_TEXT_LIMIT} characters")
    else:
        _demand(depth < _DEPTH_LIMIT, place, "...", f"at most {_DEPTH_LIMIT} levels")
        _demand(len(value) <= _ITEMS_LIMIT, place, "...", f"at most {_ITEMS_LIMIT} entries")
        for key, item in value.items() if isinstance(value, Mapping) else ((None, item) for item in value):
            below = place if key is None else f"{place}.{str(key)[:80]}"
            _check_size(name if key is None else str(key), item, below, depth + 1)


def _check(hint: Any, value: Any, place: str) -> None:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in (Any, object):
        return
    if origin in (Union, types.UnionType):
        if value is not None or type(None) not in inner:
            _check(next(kind for kind in inner if kind is not type(None)), value, place)
    elif origin is Literal:
        _demand(value in inner, place, value, " or ".join(map(repr, inner)))
    elif origin in (Mapping, Sequence):
        _check_inside(origin, inner[-1], value, place)
    elif hint is float:
        _demand(isinstance(value, int | float) and not isinstance(value, bool), place, value, "a number")
    else:
        # bool is an int in Python.
        _demand(isinstance(value, hint) and (hint is bool or not isinstance(value, bool)), place, value, hint.__name__)


def _check_inside(origin: Any, inner: Any, value: Any, place: str) -> None:
    if origin is Mapping:
        _demand(isinstance(value, Mapping), place, value, "a table")
        for key, item in value.items():
            _check(inner, item, f"{place}.{str(key)[:80]}")
    else:
        _demand(isinstance(value, list | tuple), place, value, "a list")
        for item in value:
            _check(inner, item, place)


def _demand(fits: bool, place: str, value: Any, wanted: str) -> None:  # noqa: FBT001 - a condition, as of an assertion
    if not fits:
        raise ValueError(f"{place} is {_short(value)}; expected {wanted}")


def _short(value: Any) -> str:
    # Python refuses to write out a number of more than 4,300 digits.
    if isinstance(value, int) and not -(10**20) < value < 10**20:
        return "a number of more than 20 digits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
