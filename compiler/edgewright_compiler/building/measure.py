"""The measure stage: readings of all candidates through a draft package, kept as they were read.

Readings hold no judgement: another budget judges the same readings again without measuring again.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.devices.engine_worker import Place, WorkerError
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.judging.evidence import now
from edgewright_benchmarks.judging.native_comparison import compare_with_native
from edgewright_benchmarks.measuring.emulated_answers import answer_engines
from edgewright_benchmarks.measuring.guide import Guide
from edgewright_benchmarks.measuring.meter import read_engines
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.building.doubted_baseline import refuse_doubted
from edgewright_compiler.building.job import GOLDEN_SAMPLES, Job
from edgewright_compiler.building.target_readings import GOLDEN_FILE, TargetReadings, write_target_readings
from edgewright_runtime.selftest import GoldenSample, write_golden
from edgewright_targets import InputError
from edgewright_targets.host import architecture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """Packages made to be measured.

    Attributes:
        package: All engines that are answered, as they are for the target.
        engines: Their names.
        native: The same graphs relabelled for this architecture, so that the runtime agrees to run them here.
        natives: Names of the engines in `native`; if there are none, `native` does not exist.
        same: Engine to an earlier one of the same graphs and arithmetic, see `read_engines`.
        earlier: Engine to its readings in an earlier measurement, see `read_engines`.
    """

    package: Path
    engines: Sequence[str]
    native: Path
    natives: Sequence[str] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, Readings] = field(default_factory=dict)


def measure(folder: Path, drafts: Drafts, job: Job, progress: Progress, guide: Guide | None = None) -> None:
    """Measure the engines of the drafts for the target of `job` and write what was read into `folder`.

    Each engine runs in its execution mode (`Job.engine_modes`), and is timed only on the target itself.
    """
    start = time.monotonic()
    samples = job.evaluation.samples
    baseline = job.engine_name(job.target.baseline)
    if job.rung == "measured":

        def answered(name: str, found: Readings) -> None:
            if name == baseline:
                refuse_doubted(job, found)

        # Each engine has as many threads as the draft says, or as all were asked to have.
        readings, calls = read_engines(
            drafts.package,
            drafts.engines,
            samples,
            job.options.meter,
            progress,
            answered=answered,
            same=drafts.same,
            guide=guide,
            earlier=drafts.earlier,
        )
    else:
        readings, calls = _answers(drafts, job, progress), 0
        if guide is not None:
            readings = _with_guides(readings, drafts, job, guide, progress)
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
    made = {name: list(found.predictions[: len(given)]) for name, found in readings.items() if found.failure is None}
    golden_predictions = _golden_predictions(drafts, job, list(made), given) if job.golden is not None else None
    measured = TargetReadings(
        readings=readings,
        calls=calls,
        golden=folder / GOLDEN_FILE,
        machine=machine,
        created=now(),
        golden_predictions=golden_predictions,
        seconds=time.monotonic() - start,
    )
    write_target_readings(folder, measured)
    made = golden_predictions or made
    pairs = zip(given, feeds, made[baseline], strict=True)
    golden = [GoldenSample(sample, feed, prediction.outputs) for sample, feed, prediction in pairs]
    write_golden(measured.golden, golden)


def _with_guides(
    readings: dict[str, Readings], drafts: Drafts, job: Job, guide: Guide, progress: Progress
) -> dict[str, Readings]:
    """The readings of emulated engines with their guides, where several of them could ship."""
    modes = job.engine_modes
    rivals = [
        name
        for name, found in readings.items()
        if name != guide.baseline and modes[name].runs == "emulated" and found.failure is None
    ]
    if len(rivals) < 2:
        return readings
    reference = Place() if modes[guide.baseline].runs == "reference" else job.place(guide.baseline)
    places = {guide.baseline: reference, **{name: job.place(name) for name in rivals}}
    found = answer_engines(drafts.package, places, guide.samples, "comparing with float", progress)
    expected = found.pop(guide.baseline)
    if expected.failure is not None:
        return readings
    guides = {
        name: guide.difference(one.predictions, expected.predictions)
        for name, one in found.items()
        if one.failure is None
    }
    return {name: dataclasses.replace(one, guide=guides.get(name)) for name, one in readings.items()}


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
        title = "running here, as the reference"
        readings |= answer_engines(drafts.package, references, samples, title, progress, drafts.earlier)
        if baseline in references and readings[baseline].failure is None:
            refuse_doubted(job, readings[baseline])
    if emulated:
        title = f"running for {job.target.name}"
        readings |= answer_engines(drafts.package, emulated, samples, title, progress, drafts.earlier)
    # What was read before was compared before.
    alive = {
        name: Place() for name in drafts.natives if readings[name].failure is None and readings[name].native is None
    }
    natives = answer_engines(drafts.native, alive, samples, "running here, to compare", progress) if alive else {}
    for name, native in natives.items():
        if native.failure is None:
            compared = compare_with_native(readings[name].predictions, native.predictions, architecture())
            readings[name] = dataclasses.replace(readings[name], native=compared)
    return readings
