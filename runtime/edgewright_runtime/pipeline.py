"""The declared steps of a package at work: one sample through them, several at once, or an answer in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import PackageError, SampleError
from edgewright_runtime.samples import ARRAYS_INPUT, named_values
from edgewright_runtime.steps import make_step, step_kind
from edgewright_runtime.steps.call import CallOptions
from edgewright_runtime.steps.protocols import BatchStep, GraphStep, StreamingStep
from edgewright_runtime.steps.values import MissingValueError, Values
from edgewright_targets.errors import first_few, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.manifest import StepSpec
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.protocols import Step, TextStream

# What a step raises that is given other values than it was made for: names that a manifest does not give, and shapes
# and ranges, which a graph decides.
_MISFITS = (MissingValueError, IndexError, ValueError, ArithmeticError)
# What it raises where types are others: a bug, unless somebody changed the manifest.
_BUGS = (KeyError, TypeError, AttributeError)
_FROM_STEPS = (*_MISFITS, *_BUGS)
_WORDS_LIMIT = 200
# An option of every call: how many labels; of a generator, from how many tokens one is drawn.
_TOP_K = "top_k"
# The ground truth that a file of samples may have beside its inputs.
_LABEL = "label"


class Pipeline:
    """The steps of a package around an active engine.

    Attributes:
        steps: In their order.
        options: Names of what a call may say.
    """

    def __init__(self, package: Package, engine: Engine) -> None:
        self._package = package
        self._engine = engine
        self._spec = package.manifest.pipeline
        self._output = "outputs" if self._spec.output == "*" else self._spec.output
        self.steps = self.made(self._spec.steps)
        by_kind = (name for spec in self._spec.steps for name in step_kind(spec.step).call_options)
        by_manifest = (name for step in self.steps for name in getattr(step, "options", ()))
        self.options = frozenset({_TOP_K, *by_kind, *by_manifest})
        self._taken = self._array_names()

    def made(self, specs: Sequence[StepSpec]) -> list[Step]:
        """Steps over the same package and engine."""
        return [make_step(spec, self._package, self._engine) for spec in specs]

    def _array_names(self) -> frozenset[str] | None:
        """The arrays that a sample may have; None where it is not named arrays, or steps read more than the graph."""
        if self._spec.input != ARRAYS_INPUT or not all(step_kind(spec.step).any_arrays for spec in self._spec.steps):
            return None
        return frozenset(name for step in self.steps if isinstance(step, GraphStep) for name in step.wired.values())

    @property
    def streams(self) -> bool:
        """Whether a step can give its part in pieces."""
        return any(isinstance(step, StreamingStep) for step in self.steps)

    def run(self, sample: Any, options: dict[str, object]) -> Values:
        """All named values of one sample."""
        return self.run_steps(self.steps, self.values(sample, options))

    def answer(self, values: Mapping[str, object]) -> Any:
        """What a person wants, out of the values of a sample."""
        try:
            return values[self._output]
        except MissingValueError as error:
            self._refuse_misfit(error)
            raise

    def part(self, name: str, value: Any) -> Any:
        """What one input alone gives; see `Model.embed`."""
        parts = self._spec.parts
        if name not in parts:
            given = f"models for {self._package.manifest.task} have no separate vector of '{name}'"
            raise SampleError(f"{given[0].upper()}{given[1:]}.", hint=nearest(name, parts) if parts else "Call it.")
        values = Values({name: value})
        try:
            steps = [self.steps[index] for index in parts[name].steps]
            return self.run_steps(steps, values)[parts[name].output]
        except _FROM_STEPS as error:
            self._refuse_misfit(error)
            raise

    def stream(self, sample: Any, options: dict[str, object]) -> TextStream:
        """The answer piece by piece; see `Model.stream`."""
        for index, step in enumerate(self.steps):
            if isinstance(step, StreamingStep):
                return step.stream(self.run_steps(self.steps[:index], self.values(sample, options)))
        raise SampleError(f"Models for {self._package.manifest.task} do not stream. Call the model instead.")

    @property
    def one_by_one(self) -> str:
        """Why several samples of a call go through the graph one by one, as a sentence; empty where they do not.

        Even where they can go together, only those do that come to the same shapes.
        """
        if self._spec.input == ARRAYS_INPUT:
            return "Of named arrays nobody said that their first axis is that of samples."
        steps = [step for step in self.steps if isinstance(step, BatchStep)]
        if not steps:
            return f"Models for {self._package.manifest.task} take one sample per call."
        return next(filter(None, (getattr(step, "one_by_one", "") for step in steps)), "")

    def in_batches(self, samples: Sequence[Any], size: Any, options: dict[str, object]) -> list[Any]:
        """The answers of samples, `size` of them at once; a step that cannot answers them one by one."""
        # Of named arrays nobody said that their first axis is that of samples.
        can = self._spec.input != ARRAYS_INPUT and any(isinstance(step, BatchStep) for step in self.steps)
        if not can or not isinstance(size, int) or size < 1:
            takes = "1 or more samples" if can else "one sample"
            raise SampleError(f"Models for {self._package.manifest.task} take {takes} per call, not {size}.")
        answers: list[Any] = []
        for start in range(0, len(samples), size):
            part = [self.values(sample, options) for sample in samples[start : start + size]]
            for step in self.steps:
                self._for_all(step, part)
            answers += map(self.answer, part)
        return answers

    def _for_all(self, step: Step, batch: list[Values]) -> None:
        if not isinstance(step, BatchStep):
            for values in batch:
                self.run_steps((step,), values)
            return
        try:
            made = step.many(batch)
        except _FROM_STEPS as error:
            self._refuse_misfit(error)
            raise
        for values, added in zip(batch, made, strict=True):
            values.update(added)

    def values(self, sample: Any, options: dict[str, Any]) -> Values:
        """The named values that the first step finds, with the options of the call.

        Raises:
            SampleError: The sample is not what the model takes, or an option.
        """
        values = Values(named_values(sample, self._spec.input))
        if self._taken is not None and not self._taken.issuperset(values):
            self._refuse_unknown(values)
        if options and not self.options.issuperset(options):
            unknown = next(name for name in options if name not in self.options)
            raise SampleError(f"This model has no option '{unknown}'.", hint=nearest(unknown, self.options))
        values.call = CallOptions(options.get(_TOP_K) or 1, options)
        return values

    def _refuse_unknown(self, values: Mapping[str, object]) -> None:
        """Raise if arrays are not inputs of the model: whoever gave them meant them to count."""
        taken = self._taken or frozenset()
        if unknown := [name for name in values if name not in taken and name != _LABEL]:
            raise SampleError(
                f"The model has no input {first_few([repr(name) for name in unknown])}; its inputs are "
                f"{first_few([repr(name) for name in sorted(taken)])}.",
                hint=nearest(unknown[0], sorted(taken)),
            )

    def run_steps(self, steps: Sequence[Step], values: Values) -> Values:
        """The values with all that these steps add, one after another."""
        try:
            for step in steps:
                values.update(step(values))
        except _FROM_STEPS as error:
            self._refuse_misfit(error)
            raise
        return values

    def _refuse_misfit(self, error: Exception) -> None:
        """Say what a step raised as an error of the package; a bug of a step in a package as it was sealed goes on.

        Steps find one another by the names in the manifest; only a manifest that was changed gets them wrong.
        """
        if isinstance(error, _BUGS) and self._package.is_as_sealed():
            return
        what = f"{type(error).__name__}: {error}"
        raise PackageError(
            f"'{self._package.root}': the steps of its pipeline do not fit together ({what[:_WORDS_LIMIT]}).",
            hint="Check the package with 'edgewright verify'. If the package is not damaged, this is a bug of "
            "Edgewright: please report it.",
        ) from error
