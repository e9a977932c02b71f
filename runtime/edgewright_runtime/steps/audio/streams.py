"""A component over streams: windows of what other components make, one after another, with a state between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime import loop_state
from edgewright_runtime.errors import PackageError
from edgewright_runtime.steps.audio.stream_windows import Stream, Windows, WindowSpec, can_be, fed, frames_of, joined
from edgewright_runtime.steps.values import NamedValues, Values, call_of
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package

    Array = np.ndarray[Any, Any]

# Windows of a recording whose feeds serve for calibration: from all over it.
_CALIBRATION_WINDOWS = 8


@dataclass(frozen=True, kw_only=True)
class StreamLoopSpec:
    """The declared loop of a graph over streams; names are of its inputs and outputs.

    Attributes:
        inputs: Inputs that are windows; the graph runs when all of them are there.
        outputs: Outputs that are streams again, and the axis of each along which their frames lie.
        names: Output to the name of its stream.
        state: Output to the input that takes it with the next window.
        shapes: Input of the state to its shape; it begins with zeros.
        constants: Inputs that are the same whole number always, such as the sampling rate, as a single value.
    """

    inputs: dict[str, WindowSpec]
    outputs: dict[str, int]
    names: dict[str, str]
    state: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)


class StreamLoop:
    """Runs a component of an active engine window by window. `start`, then `push` as often as wanted.

    Several of them may be under way over one engine, as each holds its own state; windows take turns.

    Raises:
        PackageError: The graph does not have the inputs and outputs of the loop, or its windows cannot be.
    """

    def __init__(self, engine: Engine, component: str, spec: StreamLoopSpec) -> None:
        self._graph = engine.graph(component)
        self._spec = spec
        named = (*spec.inputs, *spec.state.values(), *spec.constants)
        title = f"The graph '{component}' of engine '{engine.spec.name}'"
        self._graph.check_loop(named, (*spec.outputs, *spec.state), title)
        right = (
            spec.inputs
            and set(spec.names) == set(spec.outputs)
            and set(spec.shapes) == set(spec.state.values())
            and all(can_be(window) for window in spec.inputs.values())
        )
        if not right:
            raise PackageError(f"The loop of the graph '{component}' has wrong windows, shapes or names.")
        self._places = self._graph.output_places(spec.state)
        self._constants = {name: np.array(value, dtype=np.int64) for name, value in spec.constants.items()}
        self._carried: list[Any] = []
        self._windows: dict[str, Windows] = {}
        self._waiting: dict[str, deque[tuple[Array, int]]] = {}

    def start(self) -> None:
        """Begin with a state of zeros, before anything was heard."""
        self._carried = loop_state.zeros(self._spec.shapes[name] for name in self._spec.state.values())
        self._windows = {name: Windows(window) for name, window in self._spec.inputs.items()}
        self._waiting = {name: deque() for name in self._spec.inputs}

    def push(self, streams: Mapping[str, Stream], kept: list[dict[str, Array]] | None = None) -> dict[str, Stream]:
        """What comes of more frames: by the name of each stream, what is new of it.

        Args:
            streams: What is new of the streams that it is given, at least.
            kept: Gets what the graph was given for some windows, for calibration.
        """
        for name, window in self._spec.inputs.items():
            self._waiting[name].extend(self._windows[name].push(streams[window.stream]))
        count = min(len(waiting) for waiting in self._waiting.values())
        made: dict[str, list[Array]] = {name: [] for name in self._spec.outputs}
        ends: dict[str, list[Array]] = {name: [] for name in self._spec.outputs}
        for index in range(count):
            taken = {name: waiting.popleft() for name, waiting in self._waiting.items()}
            feeds = {name: fed(self._spec.inputs[name], frames) for name, (frames, _) in taken.items()}
            if kept is not None and index % max(1, count // _CALIBRATION_WINDOWS) == 0:
                state = loop_state.as_arrays(self._spec.state.values(), self._carried)
                kept.append({**feeds, **state, **self._constants})
            heard = max(end for _, end in taken.values())
            for name, value in self._run({**feeds, **self._constants}).items():
                frames = frames_of(value, self._spec.outputs[name])
                made[name].append(frames)
                ends[name].append(np.full(len(frames), heard, np.int64))
        return {self._spec.names[name]: joined(made[name], ends[name]) for name in made}

    def _run(self, feeds: dict[str, Array]) -> dict[str, Array]:
        spec = self._spec
        if not spec.state:
            made = self._graph.infer(feeds)
            return {name: made[name] for name in spec.outputs}
        binding = self._graph.session.io_binding()
        for name, value in feeds.items():
            binding.bind_cpu_input(name, value)
        for name, value in zip(spec.state.values(), self._carried, strict=True):
            binding.bind_ortvalue_input(name, value)
        for name in spec.outputs:
            binding.bind_output(name)
        for name, place in self._places.items():
            binding.bind_output(name, *place)
        self._graph.run(binding)
        found = binding.get_outputs()
        self._carried = list(found[len(spec.outputs) :])
        return {name: value.numpy() for name, value in zip(spec.outputs, found, strict=False)}


class InferStream:
    """Streams to streams; the first one is `waveform`, and is called `audio`.

    Args:
        package: The package.
        engine: The active engine.
        component: Name of the component.
        loop: The fields of `StreamLoopSpec`.
    """

    def __init__(self, package: Package, engine: Engine, *, component: str, loop: Mapping[str, object]) -> None:
        self._spec = read_record(StreamLoopSpec, loop, f"'{package.root}': the step 'infer_stream'")
        self.component = component
        # Nothing comes from values as it is: windows are cut here.
        self.wired: dict[str, str] = {}
        self._engine = engine
        self._loop = self.session()

    def session(self) -> StreamLoop:
        """A loop of its own over the same engine."""
        return StreamLoop(self._engine, self.component, self._spec)

    def __call__(self, values: NamedValues) -> dict[str, Values]:
        """Add the new streams to `streams`."""
        streams = values.get("streams") or Values(audio=Stream.of_audio(values["waveform"]))
        kept = call_of(values).recorder
        self._loop.start()
        made = self._loop.push(streams, None if kept is None else kept.setdefault(self.component, []))
        return {"streams": Values({**streams, **made})}
