"""The engines of an application in a build: those of the models' own builds, as far as the whole can afford them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edgewright_benchmarks.applications.chosen_engines import ChosenEngines
from edgewright_benchmarks.applications.joint_engines import WholeBudget, choose_together
from edgewright_benchmarks.applications.whole_result import WholeResult
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.bounds import span
from edgewright_compiler.applications.whole_settings import WholeSettings
from edgewright_compiler.applications.whole_weights import always_asking
from edgewright_runtime.applications.application import ApplicationPackage
from edgewright_runtime.errors import MemoryLimitError
from edgewright_targets import InputError

# Finds the threshold and the weights of an application for its engines, and measures it with them.
Measure = Callable[[ApplicationPackage], tuple[ApplicationPackage, WholeResult]]


def set_engines(
    package: ApplicationPackage, data: Dataset, settings: WholeSettings, progress: Progress
) -> tuple[ApplicationPackage, ChosenEngines | None]:
    """The application in which models that the whole cannot afford run in float, and the evidence of it.

    Args:
        package: The application, in the making.
        data: Labelled data of the whole.
        settings: The budget.
        progress: Hears of the steps of the work.

    Raises:
        InputError: The application fails on all samples.
    """
    progress.note(f"Comparing the engines of all models with float on {data.name}")
    budget = WholeBudget(max_drop=settings.max_drop, confidence=settings.confidence, threads=settings.meter.threads)
    with machine_to_itself(progress):
        chosen = choose_together(always_asking(package), data, budget, progress)
    on_float = () if chosen is None else chosen.on_float
    return replace(package, on_float=on_float), chosen


def measured_no_slower(
    unfound: ApplicationPackage, chosen: ChosenEngines | None, measure: Measure
) -> tuple[ApplicationPackage, WholeResult]:
    """What ships, and its measurement: the chosen engines, or float where they are not shown to be no slower.

    Args:
        unfound: The application with its engines; its threshold is still to be found.
        chosen: How they were chosen; None where nothing judges.
        measure: See `Measure`.

    Raises:
        MemoryLimitError: Float, which the budget asks for, does not fit into the limit of memory.
    """
    try:
        package, result = measure(unfound)
        floats = result.float_whole
        if floats is None or floats.ratio.high <= 1:
            return package, replace(result, chosen_engines=chosen)
        times = span(floats.ratio.low, floats.ratio.high, 1, 2)
        slower = (
            f"The chosen engines are not shown to be no slower than float: {times} times its latency. So all "
            "models run in float."
        )
        package, result = measure(replace(unfound, on_float=tuple(floats.engines)))
    except MemoryLimitError as error:
        why = "" if chosen is None or not chosen.on_float else f"{chosen.reason} "
        raise MemoryLimitError(f"{why}{error.message}", hint=error.hint) from error
    if chosen is not None:
        reason = f"{chosen.reason} {slower}" if not chosen.in_the_way else slower
        chosen = replace(chosen, on_float=package.on_float, reason=reason)
    return package, replace(result, chosen_engines=chosen, warnings=(*result.warnings, slower))


def check_loss(result: WholeResult, max_drop: float) -> None:
    """Raise where the whole, as it was measured last, lost more than its budget against float.

    Raises:
        InputError: It says how much, of what.
    """
    if result.float_whole is None or not result.values:
        return
    figures = result.values[0]
    drop = figures.accuracy.drop
    if drop.value > max_drop:
        raise InputError(
            f"The whole loses {100 * drop.value:.2f} percentage points of '{figures.value}' against the float engines "
            f"of its models, and {100 * max_drop:g} are allowed.",
            hint="Allow more with --max-drop, or build the models with a smaller budget of their own.",
        )
