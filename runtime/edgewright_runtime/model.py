"""A model that is ready to be called: a package, the engine that runs here, and the declared steps around it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from edgewright_runtime.errors import EngineFallbackWarning, EngineUnavailableError, PackageError, SampleError
from edgewright_runtime.package import Package
from edgewright_runtime.samples import named_values
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.manifest import EngineSpec, Manifest


@dataclass(frozen=True)
class EngineInfo:
    """Which engine runs, where, and why.

    Attributes:
        name: Name in the package.
        target: Target it was made for.
        provider: Execution provider it was made for.
        precision: `fp32`, `int8`, ...
        threads: Threads a call may use.
        nodes: Provider to number of graph nodes it runs; a second provider here means a partial assignment.
        reason: Why this one, as a sentence.
        passed_over: Engines the package prefers that cannot run here: name and reason.
    """

    name: str
    target: str
    provider: str
    precision: str
    threads: int
    nodes: dict[str, int]
    reason: str
    passed_over: tuple[tuple[str, str], ...]

    @property
    def foreign_nodes(self) -> int:
        """Graph nodes that run on another provider than the one asked for."""
        return sum(count for name, count in self.nodes.items() if name != self.provider)


class Model:
    """Call it with what a person has, get what a person wants.

    What it takes and gives is said by the pipeline of its package: text models take a string, image models a file or
    an array, models of several inputs a dict, models without a task named arrays. A list is answered one by one, as
    the engine was measured.

    Attributes:
        package: The opened package.
        engine: Which engine runs, and why.
    """

    def __init__(self, package: Package, engine: Engine, info: EngineInfo) -> None:
        from edgewright_runtime.steps import make_step

        self.package = package
        self.engine = info
        self._engine = engine
        pipeline = package.manifest.pipeline
        self._input = pipeline.input
        self._output = "outputs" if pipeline.output == "*" else pipeline.output
        self._steps = [make_step(step, package, engine) for step in pipeline.steps]
        # Called for each sample, and looked up where a call has options only.
        self._allowed = frozenset(name for step in self._steps for name in getattr(step, "options", ()))

    @property
    def manifest(self) -> Manifest:
        """What the package says about itself."""
        return self.package.manifest

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names by index."""
        return self.manifest.labels

    def __call__(self, sample: Any, *, top_k: int = 1, **options: Any) -> Any:
        """Answer one sample, or each of a list.

        Args:
            sample: What the model takes, see `samples`; or a list of these.
            top_k: How many labels to give, best first.
            options: Of the steps that take some, such as `num_beams=8`.

        Raises:
            SampleError: The sample is not what this model takes, or an option.
        """
        if isinstance(sample, (list, tuple)):
            return [self(one, top_k=top_k, **options) for one in sample]
        values = self.run(sample, top_k=top_k, **options)
        try:
            return values[self._output]
        except KeyError as error:
            raise self._does_not_fit(error) from error

    def run(self, sample: Any, *, top_k: int = 1, **options: Any) -> Mapping[str, Any]:
        """All named values of one sample: inputs, feeds, `outputs` of the graph, and what the steps made of them."""
        values = named_values(sample, self._input)
        values["top_k"] = top_k
        if options and not self._allowed.issuperset(options):
            unknown = next(name for name in options if name not in self._allowed)
            allowed = nearest(unknown, self._allowed) if self._allowed else "It takes none but top_k."
            raise SampleError(f"This model has no option '{unknown}'.", hint=allowed)
        values["options"] = options
        try:
            for step in self._steps:
                values.update(step(values))
        except LookupError as error:
            raise self._does_not_fit(error) from error
        return values

    def _does_not_fit(self, error: LookupError) -> PackageError:
        # Steps find one another by the names in the manifest; only a manifest that was changed gets them wrong.
        return PackageError(
            f"'{self.package.root}': the steps in its manifest do not fit together ({type(error).__name__}: {error})."
        )

    def feeds(self, sample: Any) -> dict[str, Any]:
        """What the graph is given for `sample`: the values its inputs are named after."""
        values = self.run(sample)
        return {name: values[name] for name in self._engine.input_names}

    def close(self) -> None:
        """Free the session; the model cannot be called afterwards."""
        self._engine.deactivate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load(
    path: str | Path | Package, *, engine: str | None = None, strict: bool = False, threads: int | None = None
) -> Model:
    """Open a package and activate the engine that runs here.

    The engines are tried in the package's own order (fastest accepted first, the portable float engine last), and the
    first that can run does. Passing one over is said aloud with `EngineFallbackWarning` and kept in `model.engine`.

    Args:
        path: Package folder, archive file, or an opened package.
        engine: Use this engine and no other.
        strict: Make passing an engine over an error, and a partial assignment of nodes as well.
        threads: Threads a call may use; by default what the engine was measured with, capped by this machine.

    Raises:
        PackageError: The path is no readable package.
        EngineUnavailableError: No engine can run here, or `strict` or `engine` insisted on one that cannot.
    """
    from edgewright_runtime.engine import Engine

    package = path if isinstance(path, Package) else Package.open(path)
    passed: list[tuple[str, str]] = []
    for spec in _order(package, engine):
        active = Engine(package, spec, threads=threads)
        try:
            active.activate()
        except EngineUnavailableError as error:
            if strict or engine is not None:
                hint = f"Engines in the package: {', '.join(package.manifest.order)}."
                raise EngineUnavailableError(error.message, hint=hint, reason=error.reason) from error
            passed.append((spec.name, error.reason))
            continue
        info = EngineInfo(
            spec.name,
            spec.target,
            spec.provider,
            spec.precision,
            active.threads,
            active.nodes,
            _why(engine, passed),
            tuple(passed),
        )
        _say_fallback(info, strict=strict)
        return Model(package, active, info)
    listing = "\n".join(f"  {name}: {reason}" for name, reason in passed)
    raise EngineUnavailableError(f"No engine of '{package.root}' can run here:\n{listing}")


def _order(package: Package, engine: str | None) -> list[EngineSpec]:
    manifest = package.manifest
    if engine is None:
        return [manifest.engines[name] for name in manifest.order]
    if engine not in manifest.engines:
        raise EngineUnavailableError(
            f"'{package.root}' has no engine '{engine}'.", hint=nearest(engine, manifest.engines)
        )
    return [manifest.engines[engine]]


def _why(engine: str | None, passed: list[tuple[str, str]]) -> str:
    if engine is not None:
        return "It was asked for by name."
    if passed:
        return f"It is the first in the package's order that can run here; passed over: {_names(passed)}."
    return "It is the first in the package's order."


def _names(passed: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    return ", ".join(name for name, _ in passed)


def _say_fallback(info: EngineInfo, *, strict: bool) -> None:
    if info.passed_over:
        reasons = " ".join(reason for _, reason in info.passed_over)
        warnings.warn(f"Running '{info.name}' instead: {reasons}", EngineFallbackWarning, stacklevel=4)
    if info.foreign_nodes:
        total = sum(info.nodes.values())
        message = f"{info.provider} took {total - info.foreign_nodes} of {total} graph nodes of '{info.name}'."
        if strict:
            raise EngineUnavailableError(message, hint="Allow a partial assignment by leaving out strict.")
        warnings.warn(f"{message} The rest runs on another provider.", EngineFallbackWarning, stacklevel=4)
