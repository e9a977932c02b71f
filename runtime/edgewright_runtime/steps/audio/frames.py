"""A graph over the frames of audio, one after another; its state stays with the provider from one frame to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime import loop_state
from edgewright_runtime.errors import PackageError
from edgewright_runtime.steps.values import call_of
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

    Array = np.ndarray[Any, Any]

# Frames of a recording whose feeds serve for calibration: from all over it, so that states of all kinds are among them.
_CALIBRATION_FRAMES = 8


@dataclass(frozen=True, kw_only=True)
class FrameLoopSpec:
    """The declared loop of a graph over frames; names are of its inputs and outputs.

    Attributes:
        audio: Input of a frame with the end of the one before it, float32 [1, context + window].
        scores: Output of one probability a frame.
        state: Output to the input that takes it with the next frame.
        shapes: Input of the state to its shape; it begins with zeros.
        constants: Inputs that are the same whole number always, such as the sampling rate, as a single value.
        window: Samples of a frame.
        context: Samples of the frame before that the graph hears again; zeros before the first.
    """

    audio: str
    scores: str
    window: int
    state: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    context: int = 0


class FrameLoop:
    """Runs the graph of an active engine frame by frame. `start`, then `frame` as often as wanted.

    Several of them may be under way over one engine, as each holds its own state; frames take turns.

    Raises:
        PackageError: The graph does not have the inputs and outputs of the loop.
    """

    def __init__(self, engine: Engine, component: str, spec: FrameLoopSpec) -> None:
        graph = engine.graph(component)
        self._graph = graph
        self._spec = spec
        named = (spec.audio, *spec.state.values(), *spec.constants)
        title = f"The graph '{component}' of engine '{engine.spec.name}'"
        graph.check_loop(named, (spec.scores, *spec.state), title)
        if set(spec.shapes) != set(spec.state.values()) or spec.window < 1 or not 0 <= spec.context <= spec.window:
            raise PackageError(f"The loop of the graph '{component}' has wrong shapes, window or context.")
        self._places = graph.output_places(spec.state)
        self._constants = {name: np.array(value, dtype=np.int64) for name, value in spec.constants.items()}
        self._binding: Any = None
        self._carried: list[Any] = []
        self._heard: Array = np.zeros(0, dtype=np.float32)

    def start(self) -> None:
        """Begin with a state of zeros, after silence."""
        self._binding = self._graph.session.io_binding()
        for name, value in self._constants.items():
            self._binding.bind_cpu_input(name, value)
        self._carried = loop_state.zeros(self._spec.shapes[name] for name in self._spec.state.values())
        self._heard = np.zeros((1, self._spec.context + self._spec.window), dtype=np.float32)

    def frame(self, samples: Array) -> float:
        """The probability of a frame, float32 [window]; the state has it from then on."""
        spec, binding = self._spec, self._binding
        self._hear(samples)
        binding.bind_cpu_input(spec.audio, self._heard)
        for name, value in zip(spec.state.values(), self._carried, strict=True):
            binding.bind_ortvalue_input(name, value)
        binding.bind_output(spec.scores)
        for name, (device, number) in self._places.items():
            # Anew for each frame: a bound output would be written over the state that this frame reads.
            binding.bind_output(name, device, number)
        self._graph.run(binding)
        scores, *self._carried = binding.get_outputs()
        return float(scores.numpy().reshape(-1)[0])

    def feeds(self, samples: Array) -> dict[str, Array]:
        """What the graph would be given for a frame, as arrays: for calibration."""
        context = self._heard[:, self._heard.shape[1] - self._spec.context :]
        audio = np.concatenate([context, samples[None]], axis=1)
        state = loop_state.as_arrays(self._spec.state.values(), self._carried)
        return {self._spec.audio: audio, **state, **self._constants}

    def _hear(self, samples: Array) -> None:
        heard = np.empty_like(self._heard)
        context = self._spec.context
        heard[:, :context] = self._heard[:, heard.shape[1] - context :]
        heard[:, context:] = samples
        self._heard = heard


class InferFrames:
    """`waveform` to `probabilities`, float32 [frames], one for each window; the last one is filled with zeros.

    Args:
        package: The package.
        engine: The active engine.
        component: Name of the component.
        loop: The fields of `FrameLoopSpec`.
        sampling_rate: Samples a second.
    """

    def __init__(
        self, package: Package, engine: Engine, *, component: str, loop: Mapping[str, object], sampling_rate: int
    ) -> None:
        self._spec = read_record(FrameLoopSpec, loop, f"'{package.root}': the step 'infer_frames'")
        self.component = component
        # Nothing comes from values as it is: frames are cut here.
        self.wired: dict[str, str] = {}
        self._engine = engine
        self._rate = int(sampling_rate)
        self._loop = self.session()

    def session(self) -> FrameLoop:
        """A loop of its own over the same engine."""
        return FrameLoop(self._engine, self.component, self._spec)

    @property
    def window(self) -> int:
        """Samples of a frame."""
        return self._spec.window

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `probabilities`, and as `outputs` these with the seconds at which their frames begin."""
        waveform = values["waveform"]
        kept = call_of(values).recorder
        found = []
        self._loop.start()
        count = -(-len(waveform) // self._spec.window)
        for index, samples in enumerate(windows(waveform, self._spec.window)):
            if kept is not None and index % max(1, count // _CALIBRATION_FRAMES) == 0:
                kept.setdefault(self.component, []).append(self._loop.feeds(samples))
            found.append(self._loop.frame(samples))
        probabilities = np.array(found, dtype=np.float32)
        begins = np.arange(count, dtype=np.float32) * np.float32(self._spec.window / self._rate)
        outputs = {"probabilities": probabilities, "begins": begins}
        return {"probabilities": probabilities, "outputs": outputs}


def windows(waveform: Array, window: int) -> Iterator[Array]:
    """Frames of audio, float32 [window] each; the last one is filled with zeros."""
    for start in range(0, len(waveform), window):
        part = waveform[start : start + window]
        if len(part) < window:
            part = np.concatenate([part, np.zeros(window - len(part), dtype=np.float32)])
        yield part
