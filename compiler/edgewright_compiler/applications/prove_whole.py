"""What a build finds out about a whole application: its evidence on data of the whole, and its golden samples."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.applications.bench_whole import measure_application
from edgewright_benchmarks.applications.whole_data import read_whole_data
from edgewright_benchmarks.applications.whole_result import WholeResult
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.applications.whole_golden import GoldenWhole, make_golden
from edgewright_compiler.applications.whole_settings import WholeSettings
from edgewright_runtime.applications.application import Application, ApplicationPackage

NO_GOLDEN = GoldenWhole((), None, 0, 0)


@dataclass(frozen=True)
class ProvenWhole:
    """What is known of the whole.

    Attributes:
        result: Its measurement; None without evaluation data.
        golden: Its golden samples.
    """

    result: WholeResult | None
    golden: GoldenWhole


def prove_whole(package: ApplicationPackage, settings: WholeSettings, progress: Progress) -> ProvenWhole:
    """Measure the whole where there is data for it, and make its golden samples.

    Args:
        package: The application, in the making.
        settings: Its data, and how it is measured.
        progress: Hears of the steps of the work.

    Raises:
        InputError: The data cannot be read, or the application fails on all of it.
    """
    result, first = None, None
    if settings.evaluation is not None:
        first = read_whole_data(settings.evaluation, package, most=settings.meter.samples)
        progress.note(f"Measuring the whole on {first.name}")
        with Application(package, threads=settings.meter.threads) as application:
            result = measure_application(application, first, settings.meter, progress, settings.confidence)
    if settings.golden is not None:
        first = read_whole_data(settings.golden, package)
    if first is None or not settings.golden_samples:
        return ProvenWhole(result, NO_GOLDEN)
    progress.note(f"Golden samples of the whole from {first.name}")
    return ProvenWhole(result, make_golden(package, first.samples))
