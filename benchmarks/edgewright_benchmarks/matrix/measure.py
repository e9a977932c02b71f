"""One package across versions of the device's libraries: the same engine in several environments, in turns.

from edgewright_benchmarks.matrix.measure import measure_matrix

measure_matrix("intents.ortpackage", "test.csv", {"onnxruntime": "1.31,1.32"}).rows
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgewright_benchmarks.bench import read_samples, running_engine
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.judging.evidence import (
    Comparison,
    EngineFacts,
    compare_engines,
    data_facts,
    now,
    settings_facts,
    tool_versions,
)
from edgewright_benchmarks.matrix.environments import (
    EnvironmentDevice,
    device_source,
    environment_in_use,
)
from edgewright_benchmarks.matrix.kept import kept_versions
from edgewright_benchmarks.matrix.libraries import AskedVersion, asked_versions, check_used, libraries_of, words_of
from edgewright_benchmarks.matrix.releases import NotInstalledError, all_versions, release_of
from edgewright_benchmarks.matrix.result import MatrixResult, VersionRow
from edgewright_benchmarks.matrix.said import read_sentences, with_logged
from edgewright_benchmarks.measuring.meter import read_engines
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import PackagedEngine, Readings
from edgewright_benchmarks.predictions import same_bits
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_benchmarks.statistics.confidence import CONFIDENCE
from edgewright_benchmarks.statistics.intervals import starved_baseline
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime import EngineInfo, Package
from edgewright_targets import CheckFailedError, InputError, host_facts

# Each is a process with the engine in memory, and all of them live at once.
_MOST_ENVIRONMENTS = 16


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What all rows have in common."""

    source: str
    package: Package
    samples: Dataset
    info: EngineInfo
    settings: MeterSettings
    confidence: float


def measure_matrix(
    package: str | Path,
    data: str | Path,
    asked: Mapping[str, str],
    *,
    engine: str | None = None,
    settings: MeterSettings | None = None,
    confidence: float = CONFIDENCE,
    progress: Progress | None = None,
) -> MatrixResult:
    """Measure one engine of a package with several versions of libraries, in alternating rounds of one run.

    Other libraries have the versions that are installed here. What cannot be installed, opened or run is a row with its
    reason. The first row that runs is what the others are compared with.

    Args:
        package: Folder or archive.
        data: Labelled samples for accuracy; without labels it is agreement with the reference.
        asked: Library to versions with commas between them. Of several libraries all combinations are measured.
        engine: Name of the engine; by default the one that the package runs here.
        settings: How to measure.
        confidence: Of intervals.
        progress: Told how far it is.

    Raises:
        InputError: A version or a library cannot be read, package or data do not fit, or no version can be installed.
        CheckFailedError: No version that was installed runs the package.
    """
    settings, progress = settings or MeterSettings(), progress or Quiet()
    wanted = [asked_versions(library, text) for library, text in asked.items()]
    _check_count(wanted)
    opened = Package.open(package)
    samples = read_samples(opened, data, settings)
    info = running_engine(opened, settings, samples, engine)
    libraries = libraries_of(opened, info.name)
    check_used((versions[0].library for versions in wanted), libraries, info.name)
    run = _Run(
        source=str(package), package=opened, samples=samples, info=info, settings=settings, confidence=confidence
    )
    rows = _resolved(wanted)
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(device_source())
        devices: dict[str, EnvironmentDevice] = {}
        for index, row in enumerate(rows):
            if row.failure:
                continue
            try:
                made = stack.enter_context(environment_in_use(all_versions(libraries, row.versions), progress))
            except NotInstalledError as error:
                rows[index] = replace(row, failure=str(error))
                continue
            rows[index] = replace(row, libraries=dict(made.versions))
            errors = stack.enter_context(tempfile.TemporaryFile())
            devices[words_of(row.versions)] = EnvironmentDevice(made, source, errors)
        if not devices:
            raise InputError(_nothing("No version can be installed", rows), hint="Name versions that exist.")
        return _measured(run, rows, devices, progress)


def _check_count(wanted: Sequence[Sequence[AskedVersion]]) -> None:
    if not wanted:
        raise InputError("No versions are named.", hint="Name some, such as --onnxruntime 1.31,1.32.")
    count = 1
    for versions in wanted:
        count *= len(versions)
    if count > _MOST_ENVIRONMENTS:
        raise InputError(
            f"These are {count} combinations of versions; at most {_MOST_ENVIRONMENTS} are measured at once.",
            hint="Name fewer versions, or one library after another.",
        )


def _resolved(wanted: Sequence[Sequence[AskedVersion]]) -> list[VersionRow]:
    """A row for each combination, in the order asked for; two that mean the same releases are one."""
    kept = kept_versions()
    found: dict[str, VersionRow] = {}
    meant: dict[AskedVersion, str] = {}
    missing: dict[AskedVersion, str] = {}
    for asked in itertools.chain.from_iterable(wanted):
        try:
            meant[asked] = release_of(asked, kept.get(asked.library, ()))
        except NotInstalledError as error:
            missing[asked] = str(error)
    for combination in itertools.product(*wanted):
        versions = {asked.library: meant.get(asked, asked.text) for asked in combination}
        failure = " ".join(missing[asked] for asked in combination if asked in missing)
        found.setdefault(words_of(versions), VersionRow(versions=versions, failure=failure))
    return list(found.values())


def _nothing(what: str, rows: Sequence[VersionRow]) -> str:
    return "\n".join([f"{what}:", *(f"{words_of(row.versions)}: {row.failure}" for row in rows)])


def _measured(
    run: _Run,
    rows: list[VersionRow],
    devices: Mapping[str, EnvironmentDevice],
    progress: Progress,
) -> MatrixResult:
    package, info, samples = run.package, run.info, run.samples
    readings, calls = read_engines(
        package.root,
        list(devices),
        samples.samples,
        run.settings,
        progress,
        packaged={name: PackagedEngine(package.root, info.name, device) for name, device in devices.items()},
    )
    rows = [_failing(row, readings.get(words_of(row.versions))) for row in rows]
    running = [words_of(row.versions) for row in rows if not row.failure]
    if not running:
        raise CheckFailedError(_nothing(f"No version runs engine '{info.name}'", rows))
    reference = next(row.versions for row in rows if not row.failure)
    compared = _compared(run, readings, running)
    rows = [_filled(row, readings, words_of(reference), compared, samples) for row in rows]
    ran = {name: devices[name] for name in (words_of(row.versions) for row in rows if not row.failure)}
    place = PackagedEngine(package.root, info.name)
    logged = read_sentences(ran, place, samples.samples, run.settings.threads, progress)
    rows = with_logged(rows, reference, logged)
    return MatrixResult(
        package=run.source,
        model=package.manifest.name,
        task=package.manifest.task,
        engine=info.name,
        precision=info.precision,
        measure=compared.measure,
        confidence=run.confidence,
        reference=reference,
        rows=tuple(rows),
        data=data_facts(samples),
        machine=host_facts(),
        settings=settings_facts(run.settings, calls, len(samples.samples), info.threads),
        versions=tool_versions({}),
        warnings=compared.warnings,
        created=now(),
    )


def _failing(row: VersionRow, readings: Readings | None) -> VersionRow:
    return row if readings is None or readings.failure is None else replace(row, failure=readings.failure)


def _compared(run: _Run, readings: Mapping[str, Readings], running: Sequence[str]) -> Comparison:
    spec = run.package.manifest.engines[run.info.name]
    size = sum(path.stat().st_size for path in run.package.engine_files(run.info.name))
    return compare_engines(
        [EngineFacts(spec=replace(spec, name=name), size_bytes=size) for name in running],
        readings,
        run.samples,
        task=find_task(run.package.manifest.task),
        baseline=running[0],
        # Nothing is judged by it.
        max_drop=1.0,
        confidence=run.confidence,
    )


def _filled(
    row: VersionRow,
    readings: Mapping[str, Readings],
    reference: str,
    compared: Comparison,
    samples: Dataset,
) -> VersionRow:
    """A row with its figures, where it ran."""
    name = words_of(row.versions)
    if row.failure:
        return row
    engine = next(one for one in compared.engines if one.name == name)
    if engine.status == "failed":
        return replace(row, failure=" ".join(engine.reasons))
    mine, theirs = readings[name], readings[reference]
    pairs = zip(mine.predictions, theirs.predictions, strict=True)
    starved = starved_baseline(mine.busy, theirs.busy)
    return replace(
        row,
        engine=engine,
        equal=sum(same_bits(one, other) for one, other in pairs),
        warnings=(
            *engine.reasons,
            *mine.changes.sentences(len(samples.samples)),
            *((f"{starved}.",) if starved else ()),
        ),
    )
