"""Models that hear audio frame by frame and carry a state, such as silero-vad, from an `.onnx` file.

Beside it there may be `voice_activity_config.json`, with the fields of `VoiceSettings` that are not silero's at 16 kHz.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from edgewright_compiler.graphs.read_graph import read_graph
from edgewright_compiler.processors import ProcessorKind
from edgewright_runtime.errors import AudioWarning
from edgewright_runtime.manifest import COMPONENT, StepSpec
from edgewright_runtime.steps.audio.file import AudioReader
from edgewright_runtime.steps.audio.frames import FrameLoopSpec
from edgewright_runtime.steps.audio.segments import SegmentSettings
from edgewright_targets import InputError
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

CONFIG_FILE = "voice_activity_config.json"
# An hour is 230 MB of samples, and 112,500 frames.
LONGEST_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class VoiceSettings(SegmentSettings):
    """What a graph does not say itself; the defaults are silero-vad's at 16 kHz.

    Attributes:
        context: Samples of the frame before that the graph hears again.
        state: Output to the input that takes it; by default the outputs after the first, in the order of the inputs.
    """

    sampling_rate: int = 16_000
    window: int = 512
    context: int = 64
    state: dict[str, str] = field(default_factory=dict)


class VoiceProcessor:
    """The loop of a graph over frames; see `Processor` and `LoopingProcessor`.

    Raises:
        InputError: The settings are wrong, or the graph's inputs are not one audio frame, its states and
            optionally a sampling rate.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._settings = _read_settings(path.parent / CONFIG_FILE)
        self._loop = _loop(read_graph(path), self._settings, path)

    def feeds(self, sample: Any) -> Arrays:
        """The waveform alone: the graph is given what `looped` cuts out of it."""
        rate = self._settings.sampling_rate
        with warnings.catch_warnings():
            # What is heard of a recording is said where it is answered.
            warnings.simplefilter("ignore", AudioWarning)
            return {"waveform": AudioReader(sampling_rate=rate, longest=LONGEST_SECONDS * rate)(sample)}

    def looped(self, sample: Any, infer: Callable[[Arrays], Arrays]) -> Arrays:
        """As silero's own wrapper: the end of the frame before, then the frame; the last one filled with zeros."""
        loop, waveform = self._loop, self.feeds(sample)["waveform"]
        state: dict[str, Any] = {name: np.zeros(shape, np.float32) for name, shape in loop.shapes.items()}
        constants = {name: np.array(value, np.int64) for name, value in loop.constants.items()}
        count = -(-len(waveform) // loop.window)
        padded = np.zeros(loop.context + count * loop.window, np.float32)
        padded[loop.context : loop.context + len(waveform)] = waveform
        probabilities = np.zeros(count, np.float32)
        for index in range(count):
            start = index * loop.window
            frame = padded[None, start : start + loop.context + loop.window]
            made = infer({loop.audio: frame, **state, **constants})
            probabilities[index] = made[loop.scores].reshape(-1)[0]
            state = {taken: made[given] for given, taken in loop.state.items()}
        begins = np.arange(count, dtype=np.float32) * np.float32(loop.window / self._settings.sampling_rate)
        return {"probabilities": probabilities, "begins": begins}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        del inputs
        settings = self._settings
        rate = settings.sampling_rate
        names = SegmentSettings.__dataclass_fields__
        segments = SegmentSettings(**{name: getattr(settings, name) for name in names})
        loop = {"component": COMPONENT, "loop": write_record(self._loop), "sampling_rate": rate}
        return (
            StepSpec("load_audio", {"sampling_rate": rate, "shortest": 1, "longest": LONGEST_SECONDS * rate}),
            StepSpec("infer_frames", loop),
            StepSpec("speech_segments", {"settings": write_record(segments)}),
        )

    def keep(self, folder: Path) -> None:
        """Nothing: the steps need no files."""


def _read_settings(path: Path) -> VoiceSettings:
    if not path.is_file():
        return VoiceSettings()
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"'{path}' cannot be read: {error}.") from error
    known = VoiceSettings.__dataclass_fields__
    if not isinstance(data, dict) or not set(data) <= set(known):
        raise InputError(f"'{path}' must be an object whose keys are some of: {', '.join(known)}.")
    return read_record(VoiceSettings, {**write_record(VoiceSettings()), **data}, f"'{path}'")


def _loop(model: onnx_ir.Model, settings: VoiceSettings, path: Path) -> FrameLoopSpec:
    import onnx_ir

    inputs = [value for value in model.graph.inputs if value.name not in model.graph.initializers]
    floats = [value for value in inputs if value.dtype == onnx_ir.DataType.FLOAT]
    others = [value for value in inputs if value.dtype != onnx_ir.DataType.FLOAT]
    outputs = [str(value.name) for value in model.graph.outputs]
    names = [str(value.name) for value in floats]
    single = all(
        value.dtype == onnx_ir.DataType.INT64 and value.shape is not None and not len(value.shape) for value in others
    )
    state = settings.state or dict(zip(outputs[1:], names[1:], strict=False))
    if not floats or len(others) > 1 or not single or sorted(state.values()) != sorted(names[1:]):
        raise InputError(
            f"'{path}': a graph for voice activity takes one audio frame, its states and optionally a sampling rate; "
            f"this one takes {', '.join(str(value.name) for value in inputs)} and gives {', '.join(outputs)}.",
            hint=f"If its states are given in another order, name them in {CONFIG_FILE}: "
            '{"state": {"OUTPUT": "INPUT"}}.',
        )
    shapes = {
        str(value.name): tuple(size if isinstance(size, int) else 1 for size in value.shape or ())
        for value in floats[1:]
    }
    constants = {str(value.name): settings.sampling_rate for value in others}
    return FrameLoopSpec(
        audio=names[0],
        scores=outputs[0],
        window=settings.window,
        state=state,
        shapes=shapes,
        constants=constants,
        context=settings.context,
    )


def _no_checkpoint(folder: Path) -> NoReturn:
    raise InputError(f"'{folder}': voice activity is built from an .onnx file, not from a checkpoint folder.")


VOICE = ProcessorKind(
    input_name="audio",
    tools=("soundfile", "soxr"),
    check=_no_checkpoint,
    from_checkpoint=lambda checkpoint: _no_checkpoint(checkpoint.folder),
    beside=lambda path, task: VoiceProcessor(path),  # noqa: ARG005 - it serves one task
    files=(CONFIG_FILE,),
)
