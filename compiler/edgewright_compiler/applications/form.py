"""The keys of the file of an application: those of its package, and of its models those of a build too."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgewright_compiler.build_files.form import ModelFile
from edgewright_runtime.applications.declaration import FlowStep


@dataclass(frozen=True, kw_only=True)
class ApplicationModel(ModelFile):
    """A model: its package, or how it is built.

    Attributes:
        package: Its package, in the place of a source; relative to the file.
    """

    package: str | None = None


@dataclass(frozen=True, kw_only=True)
class WholeDataFile:
    """Table `data` of an application: data of the whole; paths are relative to the file.

    Attributes:
        evaluation: Labelled data that the whole is measured on.
        calibration: Labelled data that weights of fusions are fitted on.
        golden: Golden samples of the whole that travel in the package.
        golden_samples: Whether any do.
        samples: Most samples to measure the whole on.
    """

    evaluation: str | None = None
    calibration: str | None = None
    golden: str | None = None
    golden_samples: bool | None = None
    samples: int | None = None


@dataclass(frozen=True, kw_only=True)
class WholeBudgetFile:
    """Table `budget` of an application: what the whole may lose, and what it may take.

    Attributes:
        max_drop: Largest accuracy drop of the whole, `"1%"` or 0.01.
        confidence: Of the bounds, `"95%"` or 0.95.
        max_memory: What a process that runs the whole may take, such as `"400MB"`.
    """

    max_drop: str | float | None = None
    confidence: str | float | None = None
    max_memory: str | None = None


@dataclass(frozen=True, kw_only=True)
class ApplicationFile:
    """An application as people write it; see `Flow`.

    Attributes:
        data: See `WholeDataFile`.
        budget: See `WholeBudgetFile`.
    """

    input: dict[str, str]
    answer: tuple[str, ...]
    step: dict[str, FlowStep]
    model: dict[str, ApplicationModel] = field(default_factory=dict)
    metric: dict[str, str] = field(default_factory=dict)
    data: WholeDataFile = field(default_factory=WholeDataFile)
    budget: WholeBudgetFile = field(default_factory=WholeBudgetFile)
