"""Run scenarios of one engine: which runs LoadGen has, what is taken from them, and where its files are kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from edgewright_benchmarks.devices.engine_worker import WorkerError
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.scenario_result import QUERIES, LoadRun, Scenario, ScenarioResult, point_label
from edgewright_benchmarks.scenarios.loadgen import SAMPLES_PER_QUERY
from edgewright_benchmarks.scenarios.messages import GenerateLoad, StreamsOpen
from edgewright_benchmarks.scenarios.search import RateFound, highest_rate
from edgewright_benchmarks.scenarios.settings import ScenarioSettings
from edgewright_benchmarks.scenarios.worker import LoadProcess
from edgewright_benchmarks.statistics.bounds import significant
from edgewright_benchmarks.statistics.log_means import log_mean
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

# For these queries a run may take so many times as long as it was asked to.
_STRETCH: Final = 10
# Where the search for a rate begins, as a share of what the streams could answer without ever waiting.
_FIRST_SHARE: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class LoadedEngine:
    """What is put under load: an engine of a package with its threads, and the samples that it is given."""

    package: Path
    engine: str
    threads: int
    samples: Sequence[Any]


def under_load(
    result: Result, package: Path, samples: Sequence[Any], settings: ScenarioSettings, progress: Progress
) -> Result:
    """The result of a bench with the scenarios of the engine that runs here.

    Raises:
        InputError: The folder of logs cannot be written.
    """
    chosen = result.engine(result.chosen)
    if chosen.status == "failed":
        return replace(result, warnings=(*result.warnings, f"No scenario was run, as {chosen.name} failed."))
    engine = LoadedEngine(
        package=package, engine=chosen.name, threads=chosen.threads or result.settings.threads, samples=samples
    )
    with machine_to_itself(progress):
        found, problems = measure_scenarios(engine, settings, progress)
    engines = tuple(replace(one, scenarios=found) if one is chosen else one for one in result.engines)
    return replace(result, engines=engines, warnings=(*result.warnings, *problems))


def measure_scenarios(
    engine: LoadedEngine, settings: ScenarioSettings, progress: Progress
) -> tuple[tuple[ScenarioResult, ...], tuple[str, ...]]:
    """All scenarios of the engine with all points of their sweeps, and why others have no result, as sentences.

    LoadGen's files are in the folder of logs, one folder a run, when this returns; before, nothing is there.

    Raises:
        InputError: The folder of logs cannot be written.
    """
    results: list[ScenarioResult] = []
    problems: list[str] = []
    longest = 2 * _STRETCH * (settings.seconds + max(map(settings.run_seconds, settings.scenarios)))
    total = sum(len(settings.points(scenario)) for scenario in settings.scenarios)
    bar = progress.bar("scenarios", total)
    with tempfile.TemporaryDirectory() as folder:
        for streams in sorted({one for name in settings.scenarios for one, _ in settings.points(name)}):
            points = [
                (name, batch) for name in settings.scenarios for one, batch in settings.points(name) if one == streams
            ]
            try:
                with LoadProcess(longest) as process:
                    at_work = _AtWork(process, engine, settings, streams, Path(folder))
                    for name, batch in points:
                        results.append(at_work.scenario(name, batch))
                        bar.update()
            except WorkerError as error:
                words = f"{streams} streams" if streams > 1 else "one stream"
                problems.append(f"Scenarios of {words} could not be run to the end: {error}")
        bar.close()
        _keep_logs(Path(folder), settings.logs)
    order = list(settings.scenarios)
    results.sort(key=lambda one: (order.index(one.scenario), one.streams, one.batch))
    return tuple(results), tuple(problems)


def _keep_logs(made: Path, kept: Path) -> None:
    try:
        for folder in sorted(made.iterdir()):
            # Of an earlier bench with more runs nothing must stay that looks like a run of this one.
            shutil.rmtree(kept / folder.name, ignore_errors=True)
            shutil.copytree(folder, kept / folder.name)
    except OSError as error:
        raise InputError(f"The folder '{kept}' for LoadGen's files cannot be written: {error.strerror}.") from error


class _AtWork:
    """An open process, and what it runs."""

    def __init__(
        self, process: LoadProcess, engine: LoadedEngine, settings: ScenarioSettings, streams: int, folder: Path
    ) -> None:
        self._process, self._settings, self._folder = process, settings, folder
        self._streams, self._threads = streams, max(1, engine.threads // streams)
        self._opened: StreamsOpen = process.open_streams(
            engine.package, engine.engine, self._threads, streams, engine.samples
        )
        self._failed: dict[int, str] = {}

    def scenario(self, name: Scenario, batch: int) -> ScenarioResult:
        """Run one scenario with calls of at most `batch` samples."""
        self._failed = {}
        label = point_label(name, batch, self._streams)
        runs: list[LoadRun] = []
        if name == "server":
            found = self._search(label, batch, runs)
            figure = found.kept
            low, high = (figure or 0.0), (found.refused or figure or 0.0)
        else:
            requests = (self._request(name, label, batch, number) for number in range(self._settings.runs))
            runs.extend(map(self._run, requests))
            figure, low, high = _mean([run.figure(name) for run in runs])
        return ScenarioResult(
            scenario=name,
            rung="measured",
            streams=self._streams,
            threads=self._threads,
            batch=batch,
            together=batch > 1 and not self._opened.alone,
            limit=self._settings.limit if name == "server" else None,
            figure=figure,
            low=low,
            high=high,
            runs=tuple(runs),
            failed_samples=tuple(index + 1 for index in sorted(self._failed)),
            loadgen=self._opened.loadgen,
            notes=self._notes(name, batch, runs, figure),
            seconds=self._settings.run_seconds(name),
        )

    def _request(self, name: Scenario, label: str, batch: int, number: int) -> GenerateLoad:
        seconds = self._settings.run_seconds(name)
        each = self._opened.call * (SAMPLES_PER_QUERY if name == "multi-stream" else 1) / self._streams
        affordable = max(1, int(_STRETCH * seconds / each))
        return GenerateLoad(
            scenario=name,
            folder=str(self._folder / label / f"run-{number + 1}"),
            log=f"{label}/run-{number + 1}",
            seconds=seconds,
            queries=min(QUERIES[name], affordable),
            call=self._opened.call / self._streams,
            batch=batch,
            seed=number,
        )

    def _run(self, request: GenerateLoad) -> LoadRun:
        Path(request.folder).mkdir(parents=True)
        made = self._process.generate(request)
        for index in made.failed:
            self._failed.setdefault(index, made.first_failure)
        return made.run

    def _search(self, label: str, batch: int, runs: list[LoadRun]) -> RateFound:
        limit = self._settings.limit
        assert limit is not None

        def keeps(rate: float) -> bool:
            request = self._request("server", label, batch, len(runs))
            queries = min(QUERIES["server"], max(1, int(_STRETCH * request.seconds * rate)))
            runs.append(self._run(replace(request, queries=queries, rate=rate, limit=limit)))
            return _keeps(runs[-1])

        start = _FIRST_SHARE * self._streams / self._opened.call
        if self._opened.call > limit:
            # A call alone is longer: one run shows it, and lower rates would show it again.
            return highest_rate(keeps, start / 10, most_runs=1)
        return highest_rate(keeps, start)

    def _notes(self, name: Scenario, batch: int, runs: Sequence[LoadRun], figure: float | None) -> tuple[str, ...]:
        found: list[str] = []
        if name == "server" and figure is None:
            lowest = min(runs, key=lambda run: run.target_rate or 0.0)
            found.append(
                f"No rate was found that keeps {_milliseconds(self._settings.limit or 0.0)}: at "
                f"{significant(lowest.target_rate or 0.0)} samples a second the 99th percentile was "
                f"{_milliseconds(lowest.p99)}; one call alone takes {_milliseconds(self._opened.call)}."
            )
        if batch > 1 and self._opened.alone:
            found.append(f"Samples of a call were answered one by one. {self._opened.alone}")
        if self._failed:
            numbers = first_few(index + 1 for index in sorted(self._failed))
            first = self._failed[min(self._failed)]
            found.append(
                f"{len(self._failed):,} samples failed, so the figure says little: {numbers}. Sample "
                f"{min(self._failed) + 1}: {first}"
            )
        return tuple(found)


def _keeps(run: LoadRun) -> bool:
    """Whether a rate is kept: where there were queries enough, LoadGen must be sure of it."""
    enough = run.queries >= QUERIES["server"]
    return bool(run.kept) and not run.failed and (run.valid or not enough)


def _mean(values: Sequence[float]) -> tuple[float | None, float, float]:
    """The mean of runs and its interval; none where a run has no figure."""
    if not values or min(values) <= 0:
        return None, 0.0, 0.0
    mean = log_mean(values)
    return mean.value, mean.low, mean.high


def _milliseconds(seconds: float) -> str:
    return f"{significant(1000 * seconds)} ms"
