"""Rules on figures of scenarios: simulated runs with known answers, searches, and scenarios that are not alike."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.report_fixtures import BASELINE, CHOSEN, build_result
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.gate.comparison import GateResult
from edgewright_benchmarks.gate.figures import figure_named, scenario_point
from edgewright_benchmarks.gate.loaded import bench_options
from edgewright_benchmarks.gate.rows import change_rows
from edgewright_benchmarks.gate.rules import check_rules
from edgewright_benchmarks.gate.stored import compare_results
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.scenario_result import LoadRun, Scenario, ScenarioResult
from edgewright_targets import InputError


def load_run(**changes: Any) -> LoadRun:
    made = LoadRun(
        log="offline/run-1",
        valid=True,
        reason="",
        early_stopping=True,
        target_rate=None,
        kept=None,
        queries=700,
        rate=100.0,
        p50=0.01,
        p90=0.02,
        p95=0.02,
        p99=0.03,
        call=0.01,
        failed=0,
    )
    return replace(made, **changes)


def loaded(scenario: Scenario, runs: Sequence[LoadRun], **changes: Any) -> ScenarioResult:
    values = [run.figure(scenario) for run in runs]
    made = ScenarioResult(
        scenario=scenario,
        rung="measured",
        streams=1,
        threads=2,
        batch=1,
        together=False,
        limit=None,
        figure=float(np.exp(np.mean(np.log(values)))),
        low=min(values),
        high=max(values),
        runs=tuple(runs),
        failed_samples=(),
        loadgen="6.0.17",
        notes=(),
        seconds=2.0,
    )
    return replace(made, **changes)


def offline(rate: float, *, seed: int, runs: int = 5, noise: float = 0.01, **changes: Any) -> ScenarioResult:
    """Runs whose rates spread by `noise` around the one that is true."""
    rates = rate * np.exp(np.random.default_rng(seed).normal(0, noise, runs))
    return loaded("offline", [load_run(rate=float(one)) for one in rates], **changes)


def server(kept: float | None, refused: float | None, **changes: Any) -> ScenarioResult:
    """What a search found."""
    rates = [rate for rate in (kept, refused) if rate is not None]
    runs = [load_run(target_rate=rate, kept=rate == kept) for rate in rates]
    ends: dict[str, Any] = {"limit": 0.02, "figure": kept, "low": kept or 0.0, "high": refused or kept or 0.0}
    return loaded("server", runs, **(ends | changes))


@functools.cache
def bench() -> Result:
    """One for all, as its rounds take time to make."""
    return build_result(kind="bench")


def result(*scenarios: ScenarioResult) -> Result:
    made = bench()
    # Without calls of its own: their draws take time, and are not asked for.
    engines = (replace(one, scenarios=scenarios, latency=None) if one.name == CHOSEN else one for one in made.engines)
    return replace(made, engines=tuple(engines))


def compared(base: ScenarioResult, new: ScenarioResult, rules: str, **options: Any) -> GateResult:
    return compare_results(result(base), result(new), rules, **options)


def test_equal_rates_hardly_ever_fail_and_slower_ones_do() -> None:
    equal = [compared(offline(900, seed=2 * n), offline(900, seed=2 * n + 1), "offline.rate < -5%") for n in range(20)]
    slower = [compared(offline(900, seed=2 * n), offline(765, seed=2 * n + 1), "offline.rate < -5%") for n in range(20)]
    assert "fail" not in {one.verdict for one in equal}
    assert [one.verdict for one in slower].count("fail") >= 18
    assert "pass" not in {one.verdict for one in slower}
    (rule,) = slower[0].rules
    assert rule.sentence.startswith("Offline rate changed by -1")
    assert "below the limit of -5.00 %." in rule.sentence


def test_latencies_are_of_the_percentile_that_counts() -> None:
    runs = [[load_run(p90=0.02 * factor * one, p99=9.0) for one in (0.99, 1.0, 1.01)] for factor in (1.0, 1.3)]
    found = compared(loaded("single-stream", runs[0]), loaded("single-stream", runs[1]), "single-stream.p90 > +10%")
    (rule,) = found.rules
    assert rule.verdict == "fail"
    assert rule.value == pytest.approx(0.3)
    assert "Single stream p90 changed by +30.00 %" in rule.sentence
    _, *values = next(row.cells for row in change_rows(found) if row.cells[0] == "Single stream p90")
    assert values == ["20.0 ms", "26.0 ms", "+30.0 %", "+27.1 to +33.0 %"]


def test_undecided_says_how_many_runs_would_decide() -> None:
    """And one run decides nothing."""
    base, new = (offline(900, seed=seed, runs=3, noise=0.06) for seed in (3, 4))
    (rule,) = compared(base, new, "offline.rate < -5%").rules
    assert (rule.verdict, rule.counted) == ("undecided", "runs")
    assert rule.needed is not None
    assert rule.needed > 3
    assert "runs would decide; there are 3." in rule.sentence
    (lone,) = compared(offline(900, seed=1, runs=1), offline(90, seed=2, runs=1), "offline.rate < -5%").rules
    assert (lone.verdict, lone.needed) == ("undecided", 2)


@pytest.mark.parametrize(
    ("base", "new", "verdict"),
    [
        # What both searches left open, 4 %, is within the limit.
        (server(100.0, 104.0), server(100.0, 104.0), "pass"),
        (server(100.0, 104.0), server(97.0, 101.0), "undecided"),
        (server(100.0, 104.0), server(90.0, 94.0), "fail"),
        # It keeps no rate at all, and of the base 100 a second.
        (server(100.0, 104.0), server(None, 3.0), "fail"),
        # No rate was refused: nothing is known above.
        (server(100.0, 104.0), server(100.0, None), "pass"),
        (server(100.0, None), server(100.0, 104.0), "undecided"),
    ],
)
def test_a_server_is_decided_by_what_its_search_left_open(
    base: ScenarioResult, new: ScenarioResult, verdict: str
) -> None:
    (rule,) = compared(base, new, "server.rate < -5%").rules
    assert rule.verdict == verdict, rule.sentence
    assert ("what the searches left open: give the limit more room" in rule.sentence) == (verdict == "undecided")
    assert "95 %" not in rule.sentence


@pytest.mark.parametrize(
    ("base", "new", "rule", "words"),
    [
        (server(100.0, 104.0), server(100.0, None), "server.rate < -5%", "-3.85 % to no upper end)"),
        (server(100.0, 104.0), server(100.0, None), "server.rate < 90", "100/s to no upper end)"),
        (server(100.0, None), server(100.0, 104.0), "server.rate < -5", "no lower end to +4.00/s)"),
    ],
)
def test_where_no_rate_was_refused_there_is_no_end(
    base: ScenarioResult, new: ScenarioResult, rule: str, words: str
) -> None:
    found = compared(base, new, rule)
    assert words.replace("/s", " /s") in found.rules[0].sentence
    (*_, interval) = next(row.cells for row in change_rows(found) if row.cells[0] == "Server rate")
    assert interval == ("-100.0 to +4.0 %" if base.runs[-1].kept else "-3.8 % to no upper end")


def test_one_run_is_one_reading_and_not_exact() -> None:
    found = compared(offline(900, seed=1, runs=1), offline(800, seed=2, runs=1), "offline.rate < -5%")
    cells = {row.cells[0]: row.cells for row in change_rows(found)}
    assert cells["Offline rate"][-1] == "one reading"
    assert cells["Size"][-1] == "exact"


def test_a_base_that_keeps_no_rate_has_no_relative_change() -> None:
    with pytest.raises(InputError, match=r"the server.rate of the base is zero"):
        compared(server(None, 3.0), server(100.0, 104.0), "server.rate < -5%")
    assert compared(server(None, 3.0), server(100.0, 104.0), "server.rate < 90").verdict == "pass"


@pytest.mark.parametrize(
    ("base", "new", "rules"),
    [
        (offline(900, seed=2), offline(765, seed=1), "offline.rate < -5%"),
        (server(100.0, 104.0), server(85.0, 88.0), "server.rate < -5%"),
    ],
)
def test_a_slower_machine_is_not_a_slower_package(base: ScenarioResult, new: ScenarioResult, rules: str) -> None:
    """By what the float baseline moved between the two runs the interval is wider on both sides."""
    (sure,) = compared(base, new, rules).rules
    moved = replace(result(new), engines=tuple(map(_slower_baseline, result(new).engines)))
    (doubted,) = compare_results(result(base), moved, rules).rules
    assert (sure.verdict, doubted.verdict) == ("fail", "undecided")
    assert [1 + doubted.low, 1 + doubted.high] == pytest.approx([(1 + sure.low) / 1.2, (1 + sure.high) * 1.2])


def _slower_baseline(one: EngineResult) -> EngineResult:
    if one.latency is None or one.name != BASELINE:
        return one
    return replace(one, latency=replace(one.latency, p50=1.2 * one.latency.p50))


def test_points_of_a_sweep_have_names() -> None:
    point = offline(900, seed=1, batch=4, streams=2)
    assert point.figure_name == "offline.rate.batch4.streams2"
    assert scenario_point(point.figure_name) == ("offline", 4, 2)
    assert figure_named(point.figure_name).title == "Offline rate, batch 4, 2 streams"
    assert compared(point, replace(point, notes=()), "offline.rate.batch4.streams2 < -50%").verdict == "pass"
    for name in ("offline.rate.streams2.batch4", "offline.rate.batch1", "offline.p90", "single-stream.p90.batch4"):
        assert scenario_point(name) is None
        with pytest.raises(InputError, match="unknown figure"):
            compared(point, point, f"{name} < -5%")


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(InputError) as raised:
        compared(offline(900, seed=1), offline(900, seed=2), "offline.rate.batch8 < 5, first_token.64 > 5ms, load > 9s")
    assert "no 'offline.rate.batch8': its scenarios gave offline.rate (" in str(raised.value)
    assert "no 'first_token.64'" in str(raised.value)
    assert "--prompt-lengths 64" in str(raised.value)


def test_one_command_measures_all_points() -> None:
    names = ["server.rate.batch4", "offline.rate.batch4.streams2", "offline.rate"]
    options = bench_options(names, None)
    assert options == "--scenario server,offline --latency-limit 20ms --sweep batch=1,4 --sweep streams=1,2"
    assert bench_options(["server.rate"], 0.05) == "--scenario server --latency-limit 50ms"


def test_build_files_name_them_too() -> None:
    check_rules("server.rate < -5%, single-stream.p90 > +10%, offline.rate.batch4.streams2 < -5%, first_token.64 > 9ms")
    with pytest.raises(InputError, match=r"Did you mean 'server.rate'"):
        check_rules("server.rates < -5%")


@pytest.mark.parametrize(
    ("base", "rule", "words"),
    [
        (
            result(),
            "server.rate < -5%",
            ["The base side has no 'server.rate': no scenario was run", "server --latency"],
        ),
        (
            result(offline(900, seed=1)),
            "server.rate.batch4 < -5%",
            ["its scenarios gave offline.rate (", "--scenario server --latency-limit 20ms --sweep batch=4 -o FILE"],
        ),
        (
            result(),
            "offline.rate.streams2 < 5",
            ["edgewright bench PACKAGE --data DATA --scenario offline --sweep str"],
        ),
    ],
)
def test_a_scenario_that_was_not_run_is_named_with_its_command(base: Result, rule: str, words: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        compare_results(base, result(server(100.0, 104.0)), rule)
    assert all(word in str(raised.value) for word in words), raised.value


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"limit": 0.05}, "latency limit of server: '20.0 ms' and '50.0 ms'"),
        ({"threads": 1}, "threads of a stream of server: '2' and '1'"),
        ({"loadgen": "5.1"}, "LoadGen of server: '6.0.17' and '5.1'"),
        ({"seconds": 10.0}, "seconds of a run of server: '2' and '10'"),
        ({"together": True}, "samples of a call together of server: 'False' and 'True'"),
    ],
)
def test_scenarios_with_other_settings_are_unlike(changes: dict[str, Any], words: str) -> None:
    base, new = server(100.0, 104.0), server(100.0, 104.0, **changes)
    with pytest.raises(InputError, match="not alike") as raised:
        compared(base, new, "server.rate < -5%")
    assert words in str(raised.value)
    assert compared(base, new, "server.rate < -5%", force=True).verdict == "pass"


def test_what_a_result_does_not_say_is_not_another_setting() -> None:
    assert not compared(server(9.0, 9.1, seconds=0.0), server(9.0, 9.1), "server.rate < -5%").unlike


def test_doubts_about_a_load_are_said_beside_its_figures() -> None:
    few = server(100.0, 104.0)
    few = replace(few, runs=tuple(replace(run, valid=False, queries=40) for run in few.runs))
    found = compared(server(100.0, 104.0), few, "server.rate < -5%", sources=("a.json", "b.json"))
    assert any(one.startswith("b.json: Too few queries for LoadGen") for one in found.warnings)
    assert not any(one.startswith("a.json: ") for one in found.warnings)
