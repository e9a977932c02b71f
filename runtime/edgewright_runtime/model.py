"""A model that is ready to be called: a package, the engine that runs here, and the declared steps around it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from edgewright_runtime.errors import EngineFallbackWarning, EngineUnavailableError, PackageError, SampleError
from edgewright_runtime.package import Package
from edgewright_runtime.samples import named_values
from edgewright_runtime.steps import BatchStep, StreamingStep, make_step
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.finished import Finished
    from edgewright_runtime.manifest import EngineSpec, Manifest
    from edgewright_runtime.steps import Step, TextStream


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
        emulated: It runs in an emulator of its hardware: answers are real, times mean nothing.
    """

    name: str
    target: str
    provider: str
    precision: str
    threads: int
    nodes: dict[str, int]
    reason: str
    passed_over: tuple[tuple[str, str], ...]
    emulated: bool = False

    @property
    def foreign_nodes(self) -> int:
        """Graph nodes that run on another provider than the one asked for."""
        return sum(count for name, count in self.nodes.items() if name != self.provider)


class Model:
    """Call it with what a person has, get what a person wants.

    What it takes and gives is said by the pipeline of its package: text models take a string, image models a file or
    an array, models of several inputs a dict, models without a task named arrays. A list is answered one by one, as
    the engine was measured. Models that generate text also take their settings (`generation.settings`), and `stream`
    gives the text as it comes.

    Attributes:
        package: The opened package.
        engine: Which engine runs, and why.
    """

    def __init__(self, package: Package, engine: Engine, info: EngineInfo) -> None:
        self.package = package
        self.engine = info
        self._engine = engine
        pipeline = package.manifest.pipeline
        self._input = pipeline.input
        self._output = "outputs" if pipeline.output == "*" else pipeline.output
        self._steps = [make_step(step, package, engine) for step in pipeline.steps]
        # Called for each sample, and looked up where a call has options only.
        self._allowed = frozenset(name for step in self._steps for name in getattr(step, "options", ()))
        self._measuring: list[Step] | None = None

    @property
    def manifest(self) -> Manifest:
        """What the package says about itself."""
        return self.package.manifest

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names by index."""
        return self.manifest.labels

    def __call__(self, sample: Any, *, top_k: int | None = None, **options: Any) -> Any:
        """Answer one sample, or each of a list.

        Args:
            sample: What the model takes, see `samples`; or a list of these.
            top_k: How many labels to give, best first (1 unless said); of a generator, see its settings.
            options: Of the steps that take some, such as `max_new_tokens=40`; `batch_size` answers so many samples of
                a list at once where the model can.

        Raises:
            SampleError: The sample is not what this model takes, or an option.
        """
        if isinstance(sample, (list, tuple)):
            size = options.get("batch_size", 1)
            if size > 1:
                return self._in_batches(sample, size, top_k, options)
            return [self(one, top_k=top_k, **options) for one in sample]
        return self._answer(self.run(sample, top_k=top_k, **options))

    def run(self, sample: Any, *, top_k: int | None = None, **options: Any) -> Mapping[str, Any]:
        """All named values of one sample: inputs, feeds, `outputs` of the graph, and what the steps made of them."""
        return self._through(self._steps, self._values(sample, top_k, options))

    def stream(self, sample: Any, *, top_k: int | None = None, **options: Any) -> TextStream:
        """The answer piece by piece as it is made; joined, the pieces are what a call answers.

        When the last piece was given, `facts` of what this returns says how the answer came about.

        Raises:
            SampleError: The model gives its answer at once, or the sample is not what it takes, or an option.
        """
        for index, step in enumerate(self._steps):
            if isinstance(step, StreamingStep):
                values = self._through(self._steps[:index], self._values(sample, top_k, options))
                return step.stream(values)
        raise SampleError(f"A model for {self.manifest.task} gives its answer at once: call it.")

    @property
    def options(self) -> frozenset[str]:
        """Names of what a call may say beside `top_k`."""
        return self._allowed

    @property
    def streams(self) -> bool:
        """Whether `stream` can be used."""
        return any(isinstance(step, StreamingStep) for step in self._steps)

    def measured(self, sample: Any, **options: Any) -> Mapping[str, Any]:
        """All named values on the way in which engines are compared: `outputs` are those to compare.

        For most models this is `run`. What a generator answers after its first other token cannot be compared, so the
        package declares other steps for it.
        """
        declared = self.manifest.pipeline.measured
        if declared is None:
            return self.run(sample, **options)
        if self._measuring is None:
            self._measuring = [make_step(step, self.package, self._engine) for step in declared.steps]
        return self._through(self._measuring, named_values(sample, self._input) | {"options": options})

    def timed(self, sample: Any) -> None:
        """Answer a sample the way a call is timed: with the same work for every engine."""
        declared = self.manifest.pipeline.measured
        self(sample, **(declared.call if declared else {}))

    def _in_batches(self, samples: Sequence[Any], size: int, top_k: int | None, options: dict[str, Any]) -> list[Any]:
        index = next((at for at, step in enumerate(self._steps) if isinstance(step, BatchStep)), None)
        if index is None:
            raise SampleError(f"A model for {self.manifest.task} takes one sample at a time; batch_size is {size}.")
        together = cast("BatchStep", self._steps[index])
        answers = []
        for start in range(0, len(samples), size):
            part = [self._values(sample, top_k, options) for sample in samples[start : start + size]]
            before = [self._through(self._steps[:index], values) for values in part]
            for values, made in zip(before, together.many(before), strict=True):
                answers.append(self._answer(self._through(self._steps[index + 1 :], {**values, **made})))
        return answers

    def _values(self, sample: Any, top_k: int | None, options: dict[str, Any]) -> dict[str, Any]:
        values = named_values(sample, self._input)
        values["top_k"] = top_k or 1
        if options and not self._allowed.issuperset(options):
            unknown = next(name for name in options if name not in self._allowed)
            allowed = nearest(unknown, self._allowed) if self._allowed else "It takes none but top_k."
            raise SampleError(f"This model has no option '{unknown}'.", hint=allowed)
        values["options"] = options if top_k is None else {**options, "top_k": top_k}
        return values

    def _through(self, steps: Sequence[Step], values: dict[str, Any]) -> dict[str, Any]:
        try:
            for step in steps:
                values.update(step(values))
        except LookupError as error:
            raise self._does_not_fit(error) from error
        return values

    def _answer(self, values: Mapping[str, Any]) -> Any:
        try:
            return values[self._output]
        except KeyError as error:
            raise self._does_not_fit(error) from error

    def _does_not_fit(self, error: LookupError) -> PackageError:
        # Steps find one another by the names in the manifest; only a manifest that was changed gets them wrong.
        return PackageError(
            f"'{self.package.root}': the steps in its manifest do not fit together ({type(error).__name__}: {error})."
        )

    def feeds(self, sample: Any, *, whole: bool = False) -> dict[str, Any]:
        """What the graph is given for `sample`: the values its inputs are named after.

        A graph in a loop is also given its own state, which is no matter of the sample: `whole` adds it, from the
        middle of one.
        """
        if self.manifest.pipeline.measured is None:
            values = self.run(sample)
            return {name: values[name] for name in self._engine.input_names}
        values = self.measured(sample, whole_feeds=whole)
        if whole:
            return dict(values["whole_feeds"])
        return {name: values[name] for name in self._engine.input_names if name in values}

    def close(self) -> None:
        """Free the session; the model cannot be called afterwards."""
        self._engine.deactivate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load(
    path: str | Path | Package,
    *,
    engine: str | None = None,
    strict: bool = False,
    threads: int | None = None,
    emulate: bool = False,
) -> Model:
    """Open a package and activate the engine that runs here.

    The engines are tried in the package's own order (fastest accepted first, the portable float engine last), and the
    first that can run does. Passing one over is said aloud with `EngineFallbackWarning` and kept in `model.engine`.

    Args:
        path: Package folder, archive file, or an opened package.
        engine: Use this engine and no other.
        strict: Make passing an engine over an error, and a partial assignment of nodes as well.
        threads: Threads a call may use; by default what the engine was measured with, capped by this machine.
        emulate: Run the engine called `engine` in its provider's emulator of hardware that this machine does not have.
            No time taken there says anything about the hardware.

    Raises:
        PackageError: The path is no readable package.
        EngineUnavailableError: No engine can run here, or `strict` or `engine` insisted on one that cannot.
    """
    from edgewright_runtime.engine import Engine

    if emulate and engine is None:
        raise EngineUnavailableError("An emulator runs one engine.", hint="Name it with engine=.")
    package = path if isinstance(path, Package) else Package.open(path)
    passed: list[tuple[str, str]] = []
    found = {} if engine is not None else _finished(package)
    first = _preferred(found)
    for spec in _order(package, engine, first):
        active = Engine(package, spec, threads=threads, emulate=emulate)
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
            _why(engine, passed, finished=spec.name in first),
            (*passed, *([] if engine is not None else _unfinished(package, spec, found))),
            emulate,
        )
        _say_fallback(info, strict=strict)
        return Model(package, active, info)
    listing = "\n".join(f"  {name}: {reason}" for name, reason in passed)
    raise EngineUnavailableError(f"No engine of '{package.root}' can run here:\n{listing}")


def _order(package: Package, engine: str | None, first: tuple[str, ...]) -> list[EngineSpec]:
    manifest = package.manifest
    if engine is None:
        compared = [name for name in manifest.order if manifest.engines[name].compared]
        return [manifest.engines[name] for name in (*first, *compared)]
    if engine not in manifest.engines:
        raise EngineUnavailableError(
            f"'{package.root}' has no engine '{engine}'.", hint=nearest(engine, manifest.engines)
        )
    return [manifest.engines[engine]]


def _finished(package: Package) -> dict[str, Finished]:
    if all(spec.compared for spec in package.manifest.engines.values()):
        return {}
    from edgewright_runtime.finished import findings

    return findings(package)


def _preferred(found: dict[str, Finished]) -> tuple[str, ...]:
    if not found:
        return ()
    from edgewright_runtime.finished import preferred

    return preferred(found)


def _unfinished(package: Package, running: EngineSpec, found: Mapping[str, Finished]) -> list[tuple[str, str]]:
    """Engines for this hardware that nobody compared with the float engine yet, and why each waits."""
    waiting = [spec for spec in package.manifest.engines.values() if not spec.compared and spec.name not in found]
    if not waiting:
        return []
    from edgewright_runtime.finished import fits

    return [
        (spec.name, _waiting(spec))
        for spec in waiting
        if spec.target == running.target or (spec.architecture == running.architecture and fits(spec))
    ]


def _waiting(spec: EngineSpec) -> str:
    from edgewright_runtime.providers import provider

    missing = provider(spec.provider).unavailable()
    if missing is not None:
        return missing
    return "Its answers were not compared with the float engine's on this machine: 'edgewright finish' does that."


def _why(engine: str | None, passed: list[tuple[str, str]], *, finished: bool) -> str:
    if engine is not None:
        return "It was asked for by name."
    if finished:
        return "'edgewright finish' accepted it on this machine."
    if passed:
        return f"It is the first in the package's order that can run here; passed over: {_names(passed)}."
    return "It is the first in the package's order."


def _names(passed: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    return ", ".join(name for name, _ in passed)


def _say_fallback(info: EngineInfo, *, strict: bool) -> None:
    if info.passed_over:
        reasons = " ".join(dict.fromkeys(reason for _, reason in info.passed_over))
        warnings.warn(f"Running '{info.name}' instead: {reasons}", EngineFallbackWarning, stacklevel=4)
    if info.foreign_nodes:
        total = sum(info.nodes.values())
        message = f"{info.provider} took {total - info.foreign_nodes} of {total} graph nodes of '{info.name}'."
        if strict:
            raise EngineUnavailableError(message, hint="Allow a partial assignment by leaving out strict.")
        warnings.warn(f"{message} The rest runs on another provider.", EngineFallbackWarning, stacklevel=4)
