"""The threshold of a cascade in a build: found on evaluation data, and written into the condition of its step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgewright_benchmarks.applications.both_ways import ask_both_ways
from edgewright_benchmarks.applications.found_threshold import Cascade, find_threshold
from edgewright_benchmarks.applications.threshold_result import FoundThreshold
from edgewright_benchmarks.applications.whole_data import judged_values
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.applications.whole_settings import WholeSettings
from edgewright_runtime.applications.application import Application, ApplicationPackage
from edgewright_runtime.applications.conditions import Condition, read_condition
from edgewright_runtime.applications.declaration import Flow, FlowStep
from edgewright_targets.record import RecordError


def cascade_of(flow: Flow, where: str, *, data: bool) -> tuple[str, Condition] | None:
    """The step whose threshold is to be found, and its condition; None where there is none.

    Args:
        flow: The application.
        where: What messages begin with.
        data: Whether there is evaluation data.

    Raises:
        RecordError: There are several, it runs for each of a list, or there is no data to find it on.
    """
    found = [
        (name, condition)
        for name, step in flow.step.items()
        if step.when is not None and (condition := read_condition(step.when)).found
    ]
    if not found:
        return None
    name, condition = found[-1]
    keys = ("step", name, "when")
    if len(found) > 1:
        raise RecordError(
            f"{where}: the thresholds of '{found[0][0]}' and '{name}' are both to be found.",
            hint="One can be found at a time. Write a number into the other condition.",
            keys=keys,
        )
    if flow.step[name].each is not None:
        raise RecordError(
            f"{where}: the threshold of '{name}' cannot be found, because the step runs for each value of a list.",
            hint="Write a number into its condition.",
            keys=keys,
        )
    if not data:
        raise RecordError(
            f"{where}: the threshold of '{name}' is to be found, and there is no evaluation data.",
            hint="Pass --evaluation DATA: a table with a column for each input and for the answer.",
            keys=keys,
        )
    return name, condition


def set_threshold(
    package: ApplicationPackage, data: Dataset, settings: WholeSettings, progress: Progress
) -> tuple[Flow, FoundThreshold | None]:
    """The flow with the threshold that was found, and its evidence; as it is where there is nothing to find.

    Raises:
        RecordError: The data has no ground truth of a value that the step decides.
    """
    flow, where = package.checked.flow, str(package.root)
    found = cascade_of(flow, where, data=True)
    if found is None:
        return flow, None
    name, condition = found
    behind = _behind(flow, name)
    known = data.labels[0] if data.labels is not None else {}
    metrics = {value: metric for value, metric in judged_values(package).items() if value in known and value in behind}
    if not metrics:
        raise RecordError(
            f"{where}: the threshold of '{name}' is to be found, and {data.name} has no ground truth of a value that "
            "comes of the step.",
            hint=f"Add one of these columns: {', '.join(one for one in flow.step if one in behind)}.",
            keys=("step", name, "when"),
        )
    value, metric = next(iter(metrics.items()))
    cascade = Cascade(
        step=name,
        declared=flow.step[name].when or "",
        condition=condition,
        value=value,
        metric=metric,
        max_drop=settings.max_drop,
        confidence=settings.confidence,
    )
    progress.note(f"Finding the threshold of '{name}' on {data.name}")
    with machine_to_itself(progress), Application(package, threads=settings.meter.threads) as application:
        both = ask_both_ways(application, cascade, data.samples, progress)
    threshold = find_threshold(cascade, both, [labels[value] for labels in data.labels or ()])
    step = replace(flow.step[name], when=threshold.when or None)
    return replace(flow, step={**flow.step, name: step}), threshold


def check_threshold(flow: Flow, path: Path, settings: WholeSettings) -> None:
    """Raise where a threshold cannot be found, before minutes of work; see `cascade_of`."""
    cascade_of(flow, str(path), data=settings.evaluation is not None)


def _behind(flow: Flow, name: str) -> set[str]:
    """The value of a step, and all that is made of it."""
    found = {name}
    while more := {one for one, step in flow.step.items() if one not in found and found & _sources(step)}:
        found |= more
    return found


def _sources(step: FlowStep) -> set[str]:
    """The values that a step takes, its condition too."""
    when: tuple[str, ...] = () if step.when is None else (read_condition(step.when).value,)
    return {reference.partition(".")[0] for reference in (*step.input.values(), *when, step.each or "")}
