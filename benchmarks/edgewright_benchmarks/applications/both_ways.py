"""A cascade on all samples, with its larger model and without: each is asked once, and every threshold follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from edgewright_benchmarks.applications.found_threshold import BothWays, Cascade
from edgewright_benchmarks.progress import Progress
from edgewright_runtime.applications.application import Application
from edgewright_runtime.applications.checks import CheckedFlow
from edgewright_runtime.applications.running import Call, FlowRun, run_flow
from edgewright_runtime.applications.value_types import part_of
from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.values import NamedValues


class _Once:
    """Calls of steps that are made once for the same inputs, with the time that they took.

    Values are told apart by identity: a step whose inputs came out of the same call has the same inputs.
    """

    def __init__(self, calls: Mapping[str, Call]) -> None:
        self.calls = {name: self._once(name, call) for name, call in calls.items()}
        self.spent = 0.0
        self._made: dict[tuple[object, ...], tuple[Any, float, NamedValues]] = {}

    def _once(self, name: str, call: Call) -> Callable[[NamedValues], Any]:
        def called(values: NamedValues) -> Any:
            key = (name, *((one, id(values[one])) for one in values))
            if key not in self._made:
                start = time.perf_counter()
                made = call(values)
                # The inputs are kept: their identities must not be given to others.
                self._made[key] = (made, time.perf_counter() - start, values)
            self.spent += self._made[key][1]
            return self._made[key][0]

        return called


def ask_both_ways(
    application: Application, cascade: Cascade, samples: Sequence[Any], progress: Progress
) -> list[BothWays]:
    """Each sample with the step of a cascade and without it.

    Args:
        application: It; its condition that is to be found cannot be asked yet.
        cascade: Which step, and what is judged.
        samples: As `read_whole_data` gives them.
        progress: Told how far it is.
    """
    checked = application.package.checked
    low = cascade.condition.comparison in ("<", "<=")
    most, least = (float("inf"), float("-inf")) if low else (float("-inf"), float("inf"))
    always, never = (_with_constant(checked, cascade, constant) for constant in (most, least))
    # The first call loads the models.
    _run(application, always, _Once(application.calls), samples[0])
    found = []
    bar = progress.bar("asking both ways", len(samples))
    for sample in samples:
        once = _Once(application.calls)
        asked, asked_seconds = _run(application, always, once, sample)
        trusted, trusted_seconds = _run(application, never, once, sample)
        found.append(
            BothWays(
                _score(cascade, asked or trusted),
                None if asked is None else asked.values[cascade.value],
                None if trusted is None else trusted.values[cascade.value],
                asked_seconds,
                trusted_seconds,
            )
        )
        bar.update()
    bar.close()
    return found


def _with_constant(checked: CheckedFlow, cascade: Cascade, constant: float) -> CheckedFlow:
    condition = replace(cascade.condition, constant=constant, found=False)
    return replace(checked, conditions={**checked.conditions, cascade.step: condition})


def _run(application: Application, checked: CheckedFlow, once: _Once, sample: Any) -> tuple[FlowRun | None, float]:
    """The run of a sample, and the seconds of its steps; None where it failed."""
    once.spent = 0.0
    try:
        run = run_flow(checked, once.calls, application.inputs(sample), application.kept)
    except SampleError:
        return None, once.spent
    return run, once.spent


def _score(cascade: Cascade, run: FlowRun | None) -> float | None:
    if run is None:
        return None
    name, _, part = cascade.condition.value.partition(".")
    value = run.values[name]
    score: Any = part_of(value, part) if part else value
    return None if score is None else float(score)
