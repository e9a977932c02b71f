"""A matrix: one engine on one data set, a row for each set of versions. Written as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.result import DataFacts, Measure, Settings
from edgewright_targets import HostFacts

# The number is raised where readers of the old form would misread the new one.
SCHEMA: Final = "edgewright.matrix/1"


@dataclass(frozen=True)
class LoggedSentence:
    """What the libraries of an environment wrote to standard error, without times, addresses and places in sources.

    Attributes:
        text: It.
        times: How often one process wrote it that loaded the engine and answered some samples. What only the measured
            processes wrote is counted over all of them.
        new: The reference did not write it.
    """

    text: str
    times: int
    new: bool = False


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    """One set of versions.

    Attributes:
        versions: Of the libraries that are varied; as it was asked for where no release is meant by it.
        libraries: All libraries of the environment with their versions; empty where there is none.
        failure: Why there are no figures, as sentences; empty where there are some.
        engine: What was measured; None where nothing was. Its baseline is the reference.
        equal: Samples whose outputs equal the reference's in every bit; None where nothing was measured.
        logged: What the libraries wrote to standard error, ONNX Runtime's own warnings among it.
        warnings: What to know of the figures.
    """

    versions: dict[str, str]
    libraries: dict[str, str] = field(default_factory=dict)
    failure: str = ""
    engine: EngineResult | None = None
    equal: int | None = None
    logged: tuple[LoggedSentence, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MatrixResult:
    """One package across versions.

    Attributes:
        package: As it was named.
        model: Name of the model.
        task: Of the model.
        engine: Name of the engine that every row ran.
        precision: Of the engine.
        measure: Whether the metrics are accuracy, or agreement with the reference.
        confidence: Of intervals.
        reference: Versions of the row that the others are compared with: the first that ran.
        rows: In the order asked for.
        data: What it was measured on.
        machine: Where.
        settings: How.
        versions: Of what measured and judged, which is the same for all rows.
        warnings: What makes the figures less sure.
        created: UTC, ISO 8601.
    """

    package: str
    model: str
    task: str
    engine: str
    precision: str
    measure: Measure
    confidence: float
    reference: dict[str, str]
    rows: tuple[VersionRow, ...]
    data: DataFacts
    machine: HostFacts
    settings: Settings
    versions: dict[str, str]
    warnings: tuple[str, ...]
    created: str
    schema: str = SCHEMA
