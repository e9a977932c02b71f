"""Two packages side by side in one run: their engines take turns on the same samples.

from edgewright_benchmarks.gate.rerun import compare_packages

compare_packages("old.ortpackage", "new.ortpackage", "test.csv", "latency.p50 > +5%").verdict
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edgewright_benchmarks.bench import read_samples, running_engine
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.gate.change import Pairing
from edgewright_benchmarks.gate.changes import figure_change
from edgewright_benchmarks.gate.comparison import GateResult, Side, verdict_of
from edgewright_benchmarks.gate.decided import changes_of, judged_rules
from edgewright_benchmarks.gate.figures import (
    FIGURES,
    Figure,
    known_figures,
    metric_figure,
    scenario_figure,
    text_figure,
)
from edgewright_benchmarks.gate.loaded import bench_options
from edgewright_benchmarks.gate.rules import Rule, parse_rules
from edgewright_benchmarks.gate.unlike import UnlikeFact
from edgewright_benchmarks.judging.evidence import EngineFacts, compare_engines, latency_of, now
from edgewright_benchmarks.measuring.meter import read_engines
from edgewright_benchmarks.measuring.meter_settings import COLD_STARTS, MeterSettings, looks
from edgewright_benchmarks.measuring.readings import PackagedEngine, Readings
from edgewright_benchmarks.measuring.text_speed import prompt_lengths
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_benchmarks.statistics.intervals import starved_baseline
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime import EngineInfo, Package
from edgewright_targets import CheckFailedError, InputError, host_facts
from edgewright_targets.errors import first_few

# Names of the sides among readings.
_BASE: Final = "base"
_NEW: Final = "new"


@dataclass(frozen=True)
class _Opened:
    """A package with the engine that runs here, and how it was named."""

    package: Package
    info: EngineInfo
    source: str

    def facts(self, name: str) -> EngineFacts:
        """Of the engine under the name of its side: two packages may call theirs the same."""
        spec = self.package.manifest.engines[self.info.name]
        size = sum(path.stat().st_size for path in self.package.engine_files(spec.name))
        return EngineFacts(spec=replace(spec, name=name), size_bytes=size)

    def side(self) -> Side:
        """What a comparison says of it."""
        return Side(
            source=self.source,
            model=self.package.manifest.name,
            engine=self.info.name,
            precision=self.package.manifest.engines[self.info.name].precision,
            processor=host_facts().cpu,
            created=now(),
        )


def compare_packages(
    base: str | Path,
    new: str | Path,
    data: str | Path,
    rules: str | Sequence[str] = (),
    *,
    settings: MeterSettings | None = None,
    confidence: float = CONFIDENCE,
    progress: Progress | None = None,
) -> GateResult:
    """Measure the engines that run here of two packages in alternating rounds, paired by sample for accuracy.

    After `settings.rounds` rounds the rules on times are judged. Where one is undecided, their number is doubled, up to
    `settings.most_rounds`. Each look may fail by chance, so intervals of times have the confidence that all looks
    together need (Bonferroni).

    Args:
        base: Package to compare with, a folder or an archive.
        new: Package to compare.
        data: Labelled samples for accuracy; without labels it is agreement with the base.
        rules: See `edgewright_benchmarks.gate.rules`.
        settings: How to measure.
        confidence: Of all intervals of one figure together.
        progress: Told how far it is.

    Raises:
        InputError: The packages are not of one kind, a rule cannot be read, or the base cannot run here.
        CheckFailedError: The new package cannot run here, or not on all samples.
    """
    settings, progress = settings or MeterSettings(), progress or Quiet()
    packages = Package.open(base), Package.open(new)
    _check_alike(*packages)
    samples = read_samples(packages[0], data, settings)
    # Before anything is measured: a rule that cannot be read costs no time.
    asked = _rules(rules, _possible_figures(packages[0], samples))
    _check_no_scenario(asked)
    if any(rule.figure.name == "cold_start" for rule in asked):
        settings = replace(settings, cold_starts=settings.cold_starts or COLD_STARTS)
    if any(rule.figure.name == "energy" for rule in asked):
        settings = replace(settings, energy=True)
    if texts := [rule.figure.name for rule in asked if text_figure(rule.figure.name) is not None]:
        settings = replace(settings, prompt_lengths=_lengths(packages[0], texts))
    sides = {
        name: _Opened(package, running_engine(package, settings, samples), str(source))
        for name, package, source in zip((_BASE, _NEW), packages, (base, new), strict=True)
    }
    sure = 1 - (1 - confidence) / len(looks(settings))
    # Energy, and how fast texts come, are read when all rounds are over: no look has them.
    timed = [rule for rule in asked if rule.figure.of_calls]

    def enough(readings: Mapping[str, Readings]) -> bool:
        if any(found.failure for found in readings.values()):
            return True
        engines = _timed_engine(readings, _BASE, sure), _timed_engine(readings, _NEW, sure)
        pairing = Pairing(rounds=True, samples=True, confidence=sure)
        changes = {rule.figure.name: figure_change(rule.figure, *engines, pairing) for rule in timed}
        return all(rule.verdict != "undecided" for rule in judged_rules(timed, changes, engines))

    readings, _ = read_engines(
        packages[0].root,
        list(sides),
        samples.samples,
        settings,
        progress,
        packaged={name: PackagedEngine(side.package.root, side.info.name) for name, side in sides.items()},
        enough=enough,
    )
    _check_ran(readings, sides)
    compared = compare_engines(
        [side.facts(name) for name, side in sides.items()],
        readings,
        samples,
        task=find_task(packages[0].manifest.task),
        baseline=_BASE,
        # What the rules ask for is judged by themselves.
        max_drop=1.0,
        confidence=confidence,
        keep_scores=True,
    )
    engines = compared.engines[0], compared.engines[1]
    for engine in engines:
        if engine.status == "failed":
            raise CheckFailedError(f"The {engine.name} package failed: {' '.join(engine.reasons)}")
    assert engines[1].accuracy is not None, "it ran"
    pairing = Pairing(rounds=True, samples=True, drop=engines[1].accuracy.drop, confidence=sure)
    known = known_figures(engines)
    parsed = _rules(rules, known)
    changes = changes_of(known, engines, parsed, pairing)
    judged = judged_rules(parsed, changes, engines)
    return GateResult(
        form="rerun",
        verdict=verdict_of(judged),
        base=sides[_BASE].side(),
        new=sides[_NEW].side(),
        measure=compared.measure,
        confidence=sure,
        figures=tuple(changes.values()),
        rules=judged,
        unlike=(),
        differing=_differing(sides),
        warnings=(*_starved(readings), *compared.warnings),
        rounds=len(readings[_BASE].rounds),
        samples=len(samples.samples),
    )


def _rules(rules: str | Sequence[str], known: Mapping[str, Figure]) -> tuple[Rule, ...]:
    return parse_rules(rules, known) if rules else ()


def _possible_figures(package: Package, samples: Dataset) -> dict[str, Figure]:
    """All figures that the packages may have on this data."""
    metric = find_task(package.manifest.task).metric(labelled=samples.labels is not None)
    return {**FIGURES, **{name: metric_figure(name) for name in metric.names}}


def _lengths(package: Package, names: Sequence[str]) -> tuple[int, ...]:
    """Tokens of the prompts that these figures are about."""
    try:
        return prompt_lengths(package.manifest, tuple(int(name.partition(".")[2]) for name in names))
    except InputError as error:
        reason = error.message.removeprefix("--prompt-lengths: ")
        raise InputError(f"Rules name {first_few(names)}, which cannot be timed: {reason}") from error


def _check_no_scenario(rules: Sequence[Rule]) -> None:
    named = [rule.figure.name for rule in rules if scenario_figure(rule.figure.name) is not None]
    if named:
        raise InputError(
            f"--rerun runs no scenarios, and rules name {first_few(named)}.",
            hint="Measure both packages with 'edgewright bench PACKAGE --data DATA "
            f"{bench_options(named, None)} -o FILE', and compare the two results without --rerun.",
        )


def _check_alike(base: Package, new: Package) -> None:
    facts: dict[str, list[object]] = {
        "task": [package.manifest.task for package in (base, new)],
        "input": [package.manifest.pipeline.input for package in (base, new)],
        "number of labels": [len(package.manifest.labels) for package in (base, new)],
        "labels": [list(package.manifest.labels) for package in (base, new)],
    }
    for fact, (one, other) in facts.items():
        if one != other:
            shown = "" if fact == "labels" else f": {one!r} and {other!r}"
            raise InputError(
                f"The packages cannot be compared: they have another {fact}{shown}.",
                hint="Compare packages of one model, built from other checkpoints, data or versions.",
            )


def _timed_engine(readings: Mapping[str, Readings], name: str, confidence: float) -> EngineResult:
    """An engine with its times alone: what is looked at between rounds."""
    latency = latency_of(readings[name], readings[_BASE], confidence)
    return EngineResult(
        name=name, target="", provider="", precision="", rung="measured", status="accepted", latency=latency
    )


def _check_ran(readings: Mapping[str, Readings], sides: Mapping[str, _Opened]) -> None:
    if failure := readings[_BASE].failure:
        raise InputError(f"The base package '{sides[_BASE].source}' failed, so nothing can be compared. {failure}")
    if failure := readings[_NEW].failure:
        raise CheckFailedError(f"The new package '{sides[_NEW].source}' failed. {failure}")


def _starved(readings: Mapping[str, Readings]) -> tuple[str, ...]:
    """That other programs took the processor from one side more than from the other."""
    busy = readings[_BASE].busy, readings[_NEW].busy
    found = starved_baseline(busy[1], busy[0]) or starved_baseline(busy[0], busy[1])
    if not found:
        return ()
    sentence = (
        f"Other programs used the processor: the base computed for {busy[0]:.0%} of its time, the new package for "
        f"{busy[1]:.0%}. An engine that waits for several threads at once loses more by that. Close other programs."
    )
    return (sentence,)


def _differing(sides: Mapping[str, _Opened]) -> tuple[UnlikeFact, ...]:
    base, new = sides[_BASE], sides[_NEW]
    facts = {
        "model": (base.package.manifest.name, new.package.manifest.name),
        "engine": (base.info.name, new.info.name),
        "threads of an engine": (str(base.info.threads), str(new.info.threads)),
    }
    return tuple(UnlikeFact(name, one, other) for name, (one, other) in facts.items() if one != other)
