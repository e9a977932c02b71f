"""A build before it begins: what was asked, and everything that it needs to know."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgewright_benchmarks.accuracy import Metric
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.devices.engine_worker import Place
from edgewright_benchmarks.judging.evidence import data_facts
from edgewright_benchmarks.measuring.guide import guide_count
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.result import OwnCode, Setting
from edgewright_benchmarks.statistics.bounds import apart, asked_confidence, lower
from edgewright_benchmarks.statistics.intervals import confidence_of_drop, least_bound, least_samples
from edgewright_benchmarks.tasks import find_task
from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.build_options import BuildOptions
from edgewright_compiler.building.search_bound import SearchBound
from edgewright_compiler.building.settings_in_force import settings_in_force
from edgewright_compiler.building.stage import REVISIONS, DataKey
from edgewright_compiler.cache import digest_of
from edgewright_compiler.reach.execution_modes import ExecutionMode, places
from edgewright_compiler.sources import Source
from edgewright_runtime.providers import PLUGINS
from edgewright_targets import (
    RUNGS,
    Candidate,
    HostFacts,
    Rung,
    Target,
    __version__,
    host_facts,
)
from edgewright_targets.record import write_record

__all__ = ["GOLDEN_SAMPLES", "RUN_TOOLS", "BuildOptions", "Job"]

# Samples that travel in a package with their float answers.
GOLDEN_SAMPLES = 8
# What answers depend on, beside the graph itself.
RUN_TOOLS = ("onnxruntime", *PLUGINS, "tokenizers", "pillow", "numpy")


@dataclass(frozen=True, kw_only=True)
class _JobKey:
    revisions: dict[str, int]
    edgewright: str
    kind: str
    name: str
    source: str
    target: Target
    calibration: DataKey | None
    data: DataKey
    labelled: bool
    max_drop: float
    confidence: float
    accept_baseline: bool
    threads: int
    meter: MeterSettings
    machine: HostFacts
    emulators: dict[str, dict[str, str]]
    golden_samples: bool
    golden: DataKey | None
    tools: dict[str, str]
    search: SearchBound | None
    listed: tuple[Candidate, ...]
    own_code: tuple[OwnCode, ...]
    settings: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A checked build.

    Attributes:
        source: What is built.
        source_digest: Digest of everything its export depends on.
        target: For what.
        options: As asked.
        calibration: Data for ranges, or None.
        evaluation: Samples that the candidates are compared on; without evaluation data, those of the calibration.
        threads: Threads of an engine whose candidate says nothing of them.
        modes: Execution mode of each candidate on this machine.
        places: Candidate to where its engine is answered; see `placed`.
        golden: Samples that may be given away, or None: then those it is measured on travel in the package.
        listed: Candidates of the target whose settings the device decides between, where nothing is timed; empty where
            engines are.
        split: That one data set was split for a search, as a sentence; empty where it was not.
    """

    source: Source
    source_digest: str
    target: Target
    options: BuildOptions
    calibration: Dataset | None
    evaluation: Dataset
    threads: int
    modes: dict[str, ExecutionMode]
    places: Mapping[str, Place] = field(default_factory=dict)
    golden: Dataset | None = None
    split: str = ""
    listed: tuple[Candidate, ...] = ()

    def placed(self, progress: Progress) -> Job:
        """The job with emulators made ready, where it takes any: what answers there depend on is part of its key.

        Raises:
            EdgewrightError: One could not be fetched, or does not run.
        """
        return dataclasses.replace(self, places=places(self.target, progress))

    def place(self, engine: str) -> Place:
        """Where this engine runs; the job is placed."""
        return self.places[engine.removeprefix(f"{self.target.name}-")]

    def emulator_facts(self) -> dict[str, dict[str, str]]:
        """What answers depend on that do not come from this machine itself, by candidate."""
        return {name: dict(place.facts) for name, place in self.places.items() if place.facts}

    def trying(self, candidates: Sequence[Candidate]) -> Job:
        """The same build with these candidates; they run where those of the same provider and kind of engine do."""

        def like(candidate: Candidate) -> str:
            if candidate.name in self.modes:
                return candidate.name
            wanted = (candidate.provider, candidate.engine)
            return next(one.name for one in self.target.candidates if (one.provider, one.engine) == wanted)

        models = {candidate.name: like(candidate) for candidate in candidates}
        return dataclasses.replace(
            self,
            target=dataclasses.replace(self.target, candidates=tuple(candidates)),
            modes={name: self.modes[model] for name, model in models.items()},
            places={name: self.places[model] for name, model in models.items() if model in self.places},
        )

    def key(self) -> str:
        """Digest of all that decides the package."""
        key = _JobKey(
            revisions=REVISIONS,
            edgewright=__version__,
            kind=self.source.kind,
            name=self.source.name,
            source=self.source_digest,
            target=self.target,
            calibration=DataKey.of(self.calibration) if self.calibration else None,
            data=DataKey.of(self.evaluation),
            labelled=self.evaluation.labels is not None,
            max_drop=self.options.max_drop,
            confidence=self.options.confidence,
            accept_baseline=self.options.accept_baseline,
            threads=self.threads,
            meter=self.options.meter,
            machine=host_facts(),
            emulators=self.emulator_facts(),
            golden_samples=self.options.golden_samples,
            golden=DataKey.of(self.golden) if self.golden else None,
            tools=installed_versions((*self.source.tools, *RUN_TOOLS)),
            search=self.options.search,
            listed=self.listed,
            own_code=self.options.own.facts(),
            # Not by whom they were said: a build file that says the same is the same build.
            settings={setting.name: setting.value for setting in self.settings_in_force()},
        )
        return digest_of(write_record(key))

    def settings_in_force(self) -> tuple[Setting, ...]:
        """All settings, defaults too, as the evidence has them."""
        found = {"source": self.source.name, "task": self.source.task}
        return settings_in_force(self.options, found)

    def threads_of(self, candidate: Candidate) -> int:
        """Threads of a candidate's engine."""
        return candidate.threads or self.threads

    @property
    def device_threads(self) -> int:
        """Threads that an engine is told to use; 0, one for each core of the device, where nothing says how many."""
        known = self.options.meter.threads or self.target.cores or self.target.matches_machine()
        return self.threads if known else 0

    @property
    def rung(self) -> Rung:
        """The best rung that one of its engines can reach from here."""
        rungs = {mode.rung for mode in self.modes.values()}
        return next(rung for rung in RUNGS if rung in rungs)

    def too_few(self) -> str:
        """That no loss within the budget can be shown with so few samples, as a sentence; empty where it can."""
        samples, budget, sure = len(self.evaluation.samples), self.options.max_drop, self.options.confidence
        # However many words or boxes a sample holds: whatever is scored, a sample unlike all others can lose the whole.
        least = least_bound(samples, confidence=sure)
        if least <= budget:
            return ""
        shown = apart(100 * least, 100 * budget, 1, lower)
        needed, enough = "", asked_confidence(confidence_of_drop(0, 0, samples, budget))
        if budget:
            other = f", or --confidence {enough}" if enough else ""
            needed = f" At least {least_samples(budget, confidence=sure):,} samples are needed{other}."
        return (
            f"{samples:,} samples cannot show a drop below {shown} percentage points with {100 * sure:g} % "
            f"confidence, but the budget is {100 * budget:.1f}: only an engine that is better than float could be "
            f"chosen.{needed}"
        )

    @property
    def metric(self) -> Metric[Any]:
        """What the engines are judged by: of the task, or what was asked for."""
        return find_task(self.source.task, self.options.own).metric(labelled=self.evaluation.labels is not None)

    @property
    def guide_data(self) -> Dataset | None:
        """Calibration samples that order the engines before they are tested; None where they would decide as well."""
        if self.calibration is None or data_facts(self.calibration).same_data(data_facts(self.evaluation)):
            return None
        return self.calibration.part(guide_count(len(self.evaluation.samples)))

    @property
    def engine_modes(self) -> dict[str, ExecutionMode]:
        """Execution mode of each engine, by its name."""
        return {self.engine_name(name): mode for name, mode in self.modes.items()}

    @property
    def baseline(self) -> Candidate:
        """The candidate that everything is compared with."""
        return next(candidate for candidate in self.target.candidates if candidate.name == self.target.baseline)

    @property
    def inputs(self) -> Dataset:
        """Real inputs for the check of the export and for calibration."""
        return self.calibration or self.evaluation

    def engine_name(self, candidate: str) -> str:
        """Name of a candidate's engine in packages."""
        return f"{self.target.name}-{candidate}"
