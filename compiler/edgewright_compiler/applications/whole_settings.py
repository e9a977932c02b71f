"""What a build of an application is told of the whole: its data, and how it is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgewright_benchmarks.byte_sizes import read_size
from edgewright_benchmarks.data import check_there
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_compiler.applications.form import ApplicationFile
from edgewright_compiler.building.setting_kinds import SETTINGS, SettingKind
from edgewright_targets import InputError
from edgewright_targets.record import RecordError

# Settings of a build that are the whole's, where an application is built; those behind them are its models' too.
OF_THE_WHOLE = (
    *("data.evaluation", "data.calibration", "data.golden", "data.golden_samples", "data.samples"),
    "budget.max_memory",
)
_SHARED = ("budget.max_drop", "budget.confidence", "meter.rounds", "meter.calls", "meter.threads")
# Of applications alone.
_OWN = {"budget.max_memory": SettingKind("--max-memory", "max_memory", read_size)}
_KINDS = {**SETTINGS, **_OWN}


@dataclass(frozen=True, kw_only=True)
class WholeSettings:
    """How the whole is measured.

    Attributes:
        evaluation: Data with ground truth; None does not measure it.
        calibration: Data that weights of fusions are fitted on.
        golden: Data whose first samples are its golden ones; None takes those of the evaluation data.
        golden_samples: Whether any travel in the package.
        max_drop: What the whole may lose, as a share: 0.01 is one percentage point.
        confidence: Of intervals and bounds.
        max_memory: Bytes that a process which runs the whole may take; None is no limit.
        meter: Rounds, calls, threads and samples.
    """

    evaluation: Path | None = None
    calibration: Path | None = None
    golden: Path | None = None
    golden_samples: bool = True
    max_drop: float = 0.01
    confidence: float = CONFIDENCE
    max_memory: int | None = None
    meter: MeterSettings = field(default_factory=MeterSettings)


def whole_settings(file: ApplicationFile, path: Path, given: Mapping[str, object]) -> WholeSettings:
    """The settings of the whole: those of the call, which win, and of the file at `path`.

    Raises:
        RecordError: A value of the file is wrong; the keys lead to it.
        InputError: Data is missing.
    """
    values = {
        name: value for name in (*OF_THE_WHOLE, *_SHARED) if (value := _value(file, path, name, given)) is not None
    }
    meter = MeterSettings()
    for name, value in values.items():
        kind = _KINDS[name]
        if kind.part == "meter":
            meter = replace(meter, **{kind.field: value})
    rest = {_KINDS[name].field: value for name, value in values.items() if _KINDS[name].part != "meter"}
    made = replace(WholeSettings(meter=replace(meter, rounds=max(2, meter.rounds))), **rest)
    for data in (made.evaluation, made.calibration, made.golden):
        check_there(data)
    return made


def _value(file: ApplicationFile, path: Path, name: str, given: Mapping[str, object]) -> Any:
    kind = _KINDS[name]
    if name in given:
        return Path(str(given[name])) if kind.path == "data" else given[name]
    table, _, key = name.partition(".")
    value: object = getattr(getattr(file, table, None), key, None)
    if value is None:
        return None
    try:
        read = kind.read(value)
    except (ValueError, InputError) as error:
        raise RecordError(f"{path}: {name}: {error}.", keys=(table, key)) from error
    return path.parent / str(read) if kind.path == "data" else read
