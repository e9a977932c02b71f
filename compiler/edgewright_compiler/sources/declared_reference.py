"""What a declared model answers, by its own files and without streaming: all windows of a recording cut at once.

It shares nothing with the step that runs on a device but the declaration, so that one can be checked by the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.steps.audio.stream_windows import WindowSpec
from edgewright_runtime.steps.audio.streams import StreamLoopSpec

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    Array = np.ndarray[Any, Any]


def streams_of(
    waveform: Array, loops: Mapping[str, StreamLoopSpec], sessions: Mapping[str, InferenceSession]
) -> dict[str, Array]:
    """All streams of a recording, float32 [frames, features] each.

    Args:
        waveform: Float32 [samples].
        loops: Component to its loop, in the order in which they run.
        sessions: Component to its session.
    """
    streams = {"audio": waveform[:, None]}
    for component, loop in loops.items():
        cut = {name: _windows(streams[window.stream], window) for name, window in loop.inputs.items()}
        constants = {name: np.array(value, np.int64) for name, value in loop.constants.items()}
        state = {name: np.zeros(shape, np.float32) for name, shape in loop.shapes.items()}
        made: dict[str, list[Array]] = {name: [] for name in loop.outputs}
        wanted = [*loop.outputs, *loop.state]
        for index in range(min(map(len, cut.values()))):
            feeds = {name: windows[index] for name, windows in cut.items()}
            values = sessions[component].run(wanted, {**feeds, **constants, **state})
            given = dict(zip(wanted, values, strict=True))
            state = {taken: given[name] for name, taken in loop.state.items()}
            for name, axis in loop.outputs.items():
                count = given[name].shape[axis]
                made[name] += list(np.moveaxis(given[name], axis, 0).reshape(count, -1))
        for name, frames in made.items():
            streams[loop.names[name]] = np.stack(frames) if frames else np.zeros((0, 0), np.float32)
    return streams


def _windows(frames: Array, spec: WindowSpec) -> list[Array]:
    if not len(frames):
        return []
    thought = np.full((spec.before, frames.shape[1]), spec.fill, np.float32)
    whole = np.concatenate([thought, frames]) * np.float32(spec.scale) + np.float32(spec.offset)
    others = [size for axis, size in enumerate(spec.shape) if axis != spec.axis]
    cut = [whole[max(0, end - spec.window) : end] for end in range(spec.first or spec.window, len(whole) + 1, spec.hop)]
    return [np.moveaxis(window.reshape(len(window), *others), 0, spec.axis) for window in cut]
