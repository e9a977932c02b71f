"""A cold start in parts: real fresh processes, intervals of few readings, and where results show them."""

from __future__ import annotations

import itertools
import json
import math
import time
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np
import pytest

from benchmarks.report_fixtures import BASELINE, CHOSEN, bench_result
from edgewright_benchmarks.costs import COLD_START_PARTS, ColdStart
from edgewright_benchmarks.devices.engine_worker import EngineWorker, WorkerError
from edgewright_benchmarks.devices.here import ThisMachine
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.gate.stored import compare_results
from edgewright_benchmarks.measuring.cold_starts import cold_start_of, read_cold_starts
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import read_result, write_result
from edgewright_benchmarks.statistics.medians import median_interval
from edgewright_runtime.responses import ColdStarted
from edgewright_targets import InputError

PACKAGE = Path(__file__).parents[1] / "data" / "format-1"
ENGINE = "tiny-cpu-fp32"
SAMPLE = {"pixels": np.zeros((1, 8), dtype=np.float32)}


def parts_of(started: ColdStarted) -> list[float]:
    return [getattr(started, part) for part in COLD_START_PARTS]


def test_the_parts_of_a_cold_start_sum_to_the_whole() -> None:
    with WorkerProcess() as worker:
        worker.keep([SAMPLE])
        before = time.perf_counter()
        started = worker.cold_start(PACKAGE, ENGINE, 1)
        seen = time.perf_counter() - before
    resolution = time.get_clock_info("perf_counter").resolution
    assert started.whole == pytest.approx(sum(parts_of(started)), abs=resolution, rel=1e-12)
    assert all(part > 0 for part in parts_of(started))
    # The whole is less than what another process sees, which also waits for its end.
    assert started.whole < seen


def test_an_engine_that_cannot_start_is_told_with_its_reason() -> None:
    with WorkerProcess() as worker:
        worker.keep([SAMPLE])
        with pytest.raises(WorkerError, match="has no engine 'other'"):
            worker.cold_start(PACKAGE, "other", 1)
        worker.keep([{"x": np.zeros(1)}])
        with pytest.raises(WorkerError, match="The model has no input 'x'"):
            worker.cold_start(PACKAGE, ENGINE, 1)


class Told(WorkerProcess):
    """A worker of this machine that notes which engines it starts."""

    def __init__(self, started: list[str]) -> None:
        super().__init__()
        self._started = started

    def cold_start(self, package: PurePath, engine: str, threads: int | None) -> ColdStarted:
        self._started.append(engine)
        return super().cold_start(package, engine, threads)


class ToldMachine(ThisMachine):
    """This machine, as a device that notes which engines its workers start."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[str] = []

    def worker(self) -> EngineWorker:
        return Told(self.started)


@pytest.mark.slow
def test_engines_of_two_devices_start_each_on_its_own() -> None:
    first, second = ToldMachine(), ToldMachine()
    readings = {name: Readings() for name in ("one", "two", "three")}
    devices = {"one": first, "two": second, "three": second}
    places: dict[str, tuple[PurePath, str]] = dict.fromkeys(readings, (PACKAGE, ENGINE))
    places["three"] = (PACKAGE, "other")
    read_cold_starts(devices, places, [SAMPLE], MeterSettings(cold_starts=1), readings, Quiet())
    # The first start of each is not counted; what cannot start is not tried again.
    assert (first.started, second.started) == ([ENGINE] * 2, [ENGINE, "other", ENGINE])
    assert [len(found.cold_starts) for found in readings.values()] == [1, 1, 0]
    assert "has no engine 'other'" in (readings["three"].failure or "")


def test_a_median_has_the_interval_that_its_readings_allow() -> None:
    """The coverage of all pairs of ordered readings, counted out over all ways to fall below the median or above."""
    for count in range(1, 12):
        values = [float(one) for one in range(count)]
        found = median_interval(values, 0.9)
        # A reading is below the true median or above it, each with one half.
        ways = [sum(way) for way in itertools.product((0, 1), repeat=count)]
        covered = sum(found.low < below <= found.high for below in ways) / len(ways)
        assert found.confidence == pytest.approx(min(0.9, covered))
        if covered > 0.9 and found.low + 1 <= found.high - 1:
            assert sum(found.low + 1 < below <= found.high - 1 for below in ways) / len(ways) < 0.9
        assert found.value == np.median(values)


def started(whole: float) -> ColdStarted:
    return ColdStarted(
        process=0.1 * whole,
        imports=0.4 * whole,
        open=0.1 * whole,
        compile=0.3 * whole,
        first_answer=0.1 * whole,
        whole=whole,
    )


def cold(*wholes: float) -> ColdStart:
    found = cold_start_of([started(whole) for whole in wholes], 0.95)
    assert found is not None
    return found


def with_cold_starts(result: Result, **starts: ColdStart) -> Result:
    def changed(engine: EngineResult) -> EngineResult:
        return replace(engine, cold_start=starts.get("chosen" if engine.name == CHOSEN else "base"))

    engines = [changed(engine) if engine.name in (BASELINE, CHOSEN) else engine for engine in result.engines]
    return replace(result, engines=tuple(engines))


def test_no_reading_has_no_cold_start_and_one_has_no_confidence() -> None:
    assert cold_start_of([], 0.95) is None
    one = cold(0.5)
    assert (one.whole.low, one.whole.high, one.whole.confidence) == (0.5, 0.5, 0.0)


def test_cold_starts_are_in_the_result_and_results_without_them_have_no_key(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    plain = bench_result()
    write_result(plain, path)
    assert "cold_start" not in path.read_text(encoding="utf-8")
    assert read_result(path) == plain
    result = with_cold_starts(plain, chosen=cold(0.4, 0.5, 0.45))
    write_result(result, path)
    assert read_result(path) == result
    raw = json.loads(path.read_text(encoding="utf-8"))
    chosen = next(engine for engine in raw["engines"] if engine["name"] == CHOSEN)
    assert chosen["rung"] == "measured"
    assert [one["whole"] for one in chosen["cold_start"]["readings"]] == [0.4, 0.5, 0.45]
    assert math.isclose(chosen["cold_start"]["parts"]["imports"]["value"], 0.18)


def test_a_result_with_readings_that_cannot_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_result(with_cold_starts(bench_result(), chosen=cold(0.4, 0.5)), path)
    text = path.read_text(encoding="utf-8")
    for wrong in ("-0.4", "0", "NaN"):
        path.write_text(text.replace('"whole": 0.4', f'"whole": {wrong}'), encoding="utf-8")
        with pytest.raises(InputError, match=r"result.json: a time"):
            read_result(path)


def test_a_report_shows_the_parts_of_the_start_in_the_middle() -> None:
    result = with_cold_starts(bench_result(), chosen=cold(0.4, 0.5, 0.45, 0.44, 0.46, 0.47), base=cold(1.0))
    whole = "455 ms (95 % interval 400 to 500 ms, 6 starts)"
    parts = "process 45.0, import 180, open 45.0, compile 135, first answer 45.0"
    for shown in (render_html(result), render_markdown(result)):
        assert "in fresh processes, with the files in the page cache" in shown
        assert f"{whole}: {parts}" in shown
        assert "1,000 ms (1 start)" in shown
    page = render_html(result)
    assert "Cold starts of 2 engines" in page
    # The names of the parts stand above the bars.
    assert all(f">{title}</text>" in page for title in COLD_START_PARTS.values())
    assert "Cold start" not in render_html(bench_result())
    assert "Cold start" not in render_markdown(bench_result())


def test_the_gate_has_a_rule_for_cold_starts() -> None:
    base = with_cold_starts(bench_result(), chosen=cold(0.4, 0.41, 0.42, 0.4, 0.41, 0.42))
    slow = with_cold_starts(bench_result(), chosen=cold(0.6, 0.61, 0.62, 0.6, 0.61, 0.62))
    rules = ("cold_start > +20%",)
    assert compare_results(base, slow, rules).verdict == "fail"
    assert compare_results(base, base, rules).verdict == "pass"
    once = with_cold_starts(bench_result(), chosen=cold(0.6))
    assert compare_results(base, once, rules).verdict == "undecided"
    with pytest.raises(InputError, match="has no 'cold_start'") as refused:
        compare_results(base, bench_result(), rules)
    assert "--cold-starts 6" in refused.value.hint
