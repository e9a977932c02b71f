"""One engine as ONNX Runtime sessions, one for each component: `activate`, `deactivate`, or a `with` block."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from edgewright_runtime.errors import EngineUnavailableError, PackageError
from edgewright_runtime.graph import Graph
from edgewright_runtime.provider_words import provider_words
from edgewright_runtime.providers import provider
from edgewright_runtime.session_settings import set_session_options
from edgewright_targets.engine_kinds import OPENVINO
from edgewright_targets.host import architecture, host_facts, usable_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_runtime.manifest import EnginePart, EngineSpec
    from edgewright_runtime.package import Package

# Without this ONNX Runtime keeps no record of which provider took which node.
_RECORD_ASSIGNMENT = "session.record_ep_graph_assignment_info"
# From here on ONNX Runtime writes to standard error. What goes wrong is raised; it is not printed as well.
_FATAL = 4
_WARNING = 2


class Engine:
    """An engine of a package on its provider.

    Nothing of the hardware is touched before `activate`.

    Args:
        package: Where its files are.
        spec: What the package says about it.
        threads: Threads that a call may use; by default as the package says.
        emulate: Run it in its provider's emulator.
        log_warnings: ONNX Runtime writes its warnings to standard error, also those of each call.

    Attributes:
        spec: What the package says about it.
        nodes: Provider to number of graph nodes it runs, all components together, after activation.
        threads: Threads that a call may use, after activation.
        emulated: It runs in its provider's emulator: answers are those of the hardware, times are not.
    """

    def __init__(
        self,
        package: Package,
        spec: EngineSpec,
        *,
        threads: int | None = None,
        emulate: bool = False,
        log_warnings: bool = False,
    ) -> None:
        self.spec = spec
        self.emulated = emulate
        self.nodes: dict[str, int] = {}
        self.threads = 0
        self._package = package
        self._asked_threads = threads
        self._severity = _WARNING if log_warnings else _FATAL
        self._graphs: dict[str, Graph] = {}

    def unavailable(self) -> str | None:
        """Why this engine cannot run here (architecture, provider), as a sentence; None if it may."""
        if self.emulated:
            return provider(self.spec.provider).emulator_unavailable()
        machine = architecture()
        if self.spec.architecture != machine:
            return f"It was made for {self.spec.architecture}; this machine is {machine}."
        return provider(self.spec.provider).unavailable()

    def activate(self) -> None:
        """Create the sessions.

        Raises:
            EngineUnavailableError: The provider is not there, or refused the graph; the message says why.
        """
        reason = self.unavailable()
        if reason is not None:
            raise EngineUnavailableError(f"Engine '{self.spec.name}' cannot run here. {reason}", reason=reason)
        self.threads = 1 if self.spec.kind.plan else self._thread_count()
        counts: Counter[str] = Counter()
        try:
            for component, part in self.spec.parts.items():
                if self.spec.kind.plan:
                    session, nodes = self._plan(component)
                elif self.spec.kind.executor == OPENVINO:
                    session, nodes = self._openvino(part)
                else:
                    session, nodes = self._session(part)
                self._graphs[component] = Graph(session)
                counts.update(nodes)
        except BaseException:
            self.deactivate()
            raise
        self.nodes = dict(counts)

    def _plan(self, component: str) -> tuple[Any, dict[str, int]]:
        from edgewright_runtime.plans import open_plan

        session = open_plan(self._package, self.spec, component)
        return session, {self.spec.provider: session.layers}

    def _openvino(self, part: EnginePart) -> tuple[Any, dict[str, int]]:
        from edgewright_runtime.openvino_blobs import open_session
        from edgewright_runtime.ov import TITLE, OpenVinoError

        try:
            session = open_session(self._package, part, self.spec.provider, self.threads)
        except (OpenVinoError, ImportError, OSError) as error:
            reason = f"{TITLE} refused its graph: {provider_words(error)}"
            raise EngineUnavailableError(
                f"Engine '{self.spec.name}' cannot run here. {reason}", reason=reason
            ) from error
        return session, {self.spec.provider: session.nodes}

    def _session(self, part: EnginePart) -> tuple[Any, dict[str, int]]:
        import onnxruntime

        path = self._package.checked_graph(part)
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = self._severity
        options.add_session_config_entry(_RECORD_ASSIGNMENT, "1")
        resolve = self._package.resolve
        set_session_options(options, {key: resolve(value) for key, value in part.session_options.items()})
        options.intra_op_num_threads = self.threads
        provider(self.spec.provider).configure(options, part.provider_options)
        try:
            session = onnxruntime.InferenceSession(str(path), options)
        except Exception as error:  # whatever a provider throws, it refused this graph
            reason = f"{self.spec.provider} refused its graph: {provider_words(error)}"
            raise EngineUnavailableError(
                f"Engine '{self.spec.name}' cannot run here. {reason}", reason=reason
            ) from error
        counts: Counter[str] = Counter()
        for assigned in session.get_provider_graph_assignment_info():
            counts[assigned.ep_name] += len(assigned.get_nodes())
        return session, counts

    def graph(self, component: str) -> Graph:
        """The graph of a component, after activation.

        Raises:
            PackageError: The engine has no such component.
        """
        if component not in self._graphs:
            raise PackageError(
                f"Engine '{self.spec.name}' has no component '{component}'.",
                hint=f"Its components: {', '.join(self._graphs)}.",
            )
        return self._graphs[component]

    def fixed_length(self, names: Sequence[str]) -> int | None:
        """The length that a graph demands of the last axis of these inputs, or None if all take any."""
        found = [graph.fixed_length(names) for graph in self._graphs.values()]
        return next((length for length in found if length is not None), None)

    def _thread_count(self) -> int:
        wanted = self._asked_threads or self.spec.threads
        # More threads than processors only take turns: a package from a larger machine is capped here.
        return min(wanted, usable_threads()) if wanted else host_facts().cores

    def deactivate(self) -> None:
        """Free the sessions and what they hold."""
        if self.spec.kind.plan:
            for graph in self._graphs.values():
                graph.session.close()
        self._graphs = {}

    def __enter__(self) -> Self:
        self.activate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.deactivate()
