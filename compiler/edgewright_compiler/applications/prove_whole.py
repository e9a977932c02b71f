"""What a build finds out about a whole application: its evidence on data of the whole, and its golden samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from edgewright_benchmarks.applications.bench_whole import measure_application
from edgewright_benchmarks.applications.fitted_weights import FittedWeights
from edgewright_benchmarks.applications.whole_data import read_whole_data
from edgewright_benchmarks.applications.whole_result import WholeResult, found_here
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.applications.whole_engines import check_loss, measured_no_slower, set_engines
from edgewright_compiler.applications.whole_golden import GoldenWhole, make_golden
from edgewright_compiler.applications.whole_limit import check_peak, facts_for_limits, with_limit
from edgewright_compiler.applications.whole_settings import WholeSettings
from edgewright_compiler.applications.whole_threshold import set_threshold
from edgewright_compiler.applications.whole_weights import fit_steps, with_weights
from edgewright_runtime.applications.application import Application, ApplicationPackage, signatures
from edgewright_runtime.applications.checks import CheckedFlow, check_flow
from edgewright_runtime.applications.memory_limit import MemoryFacts

NO_GOLDEN = GoldenWhole((), None, 0, 0)


@dataclass(frozen=True)
class ProvenWhole:
    """What is known of the whole.

    Attributes:
        result: Its measurement; None without evaluation data.
        golden: Its golden samples.
        checked: Its steps, with the threshold that was found.
        memory: What is known of the memory that it takes, for limits; None where nothing is.
        on_float: Models that run in float, as the whole cannot afford their own engines.
    """

    result: WholeResult | None
    golden: GoldenWhole
    checked: CheckedFlow
    memory: MemoryFacts | None = None
    on_float: tuple[str, ...] = ()


def prove_whole(
    package: ApplicationPackage, settings: WholeSettings, progress: Progress, to_fit: Sequence[str] = ()
) -> ProvenWhole:
    """Fit weights, find a threshold and measure the whole, where there is data for it; make its golden samples.

    Args:
        package: The application, in the making.
        to_fit: Steps whose weights are to be fitted.
        settings: Its data, and how it is measured.
        progress: Hears of the steps of the work.

    Raises:
        InputError: The data cannot be read, the application fails on all of it, or there is nothing in it that judges
            the threshold.
        MemoryLimitError: A limit of memory is below what one model needs.
    """
    result, first = None, None
    package = with_limit(package, settings.max_memory, progress)
    package, fitted = _fitted(package, to_fit, settings, progress)
    if settings.evaluation is not None:
        first = read_whole_data(settings.evaluation, package, most=settings.meter.samples)
        package, chosen = set_engines(package, first, settings, progress)
        # Thresholds and weights are of the scores of the engines that ship, so they are found anew where those change.
        measure = partial(_found_and_measured, first, to_fit, fitted, settings, progress)
        package, result = measured_no_slower(package, chosen, measure)
        result = replace(result, warnings=(*found_here(result, result.data), *result.warnings))
        check_loss(result, settings.max_drop)
        check_peak(package, result)
    elif settings.max_memory is not None:
        progress.note("The peak of memory was not measured: there is no evaluation data of the whole.")
    memory = facts_for_limits(package, result)
    if settings.golden is not None:
        first = read_whole_data(settings.golden, package)
    if first is None or not settings.golden_samples:
        return ProvenWhole(result, NO_GOLDEN, package.checked, memory, package.on_float)
    progress.note(f"Golden samples of the whole from {first.name}")
    golden = make_golden(package, first.samples)
    return ProvenWhole(result, golden, package.checked, memory, package.on_float)


def _fitted(
    package: ApplicationPackage, to_fit: Sequence[str], settings: WholeSettings, progress: Progress
) -> tuple[ApplicationPackage, tuple[FittedWeights, ...]]:
    fitted = fit_steps(package, to_fit, settings, progress)
    if not fitted:
        return package, ()
    flow = with_weights(package.checked.flow, {one.step: one.weights for one in fitted})
    return replace(package, checked=check_flow(flow, signatures(package.models), str(package.root))), fitted


def _found_and_measured(
    data: Dataset,
    to_fit: Sequence[str],
    fitted: tuple[FittedWeights, ...],
    settings: WholeSettings,
    progress: Progress,
    package: ApplicationPackage,
) -> tuple[ApplicationPackage, WholeResult]:
    """The application with what is found for its engines, and its measurement; `fitted` is of the models' own engines.

    Its threshold is still to be found.
    """
    if package.on_float:
        package, fitted = _fitted(package, to_fit, settings, progress)
    flow, threshold = set_threshold(package, data, settings, progress)
    if threshold is not None:
        checked = check_flow(flow, signatures(package.models), str(package.root))
        package = replace(package, checked=checked)
    progress.note(f"Measuring the whole on {data.name}")
    with Application(package, threads=settings.meter.threads) as application:
        result = measure_application(
            application, data, settings.meter, progress, settings.confidence, max_drop=settings.max_drop
        )
    return package, replace(result, thresholds=() if threshold is None else (threshold,), fitted=fitted)
