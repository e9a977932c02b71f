"""The engines that a search makes and measures: on calibration samples first, and where it counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgewright_benchmarks.accuracy import NO_DROP, Scoring
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.engine_result import Accuracy, EngineResult, Interval
from edgewright_benchmarks.judging.choice import Choice, choose
from edgewright_benchmarks.measuring.guide import Guide, guide_count
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_compiler.building.build_evidence import compare_measurements
from edgewright_compiler.building.made_engines import MadeEngines
from edgewright_compiler.building.measured_engines import measured_engines
from edgewright_compiler.building.stage import DataKey
from edgewright_compiler.building.target_readings import TargetReadings, read_target_readings
from edgewright_compiler.cache import digest_of
from edgewright_compiler.search.proposals import Screened
from edgewright_runtime.likeness import likeness_of
from edgewright_targets import Candidate
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_benchmarks.predictions import Prediction
    from edgewright_compiler.building.engine_maker import EngineMaker
    from edgewright_compiler.building.job import Job
    from edgewright_compiler.building.stage import Stages

# Enough rounds to tell a tenth, in a third of the time of the usual fifteen.
SCREEN_ROUNDS = 5
# Calibration samples that engines are seen on: as many as take the float engine these seconds, within these numbers.
_SCREEN_SECONDS = 4.0
_FEWEST, _MOST = 32, 256


class Tries:
    """Makes and measures engines, and knows what became of all of them.

    Args:
        job: The build; its target has all candidates that it names.
        stages: Run the stages.
        maker: Makes engines.
        made: Those that a plain build makes.
        first: Their measurement.

    Attributes:
        job: The same build; its target has every candidate that was tried, too.
        made: All engines that could be made, and why others could not.
        screened: Name of a candidate to what was seen of it on calibration samples.
        retimed: Name of an engine to its latency over the baseline's, where it was timed anew; see `confirm_winner`.
    """

    def __init__(self, job: Job, stages: Stages, maker: EngineMaker, made: MadeEngines, first: TargetReadings) -> None:
        self.job = job
        self.made = made
        self._measured = [first]
        self.screened: dict[str, Screened] = {}
        self.retimed: dict[str, Interval] = {}
        self._stages = stages
        self._maker = maker
        self._compared = [compare_measurements(job, made, [first])]
        self._seen: dict[str, EngineResult] = {}
        # Measurements on calibration samples.
        self._screens: list[TargetReadings] = []
        self._samples = self._screening_samples()

    def _screening_samples(self) -> Dataset:
        """Calibration samples that engines are seen on; follows from the first measurement alone."""
        assert self.job.calibration is not None, "a search has data that guides it"
        least = max(_FEWEST, guide_count(len(self.job.evaluation.samples)))
        latency = self.baseline.latency
        # Emulators are slow.
        count = least if latency is None else int(_SCREEN_SECONDS / latency.median)
        return self.job.calibration.part(min(max(count, least), _MOST))

    @property
    def baseline(self) -> EngineResult:
        """The float engine, as the first measurement has it."""
        name = self.job.engine_name(self.job.target.baseline)
        return next(engine for engine in self._compared[0].engines if engine.name == name)

    @property
    def timed(self) -> bool:
        """Whether speed is measured."""
        return self.baseline.latency is not None

    def make(self, candidate: Candidate, beside: str) -> None:
        """Make an engine that nothing here runs.

        Args:
            candidate: Which.
            beside: See `screen`.
        """
        self._add([candidate], beside)
        self._make([candidate])

    def screen(self, candidates: Sequence[Candidate], beside: str = "") -> dict[str, Screened | str]:
        """Make engines and see them on calibration samples; gives the reason in the place of one that failed.

        Args:
            candidates: Which; they were not screened before.
            beside: Name of the candidate that they stand behind in the order of preference; empty is the last.
        """
        rounds = min(SCREEN_ROUNDS, self.job.options.meter.rounds)
        self._add(candidates, beside)
        made = self._make(candidates)
        meter = dataclasses.replace(self.job.options.meter, rounds=rounds, loads=1, samples=None)
        # Whether the float model is right was judged on the samples that count.
        options = dataclasses.replace(self.job.options, meter=meter, accept_baseline=True)
        job = dataclasses.replace(self._trying(candidates), evaluation=self._samples, golden=None, options=options)
        found: dict[str, Screened | str] = {}
        running = [one for one in candidates if one.name not in self.made.failures]
        if running:
            readings = read_target_readings(measured_engines(self._stages, job, made, self._float(self._screens)))
            self._screens.append(readings)
            found = self._read(job, made, readings, running)
        return {one.name: found.get(one.name, self.made.failures.get(one.name, "")) for one in candidates}

    def _read(
        self, job: Job, made: MadeEngines, readings: TargetReadings, candidates: Sequence[Candidate]
    ) -> dict[str, Screened | str]:
        reference = readings.readings[job.engine_name(job.target.baseline)]
        scoring = Scoring(job.metric, job.evaluation.labels, reference.predictions)
        results = {engine.name: engine for engine in compare_measurements(job, made, [readings]).engines}
        found: dict[str, Screened | str] = {}
        for candidate in candidates:
            name = job.engine_name(candidate.name)
            one, result = readings.readings.get(name), results[name]
            if one is None or result.status == "failed":
                found[candidate.name] = " ".join(result.reasons)
                self._seen[name] = result
                continue
            drop = scoring.of(one.predictions).drop
            ratio = latency_ratio(one.seconds, reference.seconds) if one.rounds else None
            guide = self._difference(one.predictions, reference.predictions)
            self.screened[candidate.name] = found[candidate.name] = Screened(ratio=ratio, drop=drop, guide=guide)
            self._seen[name] = _unproven(result, len(job.evaluation.samples), drop, guide)
        return found

    def _difference(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> float:
        """The guide of an engine, on the samples on which a measurement reads it."""
        guide = self.job.guide_data or self._samples
        wanted = {id(sample) for sample in guide.samples}
        places = [index for index, sample in enumerate(self._samples.samples) if id(sample) in wanted]
        alike = likeness_of(self.made.exported.model.pipeline)
        measured = Guide(self.baseline.name, guide.samples, alike)
        return measured.difference([predictions[index] for index in places], [baseline[index] for index in places])

    def prove(self, candidates: Sequence[Candidate]) -> None:
        """Measure engines that were made on the samples that count."""
        names = {self.job.engine_name(one.name) for one in (self.job.baseline, *candidates)}
        engines = tuple(engine for engine in self.made.engines if engine.draft.name in names)
        made = dataclasses.replace(self.made, engines=engines, failures={})
        folder = measured_engines(self._stages, self._trying(candidates), made, self._float(self._measured))
        found = read_target_readings(folder)
        self._measured.append(found)
        self._compared.append(compare_measurements(self.job, made, [found]))

    def _float(self, measured: Sequence[TargetReadings]) -> dict[str, Readings]:
        """The float engine in the first of these measurements: in each one it is the same on the same samples."""
        name = self.baseline.name
        return {name: measured[0].readings[name]} if measured else {}

    @property
    def measured(self) -> list[TargetReadings]:
        """The measurements on the samples that count, the first one first.

        Engines that have no guide there, as one emulated engine alone has not, have that of the calibration samples.
        Those that were timed anew say so.
        """
        guides = {self.job.engine_name(name): one.guide for name, one in self.screened.items()}
        return [
            dataclasses.replace(
                found,
                readings={
                    name: dataclasses.replace(
                        one, guide=guides.get(name) if one.guide is None else one.guide, retimed=self.retimed.get(name)
                    )
                    for name, one in found.readings.items()
                },
            )
            for found in self._measured
        ]

    def choice(self, *supposed: EngineResult) -> Choice:
        """What would ship, if these engines were as they are supposed to be."""
        baseline, guides = self.baseline, {self.job.engine_name(name): one.guide for name, one in self.screened.items()}
        found = {engine.name: engine for engine in supposed}
        found |= {engine.name: engine for one in self._compared for engine in one.engines}
        found[baseline.name] = baseline
        # In the target's order, which decides where no speed was measured; what could not be made is not among them.
        names = (self.job.engine_name(one.name) for one in self.job.target.candidates)
        engines = [
            dataclasses.replace(
                found[name],
                guide=guides.get(name) if found[name].guide is None else found[name].guide,
                retimed=self.retimed.get(name),
            )
            for name in names
            if name in found
        ]
        measure = self._compared[0].measure
        return choose(engines, baseline.name, max_drop=self.job.options.max_drop, measure=measure)

    def proven(self, candidate: str) -> bool:
        """Whether the candidate was measured on the samples that count."""
        name = self.job.engine_name(candidate)
        return any(name in one.readings for one in self._measured)

    def could_win(self, candidate: str) -> bool:
        """Whether the candidate would ship if it lost nothing, from what was seen of it."""
        seen = self._seen[self.job.engine_name(candidate)]
        if seen.status == "failed":
            return False
        accuracy = self.baseline.accuracy
        assert accuracy is not None, "the baseline was measured"
        lossless = dataclasses.replace(seen, accuracy=Accuracy({}, NO_DROP, accuracy.samples, surest=1.0))
        if seen.latency is not None:
            # Of few rounds the interval is wide; the measurement that counts has more.
            value = seen.latency.ratio.value
            latency = dataclasses.replace(seen.latency, ratio=Interval(value, value, value))
            lossless = dataclasses.replace(lossless, latency=latency)
        return self.choice(lossless).chosen == seen.name

    def identity(self, candidate: str) -> str:
        """Names an engine and what it is measured on, in notes about it."""
        name = self.job.engine_name(candidate)
        engine = next((one for one in self.made.engines if one.draft.name == name), None)
        files = "" if engine is None else engine.digest()
        data = write_record([DataKey.of(self.job.evaluation), DataKey.of(self._samples)])
        return digest_of({"name": name, "files": files, "source": self.job.source_digest, "data": data})

    def unproven(self) -> tuple[EngineResult, ...]:
        """Engines that were seen on calibration samples alone, for the evidence."""
        return tuple(engine for name, engine in self._seen.items() if not self._has(name))

    def _has(self, name: str) -> bool:
        return any(name in one.readings for one in self._measured)

    def _add(self, candidates: Sequence[Candidate], beside: str) -> None:
        names = [one.name for one in self.job.target.candidates]
        new = [one for one in candidates if one.name not in names]
        at = names.index(beside) + 1 if beside in names else len(names)
        everything = [*self.job.target.candidates[:at], *new, *self.job.target.candidates[at:]]
        self.job = self.job.trying(everything)

    def _make(self, candidates: Sequence[Candidate]) -> MadeEngines:
        known = {engine.draft.name: engine for engine in self.made.engines}
        new = [one for one in candidates if self.job.engine_name(one.name) not in known]
        if new:
            made = self._maker.make(self.job.trying(new))
            self.made = dataclasses.replace(
                self.made,
                engines=(*self.made.engines, *made.engines),
                failures={**self.made.failures, **made.failures},
            )
        names = {self.job.engine_name(one.name) for one in (self.job.baseline, *candidates)}
        engines = tuple(engine for engine in self.made.engines if engine.draft.name in names)
        return dataclasses.replace(self.made, engines=engines, failures={})

    def _trying(self, candidates: Sequence[Candidate]) -> Job:
        others = [one for one in candidates if one.name != self.job.target.baseline]
        return self.job.trying([self.job.baseline, *others])


def _unproven(result: EngineResult, samples: int, drop: Interval, guide: float) -> EngineResult:
    """What the evidence says of an engine that was seen on calibration samples alone: nothing of its accuracy."""
    lost = f"{100 * drop.value:z.1f} percentage points"
    note = f"It was tried on {samples:,} calibration samples alone, where it lost {lost}."
    reasons = (*result.reasons, note)
    return dataclasses.replace(result, accuracy=None, otherwise=None, native=None, reasons=reasons, guide=guide)
