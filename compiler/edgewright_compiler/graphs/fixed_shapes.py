"""Graphs of fixed shapes, for hardware that compiles one shape ahead of time: which one, and the graph that has it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewright_compiler.graphs.exported import load_graph, save_graph
from edgewright_compiler.graphs.feed_shapes import FeedShapes, Shape
from edgewright_targets import InputError

# Coarse, so that a few more texts in the data do not ask for another engine.
_LENGTH_STEP = 8
_KEPT_WHOLE = 0.99
_MORE_DATA = "Pass data with --calibration."


class FixingError(Exception):
    """This graph cannot have these fixed shapes; the text says why, for people."""


@dataclass(frozen=True)
class TextLength:
    """A fixed number of tokens, chosen from data.

    Attributes:
        tokens: Texts are padded or cut to so many.
        samples: Texts that it was chosen from.
        longest: Tokens of the longest of them.
        cut: How many of them are longer, and lose what is behind.
    """

    tokens: int
    samples: int
    longest: int
    cut: int

    def sentence(self) -> str:
        """What was chosen and what it costs, for people."""
        share = f"{self.cut} of {self.samples:,} texts ({self.cut / self.samples:.1%})"
        return (
            f"Texts are padded or cut to {self.tokens} tokens. {share} are longer (up to {self.longest} tokens) "
            "and are cut."
        )


def choose_length(counts: Sequence[int], limit: int) -> TextLength:
    """The length that holds 99 % of texts with these token counts whole, in steps of 8, at most the model's `limit`."""
    ranked = sorted(counts)
    enough = ranked[math.ceil(_KEPT_WHOLE * len(ranked)) - 1]
    tokens = min(-(-enough // _LENGTH_STEP) * _LENGTH_STEP, limit)
    return TextLength(tokens, len(counts), ranked[-1], sum(count > tokens for count in counts))


def choose_shapes(feeds: FeedShapes, texts: Mapping[str, int] | None = None) -> tuple[dict[str, Shape], str]:
    """Shapes for a graph of fixed shapes from those of real inputs; also says what was chosen, in sentences.

    Args:
        feeds: Shapes of what the graph is given for the samples of the data.
        texts: Inputs whose last axis are the tokens of a text, and the most that the model takes. Other inputs must
            be alike in all but the first axis, which is the batch and becomes 1.

    Raises:
        InputError: There is no data.
        FixingError: Arrays of several shapes: other samples, or a model that brings them to one, would do.
    """
    texts = texts or {}
    if not feeds.samples:
        raise InputError(
            "The target needs graphs of fixed shapes, but there is no data to choose the shapes from.", hint=_MORE_DATA
        )
    shapes: dict[str, Shape] = {}
    notes: dict[str, None] = {}
    for name, those in feeds.inputs.items():
        if name in texts:
            length = choose_length([shape[-1] for shape in those], texts[name])
            shapes[name] = (*_one_shape(name, [shape[:-1] for shape in those]), length.tokens)
            notes[length.sentence()] = None
        else:
            shapes[name] = (1, *_one_shape(name, [shape[1:] for shape in those]))
            notes[f"Input {name} has the fixed shape {list(shapes[name])}."] = None
    return shapes, " ".join(notes)


def _one_shape(name: str, shapes: Sequence[Shape]) -> Shape:
    found = sorted(set(shapes))
    if len(found) > 1:
        some = ", ".join(str(list(shape)) for shape in found[:3])
        raise FixingError(
            f"The target needs graphs of fixed shapes, but samples of '{name}' have {len(found)} shapes ({some}, "
            "...). Bring the samples to one shape."
        )
    return found[0]


def fix_shapes(folder: Path, shapes: Mapping[str, Sequence[int]], destination: Path) -> None:
    """Write the graph in `folder` with inputs of these shapes into the folder `destination`.

    What was computed from shapes is folded into constants: hardware of fixed shapes has no operators for it.

    Raises:
        FixingError: The shapes do not fit the graph.
    """
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    from edgewright_compiler.graphs.passes.contract import EditError, edit
    from edgewright_compiler.graphs.passes.fixed_shapes import FixInputShapes, FoldShapes, PlainGathers

    model = load_graph(folder)
    try:
        edit(model, FixInputShapes(shapes), FoldShapes(), PlainGathers(), RemoveUnusedNodesPass())
    except EditError as error:
        raise FixingError(str(error)) from error
    save_graph(model, destination)
