"""A build before it begins: what was asked, and everything that it needs to know."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.devices.engine_worker import Place
from edgewright_benchmarks.measuring.meter import MeterSettings
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.bounds import apart, lower
from edgewright_benchmarks.statistics.intervals import least_bound, least_samples
from edgewright_benchmarks.versions import installed_versions
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

# Samples that travel in a package with their float answers.
GOLDEN_SAMPLES = 8
# What answers depend on, beside the graph itself.
RUN_TOOLS = ("onnxruntime", *PLUGINS, "tokenizers", "pillow", "numpy")


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """What to build and how.

    Attributes:
        output: Package folder to write.
        targets: Target names, or paths of target files.
        calibration: Data for activation ranges; also for agreement where nothing is labelled.
        evaluation: Data the engine is chosen on.
        max_drop: Accuracy that may be lost, as a share: 0.01 is one percentage point.
        task: Overrides the source's task.
        labels: Class names by index, for sources that have none; or the file that has them (see `read_labels`).
        archive: Also write the package as one file beside it (`<output>.tar`).
        emulated_samples: Samples at most that an emulator answers.
        golden: Data whose first samples travel in the package to be verified with, instead of those it is measured on.
        golden_samples: Whether any samples travel in the package.
        accept_baseline: Whether to go on where the float model itself is wrong on the data.
        meter: How to measure.
    """

    output: str | Path
    targets: tuple[str, ...] = ("host",)
    calibration: str | Path | None = None
    evaluation: str | Path | None = None
    max_drop: float = 0.01
    task: str | None = None
    labels: tuple[str, ...] | str | Path | None = None
    archive: bool = False
    emulated_samples: int = 400
    golden: str | Path | None = None
    golden_samples: bool = True
    accept_baseline: bool = False
    meter: MeterSettings = field(default_factory=MeterSettings)


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
    accept_baseline: bool
    threads: int
    meter: MeterSettings
    machine: HostFacts
    emulators: dict[str, dict[str, str]]
    golden_samples: bool
    golden: DataKey | None
    tools: dict[str, str]


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
        threads: Threads of an engine.
        modes: Execution mode of each candidate on this machine.
        places: Candidate to where its engine is answered; see `placed`.
        golden: Samples that may be given away, or None: then those it is measured on travel in the package.
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
            accept_baseline=self.options.accept_baseline,
            threads=self.threads,
            meter=self.options.meter,
            machine=host_facts(),
            emulators=self.emulator_facts(),
            golden_samples=self.options.golden_samples,
            golden=DataKey.of(self.golden) if self.golden else None,
            tools=installed_versions((*self.source.tools, *RUN_TOOLS)),
        )
        return digest_of(write_record(key))

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
        samples, budget = len(self.evaluation.samples), self.options.max_drop
        # However many words or boxes a sample holds: whatever is scored, a sample unlike all others can lose the whole.
        if least_bound(samples) <= budget:
            return ""
        shown = apart(100 * least_bound(samples), 100 * budget, 1, lower)
        needed = f" At least {least_samples(budget):,} samples are needed." if budget else ""
        return (
            f"{samples:,} samples cannot show a drop below {shown} percentage points, but the budget is "
            f"{100 * budget:.1f}: only an engine that is better than float could be chosen.{needed}"
        )

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
