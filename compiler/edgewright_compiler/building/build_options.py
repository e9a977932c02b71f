"""What a build was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.result import Origin
from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_benchmarks.tasks import NO_FUNCTIONS, OwnFunctions
from edgewright_compiler.building.search_bound import SearchBound


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """What to build and how.

    Attributes:
        output: Package folder to write.
        targets: Target names, or paths of target files.
        calibration: Data for activation ranges; also for agreement where nothing is labelled.
        evaluation: Data the engine is chosen on.
        max_drop: Accuracy that may be lost, as a share: 0.01 is one percentage point.
        confidence: How sure the bounds of drop and latency are, above 0.5 and at most 0.999.
        task: Overrides the source's task.
        labels: Class names by index, for sources that have none; or the file that has them (see `read_labels`).
        archive: Also write the package as one file beside it (`<output>.tar`).
        emulated_samples: Samples at most that an emulator answers.
        golden: Data whose first samples travel in the package to be verified with, instead of those it is measured on.
        golden_samples: Whether any samples travel in the package.
        accept_baseline: Whether to go on where the float model itself is wrong on the data.
        meter: How to measure.
        search: How long, or how many engines, is searched beyond what a plain build tries; None does not search.
        fetch: Whether a source that is an id of the Hugging Face hub is fetched; else it must be in the local cache.
        own: A metric by name or functions of the user's own, in place of what the task has.
        fail_on: What a later comparison of the package holds it to, in words of `compare`; it decides nothing here.
        origins: Setting (see `SETTINGS`) to who said it, for the evidence. What is not in it, and not the default, was
            said by the caller.
    """

    output: str | Path
    targets: tuple[str, ...] = ("host",)
    calibration: str | Path | None = None
    evaluation: str | Path | None = None
    max_drop: float = 0.01
    confidence: float = CONFIDENCE
    task: str | None = None
    labels: tuple[str, ...] | str | Path | None = None
    archive: bool = False
    emulated_samples: int = 400
    golden: str | Path | None = None
    golden_samples: bool = True
    accept_baseline: bool = False
    meter: MeterSettings = field(default_factory=MeterSettings)
    search: SearchBound | None = None
    fetch: bool = False
    own: OwnFunctions = NO_FUNCTIONS
    fail_on: str | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)
