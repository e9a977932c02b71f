"""One engine as an ONNX Runtime session: `activate`, `infer`, `deactivate`, or a `with` block."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from edgewright_runtime.errors import EngineUnavailableError, SampleError
from edgewright_runtime.manifest import PLAN_ENGINES, THREADS_KEY
from edgewright_runtime.providers import provider
from edgewright_targets.host import architecture, host_facts, usable_threads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from edgewright_runtime.manifest import EngineSpec
    from edgewright_runtime.package import Package

    Arrays = dict[str, np.ndarray[Any, Any]]

# Without this ONNX Runtime keeps no record of which provider took which node.
_RECORD_ASSIGNMENT = "session.record_ep_graph_assignment_info"


class Engine:
    """An engine of a package on its provider.

    Nothing of the hardware is touched before `activate`.

    Attributes:
        spec: What the package says about it.
        nodes: Provider to number of graph nodes it runs, after activation.
        threads: Threads that a call may use, after activation.
        input_names: Names of the graph's inputs, after activation.
        emulated: It runs in its provider's emulator: answers are those of the hardware, times are not.
    """

    def __init__(
        self, package: Package, spec: EngineSpec, *, threads: int | None = None, emulate: bool = False
    ) -> None:
        self.spec = spec
        self.emulated = emulate
        self.nodes: dict[str, int] = {}
        self.threads = 0
        self.input_names: tuple[str, ...] = ()
        self._package = package
        self._asked_threads = threads
        self._session: Any = None
        self._outputs: list[str] = []
        self._inputs: dict[str, Any] = {}

    def unavailable(self) -> str | None:
        """Why this engine cannot run here (architecture, provider), as a sentence; None if it may."""
        if self.emulated:
            return provider(self.spec.provider).emulator_unavailable()
        machine = architecture()
        if self.spec.architecture != machine:
            return f"It was made for {self.spec.architecture}; this machine is {machine}."
        return provider(self.spec.provider).unavailable()

    def activate(self) -> None:
        """Create the session.

        Raises:
            EngineUnavailableError: The provider is not there, or refused the graph; the message says why.
        """
        reason = self.unavailable()
        if reason is not None:
            raise EngineUnavailableError(f"Engine '{self.spec.name}' cannot run here. {reason}", reason=reason)
        if self.spec.engine in PLAN_ENGINES:
            self._activate_plan()
        else:
            self._activate_graph()
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._inputs = {entry.name: entry for entry in self._session.get_inputs()}
        self.input_names = tuple(self._inputs)

    def _activate_plan(self) -> None:
        from edgewright_runtime.trt.plans import open_plan

        self._session = open_plan(self._package, self.spec)
        self.threads = 1
        self.nodes = {self.spec.provider: self._session.layers}

    def _activate_graph(self) -> None:
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry(_RECORD_ASSIGNMENT, "1")
        for key, value in self.spec.session_options.items():
            if key != THREADS_KEY:
                options.add_session_config_entry(key, self._package.resolve(value))
        self.threads = self._thread_count()
        options.intra_op_num_threads = self.threads
        provider(self.spec.provider).configure(options, self.spec.provider_options)
        path = self._package.file(self.spec.model_file)
        try:
            self._session = onnxruntime.InferenceSession(str(path), options)
        except Exception as error:  # whatever a provider throws, it refused this graph
            reason = f"{self.spec.provider} refused its graph: {_first_line(error)}"
            raise EngineUnavailableError(
                f"Engine '{self.spec.name}' cannot run here. {reason}", reason=reason
            ) from error
        counts: Counter[str] = Counter()
        for part in self._session.get_provider_graph_assignment_info():
            counts[part.ep_name] += len(part.get_nodes())
        self.nodes = dict(counts)

    def fixed_length(self, names: Sequence[str]) -> int | None:
        """The length that the graph demands of the last axis of these inputs, or None if it takes any."""
        sizes = [self._inputs[name].shape[-1] for name in names if name in self._inputs and self._inputs[name].shape]
        return next((size for size in sizes if isinstance(size, int)), None)

    def _thread_count(self) -> int:
        wanted = self._asked_threads or int(self.spec.session_options.get(THREADS_KEY, "0"))
        # More threads than processors only take turns: a package from a larger machine is capped here.
        return min(wanted, usable_threads()) if wanted else host_facts().cores

    @property
    def session(self) -> Any:
        """The `onnxruntime.InferenceSession`, after activation: for loops that bind inputs and outputs themselves."""
        return self._session

    def infer(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> Arrays:
        """Run the graph; the arrays returned are the caller's own.

        Raises:
            SampleError: The feeds do not have the graph's names, types or shapes.
        """
        try:
            values = self._session.run(self._outputs, feeds)
        except SampleError:
            raise
        except Exception as error:
            problem = self._feed_problem(feeds)
            if problem is None:
                raise
            raise SampleError(problem) from error
        return dict(zip(self._outputs, values, strict=True))

    def _feed_problem(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> str | None:
        expected = {name: f"{entry.type} {entry.shape}" for name, entry in self._inputs.items()}
        listing = ", ".join(f"{name}: {form}" for name, form in expected.items())
        if set(feeds) != set(expected):
            return f"The model takes the inputs [{listing}]; given were [{', '.join(feeds)}]."
        for name, value in feeds.items():
            entry = self._inputs[name]
            if len(value.shape) != len(entry.shape) or any(
                isinstance(size, int) and size != given for size, given in zip(entry.shape, value.shape, strict=True)
            ):
                return f"Input '{name}' has the shape {list(value.shape)}; the model takes {entry.shape}."
            if _ORT_TYPES.get(str(value.dtype)) != entry.type:
                return f"Input '{name}' is {value.dtype}; the model takes {entry.type}."
        return None

    def deactivate(self) -> None:
        """Free the session and what it holds."""
        if self.spec.engine in PLAN_ENGINES and self._session is not None:
            self._session.close()
        self._session = None

    def __enter__(self) -> Self:
        self.activate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.deactivate()


_ORT_TYPES = {
    "float32": "tensor(float)",
    "float64": "tensor(double)",
    "float16": "tensor(float16)",
    "int64": "tensor(int64)",
    "int32": "tensor(int32)",
    "int16": "tensor(int16)",
    "int8": "tensor(int8)",
    "uint64": "tensor(uint64)",
    "uint32": "tensor(uint32)",
    "uint16": "tensor(uint16)",
    "uint8": "tensor(uint8)",
    "bool": "tensor(bool)",
}


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
