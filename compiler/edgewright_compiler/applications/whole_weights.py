"""The weights of a fusion in a build: fitted on calibration data of the whole, and written into its step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from edgewright_benchmarks.applications.bench_whole import answer_all
from edgewright_benchmarks.applications.fitted_weights import FittedWeights, fit_weights
from edgewright_benchmarks.applications.whole_data import read_whole_data
from edgewright_benchmarks.judging.evidence import data_facts
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.applications.whole_settings import WholeSettings
from edgewright_runtime.applications.application import Application, ApplicationPackage
from edgewright_runtime.applications.declaration import Flow
from edgewright_targets import InputError
from edgewright_targets.record import RecordError

# In the place of a table of weights, as of the number of a threshold.
_FOUND: Final = "found"
_METHOD: Final = "logistic"


def steps_to_fit(flow: Flow, path: Path, settings: WholeSettings) -> tuple[str, ...]:
    """The steps whose weights are to be fitted.

    Args:
        flow: The application.
        path: Its file.
        settings: Of the whole.

    Raises:
        RecordError: One runs for each of a list, has another method or weights by context, or there is
            no data for it, or data and nothing to fit.
    """
    found = tuple(name for name, step in flow.step.items() if step.options.get("weights") == _FOUND)
    if not found and settings.calibration is not None:
        raise RecordError(
            f"{path}: there is calibration data of the whole, and no step has weights to be fitted.",
            hint=f"Leave it out (--calibration, or [data]), or write options.weights = '{_FOUND}' into a fusion.",
            keys=("data", "calibration"),
        )
    for name in found:
        step, keys = flow.step[name], ("step", name, "options")
        begin = f"{path}: the weights of '{name}' are to be fitted"
        if step.do != "fuse" or step.each is not None:
            raise RecordError(f"{begin}, and it is not a fusion of single values.", keys=keys)
        if step.options.get("method", _METHOD) != _METHOD:
            hint = f"Leave out 'method': fitted weights are of the method '{_METHOD}'."
            raise RecordError(f"{begin}, which one method can do.", hint=hint, keys=keys)
        if "by_context" in step.options or "context" in step.input:
            raise RecordError(
                f"{begin}, and they would be by its 'context'.",
                hint="Leave out 'by_context' and the input 'context': fitted weights are the same for all samples.",
                keys=keys,
            )
        if settings.calibration is None:
            raise RecordError(
                f"{begin}, and there is no calibration data of the whole.",
                hint=f"Pass --calibration DATA: a table with a column for each input and for '{name}'.",
                keys=keys,
            )
    return found


def with_weights(flow: Flow, weights: Mapping[str, Mapping[str, float]]) -> Flow:
    """The flow with these weights of steps, by their names."""
    steps = {
        name: replace(flow.step[name], options={**flow.step[name].options, "weights": dict(table), "method": _METHOD})
        for name, table in weights.items()
    }
    return replace(flow, step={**flow.step, **steps})


def always_asking(package: ApplicationPackage) -> ApplicationPackage:
    """The application in which a step whose threshold is still to be found runs for all samples."""
    closed = {name: condition for name, condition in package.checked.conditions.items() if not condition.found}
    return replace(package, checked=replace(package.checked, conditions=closed))


def fit_steps(
    package: ApplicationPackage, steps: Sequence[str], settings: WholeSettings, progress: Progress
) -> tuple[FittedWeights, ...]:
    """The weights of all these steps; a step whose threshold is still to be found runs for all samples.

    Raises:
        InputError: The calibration data cannot be read, has no column of a step, or no class of one.
    """
    if not steps or settings.calibration is None:
        return ()
    data = read_whole_data(settings.calibration, package)
    package = always_asking(package)
    progress.note(f"Fitting weights on {data.name}")
    with Application(package, threads=settings.meter.threads) as application:
        found = answer_all(application, data.samples, progress)
    fitted = []
    for name in steps:
        if data.labels is None or name not in data.labels[0]:
            raise InputError(
                f"'{data.name}' has no column '{name}', and the weights of that step are to be fitted on it.",
                hint="The column holds the class of each sample.",
            )
        inputs = {key: found.values(value) for key, value in package.checked.flow.step[name].input.items()}
        whole = [index for index in range(len(data.samples)) if all(one[index] is not None for one in inputs.values())]
        if not whole:
            raise InputError(f"No sample of '{data.name}' has all inputs of '{name}', so its weights cannot be fitted.")
        labels: dict[str, list[Any]] = {key: [values[index] for index in whole] for key, values in inputs.items()}
        found_weights = fit_weights(name, labels, [str(data.labels[index][name]) for index in whole])
        fitted.append(replace(found_weights, data=data_facts(data)))
    return tuple(fitted)
