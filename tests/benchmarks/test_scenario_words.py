"""Scenarios in words: what LoadGen thinks of a value, and a table that a terminal of 80 columns holds."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

from benchmarks.report_fixtures import CHOSEN, build_result
from benchmarks.test_gate_scenarios import load_run, loaded, server
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.scenario_result import ScenarioResult
from edgewright_benchmarks.scenarios import measure
from edgewright_benchmarks.scenarios.messages import GenerateLoad, LoadGenerated, StreamsOpen
from edgewright_benchmarks.scenarios.settings import ScenarioSettings
from edgewright_benchmarks.scenarios.words import scenario_notes, scenario_rows
from edgewright_cli.scenarios import scenario_text

FEW = (load_run(valid=False, early_stopping=False, queries=11, target_rate=100.0),)
WIDE = {"figure": 123_456.0, "low": 123_000.0, "high": 124_000.0}


def short(limit: float) -> ScenarioResult:
    """A server whose rate comes of 11 queries."""
    return replace(server(100.0, 104.0, limit=limit), runs=FEW)


def wide() -> tuple[ScenarioResult, ...]:
    points = [(1, 1), (4, 2), (4096, 256)]
    return (
        loaded("single-stream", [load_run()]),
        *(loaded("multi-stream", [load_run()], batch=batch, streams=streams) for batch, streams in points),
        *(loaded("offline", [load_run()], batch=batch, streams=streams, **WIDE) for batch, streams in points),
        *(replace(short(0.02), batch=batch, streams=streams) for batch, streams in points),
    )


def test_too_few_queries_are_said_with_what_to_do() -> None:
    """Runs of 2 seconds have 11 queries; 662 need 121 seconds."""
    (row,) = scenario_rows([short(0.02)])
    assert row[-1] == "too few queries"
    (note,) = scenario_notes([short(0.02)])
    assert "Too few queries for LoadGen to call a run valid: server (11 of 662)." in note
    assert "--scenario-seconds 121 or more" in note
    (alone,) = scenario_notes([replace(short(0.02), seconds=0.0)])
    assert "pass longer --scenario-seconds" in alone


def test_several_points_have_one_note() -> None:
    (note,) = scenario_notes([short(0.02), replace(short(0.02), batch=4, streams=2)])
    assert "server (11 of 662), server-batch4-streams2 (11 of 662)." in note


def test_another_reason_is_in_the_words_of_loadgen() -> None:
    runs = [load_run(), load_run(valid=False, reason="Increase the expected QPS."), load_run()]
    one = loaded("offline", runs)
    assert scenario_rows([one])[0][-1] == "2 of 3 valid"
    (note,) = scenario_notes([one])
    assert "offline: LoadGen, which judges each run, calls 1 of 3 runs invalid: Increase the expected QPS." in note


def test_runs_with_too_few_queries_are_not_valid_beside_a_run_with_another_reason() -> None:
    runs = [load_run(), load_run(valid=False, reason="Increase it."), load_run(valid=False, queries=5)]
    one = loaded("multi-stream", runs)
    assert scenario_rows([one])[0][-1] == "1 of 3 valid"
    few, other = scenario_notes([one])
    assert "multi-stream (5 of 662)" in few
    assert "calls 1 of 3 runs invalid for another reason than too few queries: Increase it." in other


def test_a_long_limit_has_longer_runs_and_the_advice_is_of_these_by_a_stand_in_for_loadgen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit of 1 s takes runs of 20 s; with 100 queries in each, 662 take 133 s, and not 14."""
    requests: list[GenerateLoad] = []

    class StandIn:
        """Keeps rates below 6 samples a second, and has 100 queries in each run."""

        def __init__(self, seconds: float) -> None:
            assert seconds > 20

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *error: object) -> None: ...

        def open_streams(self, *asked: Any) -> StreamsOpen:
            return StreamsOpen(call=0.1, alone="", loadgen="6.0.17")

        def generate(self, request: GenerateLoad) -> LoadGenerated:
            requests.append(request)
            kept = request.rate is None or request.rate < 6
            run = load_run(valid=False, queries=100, target_rate=request.rate, kept=kept, log=request.log)
            return LoadGenerated(run, (), "")

    monkeypatch.setattr(measure, "LoadProcess", StandIn)
    engine = measure.LoadedEngine(package=tmp_path, engine="cpu", threads=1, samples=["a"])
    settings = ScenarioSettings(scenarios=("offline", "server"), limit=1.0, seconds=2.0, runs=1, logs=tmp_path / "logs")
    (offline, server), problems = measure.measure_scenarios(engine, settings, Quiet())
    assert not problems
    assert (offline.seconds, server.seconds) == (2.0, 20.0)
    assert {(one.scenario, one.seconds) for one in requests} == {("offline", 2.0), ("server", 20.0)}
    (note,) = scenario_notes([server])
    assert "--scenario-seconds 133 or more" in note


def test_valid_runs_need_no_note() -> None:
    """A run that a search refused is no doubt about the rate that it kept."""
    one = server(100.0, 104.0)
    one = replace(one, runs=(one.runs[0], replace(one.runs[1], valid=False)))
    assert scenario_rows([one])[0][-1] == "valid"
    assert not scenario_notes([one])


@pytest.mark.parametrize("columns", [80, 60])
def test_a_terminal_holds_it(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    engine = replace(
        build_result().engine(CHOSEN), name="x86-64-openvino-int8-dynamic-of-a-long-name", scenarios=wide()
    )
    text = scenario_text(engine)
    assert max(map(len, text.splitlines())) <= (80 if columns == 80 else 72), text
    words = " ".join(text.split())
    for part in ("123,456/s", "123,000 to 124,000", "too few queries", "samples a second, p99 within 20.0 ms"):
        assert part in words, text


def test_reports_say_it_too() -> None:
    made = build_result(kind="bench")
    engines = tuple(replace(one, scenarios=(short(0.02),)) if one.name == CHOSEN else one for one in made.engines)
    for render in (render_markdown, render_html):
        page = render(replace(made, engines=engines))
        assert "too few queries" in page
        assert "server (11 of 662)" in page
