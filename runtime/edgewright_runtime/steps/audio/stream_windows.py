"""Streams of frames, and the windows that graphs are given of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import PackageError

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

# What no package needs, and what a manifest could ask for to fill the memory.
LONGEST_WINDOW = 2**24
_MOST_WINDOWS_BEFORE = 2**10


@dataclass(frozen=True, kw_only=True)
class WindowSpec:
    """How an input of a graph is cut out of a stream of frames; audio is a stream of samples.

    Attributes:
        stream: Name of the stream.
        shape: Of the input; -1 where a size follows from the others. What it says of `axis` counts for nothing.
        axis: Of the input, along which the frames lie.
        window: Frames that the graph is given at once.
        hop: Frames from one window to the next.
        first: Frames of the first window, which is shorter where a stream begins; 0 is as all others.
        before: Frames that are thought before the first one.
        fill: The value of all that these hold.
        scale, offset: Frames are multiplied by the one, then the other is added.
    """

    stream: str
    shape: tuple[int, ...]
    axis: int
    window: int
    hop: int
    first: int = 0
    before: int = 0
    fill: float = 0.0
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Stream:
    """Frames as they came.

    Attributes:
        frames: Float32 of shape [frames, features].
        ends: Samples of audio that had been heard when a frame was made, int64 [frames]; None for audio itself.
    """

    frames: Array
    ends: Array | None = None

    @staticmethod
    def of_audio(waveform: Array) -> Stream:
        """A stream of samples, float32 [samples]."""
        return Stream(waveform[:, None])


class Windows:
    """Takes the frames of a stream as they come, gives its windows as soon as they are whole."""

    def __init__(self, spec: WindowSpec) -> None:
        self._spec = spec
        self._held: Array | None = None
        self._ends: Array | None = None
        # Places count from the first frame that is there or thought.
        self._begin = 0
        self._end = spec.first or spec.window

    def push(self, stream: Stream) -> Iterator[tuple[Array, int]]:
        """Windows, [frames, features], each with the samples of audio that it ends at."""
        spec = self._spec
        if not len(stream.frames):
            return
        if self._held is None:
            self._held = np.full((spec.before, *stream.frames.shape[1:]), spec.fill, np.float32)
            self._ends = None if stream.ends is None else np.zeros(spec.before, np.int64)
        held = np.concatenate([self._held, stream.frames])
        ends = None if self._ends is None or stream.ends is None else np.concatenate([self._ends, stream.ends])
        while self._end <= self._begin + len(held):
            last = self._end - self._begin
            window = held[max(0, last - spec.window) : last]
            yield window, self._end - spec.before if ends is None else int(ends[last - 1])
            self._end += spec.hop
        dropped = min(len(held), max(0, self._end - spec.window - self._begin))
        self._begin += dropped
        # A copy, so that a long recording is not kept for the sake of its end.
        self._held = held[dropped:].copy()
        self._ends = None if ends is None else ends[dropped:].copy()


def can_be(spec: WindowSpec) -> bool:
    """Whether windows can have these sizes."""
    sizes = 0 < spec.hop <= LONGEST_WINDOW and 0 < spec.window <= LONGEST_WINDOW
    begins = 0 <= spec.first <= spec.window and 0 <= spec.before <= LONGEST_WINDOW
    # Each of them is a run of the graph before anything was heard.
    few = spec.before <= _MOST_WINDOWS_BEFORE * spec.hop + spec.window
    return sizes and begins and few and 0 <= spec.axis < len(spec.shape)


def fed(spec: WindowSpec, frames: Array) -> Array:
    """A window as the graph takes it."""
    if spec.scale != 1.0 or spec.offset != 0.0:
        frames = frames * np.float32(spec.scale) + np.float32(spec.offset)
    others = [size for axis, size in enumerate(spec.shape) if axis != spec.axis]
    try:
        shaped = frames.reshape(len(frames), *others)
    except ValueError as error:
        raise PackageError(
            f"A frame of '{spec.stream}' has {frames.shape[1]} values, which are not {' x '.join(map(str, others))}."
        ) from error
    return np.ascontiguousarray(np.moveaxis(shaped, 0, spec.axis))


def frames_of(value: Array, axis: int) -> Array:
    """The frames of an output, [frames, features]."""
    moved = np.moveaxis(value, axis, 0)
    return moved.reshape(len(moved), -1).astype(np.float32, copy=False)


def joined(frames: list[Array], ends: list[Array]) -> Stream:
    """A stream of parts, and of their ends."""
    if not frames:
        return Stream(np.zeros((0, 0), np.float32), np.zeros(0, np.int64))
    return Stream(np.concatenate(frames), np.concatenate(ends))
