"""The keys of a build file. None is what nobody said: then the command line or the default does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

# What is looked for where no file is named.
BUILD_FILE: Final = "edgewright.toml"


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """Table `data`: what the engine is chosen on; paths are relative to the file.

    Attributes:
        evaluation: Labelled data that the engine is chosen on.
        calibration: Data for the ranges of int8 engines.
        golden: Golden samples that travel in the package.
        golden_samples: Whether any do.
        samples: Most samples to compare engines on.
        emulated_samples: Most samples that an emulator runs.
    """

    evaluation: str | None = None
    calibration: str | None = None
    golden: str | None = None
    golden_samples: bool | None = None
    samples: int | None = None
    emulated_samples: int | None = None


@dataclass(frozen=True, kw_only=True)
class BudgetFile:
    """Table `budget`: what may be lost, how sure that has to be, and how long is searched.

    Attributes:
        max_drop: Largest accuracy drop, `"1%"` or 0.01.
        confidence: Of the bounds, `"95%"` or 0.95.
        accept_baseline: Whether to go on where the float model itself fails on the data.
        search: A time such as `"10m"`, or a number of engines.
    """

    max_drop: str | float | None = None
    confidence: str | float | None = None
    accept_baseline: bool | None = None
    search: str | int | None = None


@dataclass(frozen=True, kw_only=True)
class MeterFile:
    """Table `meter`: how engines are timed; see `MeterSettings`."""

    threads: int | None = None
    rounds: int | None = None
    calls: int | None = None
    loads: int | None = None
    beside: int | None = None


@dataclass(frozen=True, kw_only=True)
class GatesFile:
    """Table `gates`: what a later comparison of the package holds it to.

    Attributes:
        fail_on: The rules, as `edgewright compare --fail-on` takes them.
    """

    fail_on: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """What one build is.

    Attributes:
        source: What is built; a path is relative to the file.
        fetch: Whether a source that is an id of the Hugging Face hub is fetched.
        output: Package folder to write, relative to the file.
        task: Instead of the one found in the source.
        metric: A metric by name, or a function of the user's own; likewise `pre` and `post`, see `OwnFunctions`.
        labels: File with class names, one a line.
        targets: Target names or target files.
        archive: Also write the package as one file.
        data: See `DataFile`; likewise the others.
    """

    source: str | None = None
    fetch: bool | None = None
    output: str | None = None
    task: str | None = None
    metric: str | None = None
    pre: str | None = None
    post: str | None = None
    labels: str | None = None
    targets: tuple[str, ...] | None = None
    archive: bool | None = None
    data: DataFile = field(default_factory=DataFile)
    budget: BudgetFile = field(default_factory=BudgetFile)
    meter: MeterFile = field(default_factory=MeterFile)
    gates: GatesFile = field(default_factory=GatesFile)


@dataclass(frozen=True, kw_only=True)
class BuildFile(ModelFile):
    """A build, or several.

    Attributes:
        model: Several builds by name. Each says what is its own; the rest is what stands above.
    """

    model: dict[str, ModelFile] = field(default_factory=dict)
