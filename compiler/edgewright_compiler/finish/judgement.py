"""Engines compared with the golden samples and timed against the one that runs so far: what `finish` decides by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.judging.evidence import now
from edgewright_benchmarks.measuring.busy_programs import busy_words
from edgewright_benchmarks.measuring.meter import read_engines
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.bounds import span
from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_benchmarks.statistics.intervals import latency_ratio, starved_baseline
from edgewright_runtime.finished import Finished
from edgewright_runtime.gaps import beside_limit
from edgewright_runtime.likeness import likeness_of
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.package import Package
from edgewright_runtime.selftest import check_complete, check_tolerance, stored_samples
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_benchmarks.devices import Device


def judge(
    package: Package,
    engines: Sequence[EngineSpec],
    against: str,
    device: str,
    settings: MeterSettings,
    progress: Progress,
    confidence: float = CONFIDENCE,
    *,
    where: Device | None = None,
) -> tuple[list[Finished], dict[str, str]]:
    """Compare `engines` with the golden samples, and time them in alternating rounds against the one that runs now.

    Args:
        package: The package, whole.
        engines: Those that wait.
        against: The engine that runs here as long as nothing is finished.
        device: What they run on, for people.
        settings: How to time.
        progress: Told how far it is.
        confidence: Of the interval of the latency ratio.
        where: They run; by default here.

    Returns:
        What was found of those that ran, in order, and why the others did not, by name.

    Raises:
        InputError: The engine that ran so far cannot.
    """
    if not engines:
        return [], {}
    golden, alike = stored_samples(package), likeness_of(package.manifest.pipeline)
    check_complete(golden, str(package.root))
    for spec in engines:
        check_tolerance(spec, golden, alike)
    names = [against, *(spec.name for spec in engines)]
    readings, _ = read_engines(package.root, names, [one.sample for one in golden], settings, progress, where)
    if readings[against].failure is not None:
        raise InputError(f"The engine '{against}' cannot run here: {readings[against].failure}")
    unable = {spec.name: readings[spec.name].failure or "" for spec in engines if readings[spec.name].failure}
    made = []
    for spec in engines:
        if spec.name not in unable:
            outputs = [prediction.outputs for prediction in readings[spec.name].predictions]
            pairs = list(zip(outputs, golden, strict=True))
            worst = max((alike.difference(outputs, one.outputs) for outputs, one in pairs), default=float("inf"))
            # A low precision has a wide tolerance: a classifier must give the same answers as well.
            if not all(alike.same_choice(outputs, one.outputs) for outputs, one in pairs):
                worst = float("inf")
            odd = next((place for outputs, one in pairs if (place := alike.odd_place(outputs, one.outputs))), "")
            ratio = latency_ratio(readings[spec.name].seconds, readings[against].seconds, confidence=confidence)
            made.append(_judged(spec, worst, ratio, readings[spec.name], (against, readings[against]), device, odd))
    return made, unable


def _judged(
    spec: EngineSpec,
    worst: float,
    ratio: Interval,
    found: Readings,
    against: tuple[str, Readings],
    device: str,
    odd: str,
) -> Finished:
    name, reference = against
    sure = f"{100 * ratio.confidence:g} % interval {span(ratio.low, ratio.high, 1, 2)}"
    times = f"{ratio.value:.2f} times the latency of {name} ({sure})"
    if found.beside:
        alone = latency_ratio(found.seconds_alone, reference.seconds_alone, confidence=ratio.confidence)
        times += f" beside {busy_words(found.beside)}, {alone.value:.2f} times without them"
    # A comparison with NaN is False, so both are written the way round that lets none through.
    alike, fast = worst <= spec.tolerance, ratio.high <= 1
    # Beside busy programs engines wait on purpose.
    starved = "" if found.beside else starved_baseline(found.busy, reference.busy)
    difference, limit = beside_limit(worst, spec.tolerance)
    agreement = (
        f"its outputs differ from float by {difference} on the golden samples ({limit} is allowed)"
        if worst < float("inf")
        else f"its predictions on the golden samples differ from those of float{f': {odd}' if odd else ''}"
    )
    if alike and fast and starved:
        reason = f"Refused: {starved}."
    elif alike and fast:
        reason = f"Accepted: it takes {times}, and {agreement}."
    elif alike:
        reason = f"Refused: not shown to be as fast. It takes {times}."
    else:
        reason = f"Refused: {agreement}."
    return Finished(
        engine=spec.name,
        accepted=alike and fast and not starved,
        reason=reason,
        difference=worst if worst < float("inf") else None,
        tolerance=spec.tolerance,
        ratio=ratio.value,
        ratio_low=ratio.low,
        ratio_high=ratio.high,
        gpu=device,
        created=now(),
        confidence=ratio.confidence,
        beside=found.beside,
    )
