"""The measure stage: readings of all candidates through a draft package, kept as they were read.

Readings hold no judgement: another budget judges the same readings again without measuring again.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.devices.engine_worker import Place, WorkerError
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.judging.evidence import now
from edgewright_benchmarks.judging.native import compare_with_native
from edgewright_benchmarks.measuring.meter import MeterSettings, Readings, answer_engines, read_engines
from edgewright_benchmarks.predictions import Prediction, arrays_from_prediction, prediction_from_arrays
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.building.doubted import refuse_doubted
from edgewright_compiler.building.job import GOLDEN_SAMPLES, Job
from edgewright_compiler.building.stored_arrays import read_arrays, write_arrays
from edgewright_compiler.graphs.precision_difference import tolerance_for
from edgewright_runtime.selftest import GoldenSample, golden_samples, write_golden
from edgewright_targets import HostFacts, InputError
from edgewright_targets.host import architecture
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewright_runtime.likeness import Likeness
    from edgewright_runtime.wire import Arrays

_READINGS = "readings.json"
_OUTPUTS = "outputs.npz"
_GOLDEN = "golden.npz"
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
    """

    readings: dict[str, Readings]
    calls: int
    golden: Path
    machine: HostFacts
    created: str
    golden_predictions: Mapping[str, Sequence[Prediction]] | None = None

    def tolerance(self, engine: str, alike: Likeness, golden: Path) -> float:
        """How far this engine may be from the float outputs on the golden samples, when it is verified later.

        Args:
            engine: Its name.
            alike: How outputs are compared.
            golden: The golden samples that ship, which another target may have made: the first that both answered.
        """
        if engine not in self.readings:
            # It was not run, so nothing was seen.
            return alike.floor
        measured = self.readings[engine].predictions
        own = measured if self.golden_predictions is None else self.golden_predictions.get(engine, [])
        pairs = zip(own, read_golden_outputs(golden), strict=False)
        seen = max((alike.difference(made.outputs, expected) for made, expected in pairs), default=0.0)
        if seen == float("inf"):
            return alike.floor
        return tolerance_for(seen, alike.floor)


@dataclass(frozen=True)
class _Stored:
    """The file of the readings; arrays of outputs have files of their own."""

    calls: int
    machine: HostFacts
    created: str
    engines: dict[str, Readings]


def read_golden_outputs(path: Path) -> list[Arrays]:
    """The float outputs of the golden samples in `path`."""
    return [sample.outputs for sample in golden_samples(path)]


@dataclass(frozen=True)
class Drafts:
    """Packages made to be measured.

    Attributes:
        package: All engines that are answered, as they are for the target.
        engines: Their names.
        native: The same graphs relabelled for this architecture, so that the runtime agrees to run them here.
        natives: Names of the engines in `native`; if there are none, `native` does not exist.
    """

    package: Path
    engines: Sequence[str]
    native: Path
    natives: Sequence[str] = ()


def measure(folder: Path, drafts: Drafts, job: Job, settings: MeterSettings, progress: Progress) -> None:
    """Measure the engines of the drafts for the target of `job` and write what was read into `folder`.

    Each engine runs in its execution mode (`Job.engine_modes`), and is timed only on the target itself.
    """
    samples = job.evaluation.samples
    baseline = job.engine_name(job.target.baseline)
    if job.rung == "measured":

        def answered(name: str, found: Readings) -> None:
            if name == baseline:
                refuse_doubted(job, found)

        readings, calls = read_engines(drafts.package, drafts.engines, samples, settings, progress, answered=answered)
    else:
        readings, calls = _answers(drafts, job, progress), 0
    if readings[baseline].failure is not None:
        # Raised and not kept: nothing can be compared, and the next build shall try again.
        raise InputError(f"The float baseline '{baseline}' cannot run on the data: {readings[baseline].failure}")
    given = (job.golden or job.evaluation).samples[:GOLDEN_SAMPLES]
    place = job.place(baseline)
    with WorkerProcess(command=place.command) as worker:
        machine = worker.machine
        worker.keep(given)
        worker.load(drafts.package, baseline, 1, emulate=place.emulate)
        feeds = worker.feeds(range(len(given)))
    stored = _Stored(
        calls=calls,
        machine=machine,
        created=now(),
        engines={name: dataclasses.replace(found, predictions=()) for name, found in readings.items()},
    )
    (folder / _READINGS).write_text(json.dumps(write_record(stored)), encoding="utf-8")
    whole = {name: found.predictions for name, found in readings.items() if found.failure is None}
    _write(folder / _OUTPUTS, whole)
    made = {name: list(predictions[: len(given)]) for name, predictions in whole.items()}
    if job.golden is not None:
        made = _golden_predictions(drafts, job, list(made), given)
        _write(folder / _GOLDEN_OUTPUTS, made)
    pairs = zip(given, feeds, made[baseline], strict=True)
    golden = [GoldenSample(sample, feed, prediction.outputs) for sample, feed, prediction in pairs]
    write_golden(folder / _GOLDEN, golden)


def _golden_predictions(
    drafts: Drafts, job: Job, names: Sequence[str], given: Sequence[Any]
) -> dict[str, list[Prediction]]:
    """Predictions of engines for golden samples that are not among those measured; one that fails on them has none."""
    found: dict[str, list[Prediction]] = {}
    for name in names:
        place = job.place(name)
        try:
            with WorkerProcess(command=place.command) as worker:
                worker.keep(given)
                worker.load(drafts.package, name, 1, emulate=place.emulate)
                found[name] = worker.answer(range(len(given)))
        except WorkerError as error:
            if name == job.engine_name(job.target.baseline):
                raise InputError(f"The float baseline '{name}' cannot run on the golden samples: {error}") from error
    return found


def _answers(drafts: Drafts, job: Job, progress: Progress) -> dict[str, Readings]:
    """Answers in emulators, compared with this machine's own where it runs the engine as well."""
    samples = job.evaluation.samples
    modes = job.engine_modes
    references = {name: Place() for name in drafts.engines if modes[name].runs == "reference"}
    emulated = {name: job.place(name) for name in drafts.engines if name not in references}
    readings: dict[str, Readings] = {}
    baseline = job.engine_name(job.target.baseline)
    # Apart from emulators, which are far slower: of both together nobody could tell how long it will take.
    if references:
        readings |= answer_engines(drafts.package, references, samples, "running here, as the reference", progress)
        if baseline in references and readings[baseline].failure is None:
            refuse_doubted(job, readings[baseline])
    if emulated:
        readings |= answer_engines(drafts.package, emulated, samples, f"running for {job.target.name}", progress)
    alive = {name: Place() for name in drafts.natives if readings[name].failure is None}
    natives = answer_engines(drafts.native, alive, samples, "running here, to compare", progress) if alive else {}
    for name, native in natives.items():
        if native.failure is None:
            compared = compare_with_native(readings[name].predictions, native.predictions, architecture())
            readings[name] = dataclasses.replace(readings[name], native=compared)
    return readings


def _write(path: Path, predictions: Mapping[str, Sequence[Prediction]]) -> None:
    write_arrays(path, {name: [arrays_from_prediction(one) for one in made] for name, made in predictions.items()})


def _read(path: Path) -> dict[str, list[Prediction]]:
    return {name: [prediction_from_arrays(arrays) for arrays in made] for name, made in read_arrays(path).items()}


def read_target_readings(folder: Path) -> TargetReadings:
    """Read what `measure` wrote."""
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
        golden=folder / _GOLDEN,
        machine=stored.machine,
        created=stored.created,
        golden_predictions=golden,
    )
