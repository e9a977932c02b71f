"""The files of the measure stage: readings as they were read, outputs, and golden samples."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.predictions import Prediction, arrays_from_prediction, prediction_from_arrays
from edgewright_compiler.building.stored_arrays import read_arrays, write_arrays
from edgewright_targets import HostFacts
from edgewright_targets.record import read_record, write_record

GOLDEN_FILE = "golden.npz"
_READINGS = "readings.json"
_OUTPUTS = "outputs.npz"
_GOLDEN_OUTPUTS = "golden_outputs.npz"


@dataclass(frozen=True, kw_only=True)
class TargetReadings:
    """The readings of all engines of one target.

    Attributes:
        readings: Engine name to its readings; failures included.
        calls: Calls of an engine in a round.
        golden: File with golden samples: float feeds and outputs.
        machine: Where it ran; an emulated machine says so.
        created: When, in UTC, ISO 8601.
        golden_predictions: Engine name to its predictions for the golden samples, where these are not
            the first measured ones.
        seconds: What the measurement took.
    """

    readings: dict[str, Readings]
    calls: int
    golden: Path
    machine: HostFacts
    created: str
    golden_predictions: Mapping[str, Sequence[Prediction]] | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class _Stored:
    """The file of the readings; arrays of outputs have files of their own."""

    calls: int
    machine: HostFacts
    created: str
    engines: dict[str, Readings]
    seconds: float = 0.0


def write_target_readings(folder: Path, found: TargetReadings) -> None:
    """Write everything but the golden samples, which have a file of their own."""
    stored = _Stored(
        calls=found.calls,
        machine=found.machine,
        created=found.created,
        seconds=found.seconds,
        engines={name: dataclasses.replace(one, predictions=()) for name, one in found.readings.items()},
    )
    (folder / _READINGS).write_text(json.dumps(write_record(stored)), encoding="utf-8")
    _write(
        folder / _OUTPUTS,
        {name: one.predictions for name, one in found.readings.items() if one.failure is None},
    )
    if found.golden_predictions is not None:
        _write(folder / _GOLDEN_OUTPUTS, found.golden_predictions)


def _write(path: Path, predictions: Mapping[str, Sequence[Prediction]]) -> None:
    write_arrays(path, {name: [arrays_from_prediction(one) for one in made] for name, made in predictions.items()})


def _read(path: Path) -> dict[str, list[Prediction]]:
    return {name: [prediction_from_arrays(arrays) for arrays in made] for name, made in read_arrays(path).items()}


def read_target_readings(folder: Path) -> TargetReadings:
    """Read what `write_target_readings` wrote, and the golden samples beside it."""
    path = folder / _READINGS
    stored = read_record(_Stored, json.loads(path.read_text(encoding="utf-8")), str(path))
    predictions = _read(folder / _OUTPUTS)
    readings = {
        name: dataclasses.replace(found, predictions=tuple(predictions.get(name, ())))
        for name, found in stored.engines.items()
    }
    golden = None
    if (folder / _GOLDEN_OUTPUTS).exists():
        kept = _read(folder / _GOLDEN_OUTPUTS)
        golden = {name: kept.get(name, []) for name in readings}
    return TargetReadings(
        readings=readings,
        calls=stored.calls,
        golden=folder / GOLDEN_FILE,
        machine=stored.machine,
        created=stored.created,
        golden_predictions=golden,
        seconds=stored.seconds,
    )
