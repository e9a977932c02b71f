"""What a graph is given to find what its export froze: more rows, fewer and many more of what a free axis counts.

Only axes that the graph itself declares free are tried: pictures of one size and the like are so on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_compiler.graphs.exported import load_graph

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

    Shapes = Mapping[str, Sequence[int | str | None]]

# Tokens of a long text: beyond the windows and buckets of attention, and not yet slow.
_LONG = 512
# Numbers of one input at most where it grows: a probe is to cost about what a sample costs.
_MOST = 2**19
# Sizes of pictures are multiples of it as a rule, and a network of many strides takes no others.
_STRIDE = 32
_NAME = re.compile(r"\w+")


@dataclass(frozen=True)
class Probe:
    """Feeds of other sizes.

    Attributes:
        words: What is another size, such as `2 rows`.
        feeds: What the graph is given.
    """

    words: str
    feeds: Arrays


def probes(feeds: Arrays, shapes: Shapes, limits: Mapping[str, int]) -> list[Probe]:
    """Feeds of other sizes, made of the values of real ones.

    Args:
        feeds: What the graph was given for a sample.
        shapes: Input to the sizes that the graph declares: a number is fixed, a name or None is free.
        limits: Inputs that are tokens of texts, and the most that the model takes.
    """
    rows, lengths, longest = _free(feeds, shapes, limits)
    found = []
    if rows:
        given = max(rows.values())
        count = 2 if given != 2 else 3
        found.append(Probe(f"{count} rows", _resized(feeds, shapes, dict.fromkeys(rows, count))))
    for many in (False, True):
        sizes = {axis: _size(count, longest.get(axis), many=many) for axis, count in lengths.items()}
        if sizes != lengths:
            words = ", ".join(f"{sizes[axis]} instead of {lengths[axis]} for '{axis}'" for axis in sizes)
            made = _resized(feeds, shapes, sizes)
            if not many or max(value.size for value in made.values()) <= _MOST:
                found.append(Probe(words, made))
    return found


def comparison_feeds(folder: Path, feeds: Sequence[Arrays], limits: Mapping[str, int]) -> dict[str, Arrays]:
    """Real feeds of the graph in `folder`, and the first of them in other sizes, by what messages call them.

    Args:
        folder: Of the graph.
        feeds: What it is given for samples.
        limits: Inputs that are tokens of texts, and the most that the model takes.
    """
    inputs = load_graph(folder).graph.inputs
    shapes: dict[str, list[int | str | None]] = {
        str(value.name): [size if isinstance(size, int) else size.value for size in value.shape.dims]
        for value in inputs
        if value.shape is not None
    }
    found = {f"sample {number}": feed for number, feed in enumerate(feeds, start=1)}
    if feeds and shapes.keys() >= feeds[0].keys():
        found |= {probe.words: probe.feeds for probe in probes(feeds[0], shapes, limits)}
    return found


def _free(
    feeds: Arrays, shapes: Shapes, limits: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Axes that count rows and axes that count something else, with their sizes; and the most of what has a limit."""
    rows: dict[str, int] = {}
    lengths: dict[str, int] = {}
    longest: dict[str, int] = {}
    bound: set[str] = set()
    for name, value in feeds.items():
        for axis, size in enumerate(shapes[name]):
            if isinstance(size, int):
                continue
            if size and not _NAME.fullmatch(size):
                # Such as `2*s0 + 1`: whatever is in it goes with another axis in a way of its own.
                bound.update(_NAME.findall(size))
                continue
            called = _called(name, axis, size)
            (rows if axis == 0 and value.ndim > 1 else lengths)[called] = value.shape[axis]
            if axis and name in limits:
                longest[called] = min(limits[name], longest.get(called, limits[name]))
    kept = {axis: size for axis, size in lengths.items() if axis not in rows and axis not in bound}
    return {axis: size for axis, size in rows.items() if axis not in bound}, kept, longest


def _called(name: str, axis: int, size: str | None) -> str:
    return size or f"{name}, axis {axis}"


def _size(count: int, longest: int | None, *, many: bool) -> int:
    step = _STRIDE if count % _STRIDE == 0 and count > _STRIDE else 1
    if not many:
        return min(count, max(2, count * 2 // 3 // step * step))
    return min(longest, _LONG) if longest else 2 * count + step


def _resized(feeds: Arrays, shapes: Shapes, sizes: Mapping[str, int]) -> Arrays:
    """The feeds with these axes cut or repeated; rows that are added are turned by one, so that they are others."""
    made = {}
    for name, given in feeds.items():
        value = given
        for axis, size in enumerate(shapes[name]):
            if isinstance(size, int) or (wanted := sizes.get(_called(name, axis, size))) is None:
                continue
            value = _axis_resized(value, axis, wanted)
        made[name] = value
    return made


def _axis_resized(value: Any, axis: int, wanted: int) -> Any:
    count = value.shape[axis]
    if not count:
        return value
    if axis or value.ndim == 1:
        return np.ascontiguousarray(np.take(value, np.arange(wanted) % count, axis))
    return np.stack([np.roll(value[row % count], row // count, -1) for row in range(wanted)])
