"""An engine under the load of MLCommons LoadGen: its figures, its own files, sweeps, and what cannot be run."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from command import PROGRAM, QUICK, Command
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.result_files import read_result
from edgewright_benchmarks.scenarios.loadgen import read_log
from edgewright_benchmarks.scenarios.measure import LoadedEngine, measure_scenarios
from edgewright_benchmarks.scenarios.settings import ScenarioSettings
from edgewright_runtime import Package

# One thread, as tests run beside one another.
SHORT = (*QUICK, "--threads", "1", "--scenario-seconds", "0.1")


def chosen(path: Path) -> EngineResult:
    result = read_result(path)
    return result.engine(result.chosen)


def test_four_scenarios_by_loadgen(command: Command, built_text: Path, sources: Path) -> None:
    logs, output = command.folder / "logs", command.folder / "result.json"
    markdown, page = command.folder / "report.md", command.folder / "report.html"
    asked = ("--scenario", "server,offline", "--scenario", "single-stream,multi-stream", "--latency-limit", "5ms")
    data = ("--data", sources / "validation.csv")
    outcome = command(
        "bench", built_text, *data, *SHORT, *asked, "--scenario-logs", logs, "-o", output, "--report", markdown
    )
    assert outcome.code == 0, outcome.err
    found = {one.scenario: one for one in chosen(output).scenarios}
    assert list(found) == ["single-stream", "multi-stream", "offline", "server"]
    for name, one in found.items():
        assert one.rung == "measured"
        assert not one.failed_samples
        if name == "server":
            # On a machine that is busy enough no rate is kept; the highest that was is the figure.
            kept = [run.target_rate or 0.0 for run in one.runs if run.kept and not run.failed and run.valid]
            assert one.figure in ([max(kept)] if kept else [None, *(run.target_rate for run in one.runs)])
        else:
            assert one.figure is not None
            assert one.low <= one.figure <= one.high
        for run in one.runs:
            # What the result says is what LoadGen wrote: its files are kept for each run.
            log = read_log(logs / run.log / "mlperf_log_detail.txt")
            assert log["result_validity"] == ("VALID" if run.valid else "INVALID")
            assert str(log["effective_scenario"]).lower() == name.replace("-", "")
            assert log["result_query_count"] == run.queries
    assert found["server"].limit == 0.005
    # LoadGen adds to a call, and takes nothing away: in one stream queries are calls.
    single = found["single-stream"].runs[0]
    assert single.p50 >= 0.9 * single.call > 0
    assert [len(found[name].runs) for name in ("single-stream", "multi-stream", "offline")] == [3, 3, 3]
    text = " ".join(outcome.out.split())
    for words in ("samples a second, p99 within 5.00 ms", "single-stream", "not a submission to MLPerf", str(logs)):
        assert words in text
    assert "| server | 1 | 1 | samples a second, p99 within 5.00 ms |" in markdown.read_text(encoding="utf-8")
    from edgewright_benchmarks.report import render_html

    page.write_text(render_html(read_result(output)), encoding="utf-8")
    assert '<th scope="row">multi-stream</th>' in page.read_text(encoding="utf-8")
    # A gate has rules on what was just measured.
    rules = "server.rate < 0, offline.rate < -99%, single-stream.p90 > +0%, multi-stream.p99 < 1us"
    judged = command("compare", output, output, "--fail-on", rules)
    assert judged.code == 0, judged.err
    assert all(f"  {rule}: " in judged.out for rule in rules.split(", "))
    missing = ["no 'offline.rate.batch4': its scenarios gave", "--scenario offline --sweep batch=4"]
    command.refuses("compare", output, output, "--fail-on", "offline.rate.batch4 < 5", says=missing)


def test_a_limit_that_no_rate_keeps_is_a_result(command: Command, built_text: Path, sources: Path) -> None:
    output = command.folder / "result.json"
    asked = ("--scenario", "server", "--latency-limit", "1us", "--scenario-logs", command.folder / "logs")
    outcome = command("bench", built_text, "--data", sources / "validation.csv", *SHORT, *asked, "-o", output)
    assert outcome.code == 0, outcome.err
    (one,) = chosen(output).scenarios
    assert one.figure is None
    assert len(one.runs) == 1
    assert one.runs[0].kept is False
    assert "server: No rate was found that keeps 0.00100 ms: at" in " ".join(outcome.out.split())


def loaded(package: Path, samples: list[Any]) -> LoadedEngine:
    """The engine that a package prefers, with one thread."""
    return LoadedEngine(
        package=package, engine=next(iter(Package.open(package).manifest.engines)), threads=1, samples=samples
    )


def one_run(tmp_path: Path, **points: tuple[int, ...]) -> ScenarioSettings:
    return ScenarioSettings(scenarios=("offline",), limit=None, seconds=0.1, logs=tmp_path / "logs", runs=1, **points)


def test_sweeps_of_batches_and_streams(built_text: Path, tmp_path: Path) -> None:
    engine = loaded(built_text, ["lights on", "play music", "turn it off"])
    points, problems = measure_scenarios(engine, one_run(tmp_path, batches=(1, 4), streams=(1, 2)), Quiet())
    assert not problems
    names = ["offline.rate", "offline.rate.batch4", "offline.rate.streams2", "offline.rate.batch4.streams2"]
    assert [one.figure_name for one in points] == names
    for one in points:
        assert one.figure is not None
        assert one.together == (one.batch == 4), one.notes
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {one.label for one in points}


def test_a_graph_that_takes_one_sample_says_so(built_arrays: Path, tmp_path: Path) -> None:
    """And samples that fail are counted and listed."""
    samples: list[Any] = [{"pixels": np.zeros((1, 8), dtype=np.float32)} for _ in range(6)]
    samples[1] = samples[4] = {"pixels": np.zeros((1, 7), dtype=np.float32)}
    (one,), problems = measure_scenarios(loaded(built_arrays, samples), one_run(tmp_path, batches=(2,)), Quiet())
    assert not problems
    assert not one.together
    assert one.failed_samples == (2, 5)
    assert one.runs[0].failed > 0
    assert one.notes[0].startswith("Samples of a call were answered one by one. Of named arrays")
    assert one.notes[1].startswith("2 samples failed, so the figure says little: 2, 5. Sample 2: SampleError")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--scenario", "offlin"), ["no scenario 'offlin'", "single-stream, multi-stream, offline, server", "offline"]),
        (("--scenario", "server"), ["needs a limit", "--latency-limit 20ms"]),
        (("--scenario", "server", "--latency-limit", "20"), ["'20' is not a time", "20ms"]),
        (("--scenario", "server", "--latency-limit", "0ms"), ["'0ms' is not a time above zero"]),
        (("--scenario", "offline", "--latency-limit", "2ms"), ["--latency-limit needs the scenario 'server'"]),
        (("--latency-limit", "2ms"), ["--latency-limit needs --scenario"]),
        (("--scenario-runs", "2"), ["--scenario-runs needs --scenario"]),
        (("--sweep", "batch=0"), ["'batch=0' cannot be swept", "batch=1,2,4,8"]),
        (("--sweep", "cores=1,2"), ["'cores=1,2' cannot be swept", "streams=1,2,4"]),
        (("--sweep", "batch=1", "--sweep", "batch=2"), ["--sweep batch was given twice"]),
        (("--scenario", "single-stream", "--sweep", "batch=2"), ["one sample at a time"]),
        (("--scenario", "offline", "--device", "ssh://a@b"), ["--scenario cannot be used with --device"]),
        (("--scenario", "offline", "--scenario-seconds", "-1"), ["'-1' is not a number of seconds above zero"]),
        (("--scenario", "offline", "--data", "nothing.csv"), ["nothing.csv"]),
    ],
)
def test_what_cannot_be_run_is_refused_first(
    command: Command, built_text: Path, sources: Path, options: tuple[str, ...], says: list[str]
) -> None:
    command.refuses("bench", built_text, "--data", sources / "validation.csv", *options, says=says)


def test_a_folder_of_logs_that_is_a_file(command: Command, built_text: Path, sources: Path) -> None:
    options = ("--data", sources / "validation.csv", "--scenario", "offline", "--scenario-logs", sources / "labels.txt")
    command.refuses("bench", built_text, *options, says=["is a file; LoadGen's files need a folder"])


def test_without_loadgen_it_says_what_to_install(
    command: Command, built_text: Path, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlperf_loadgen", None)
    options = ("--data", sources / "validation.csv", "--scenario", "offline")
    command.refuses("bench", built_text, *options, says=["'mlperf_loadgen'", "pip install 'edgewright[loadgen]'"])


def test_ctrl_c_ends_a_run_and_leaves_nothing(built_text: Path, sources: Path, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    options = ("--scenario", "offline", "--scenario-seconds", "600", "--scenario-logs", logs)
    asked = [*PROGRAM, "bench", built_text, "--data", sources / "validation.csv", *QUICK, *options]
    bench = subprocess.Popen([str(part) for part in asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        workers: list[psutil.Process] = []
        while not workers:
            assert bench.poll() is None, bench.communicate()
            time.sleep(0.1)
            children = psutil.Process(bench.pid).children()
            with contextlib.suppress(psutil.Error):
                workers = [one for one in children if "edgewright_benchmarks.scenarios.process" in one.cmdline()]
        # Beyond the start of its Python, where Ctrl-C is a traceback of no one's making.
        while workers[0].num_threads() < 2:
            time.sleep(0.05)
        os.kill(bench.pid, signal.SIGINT)
        bench.communicate(timeout=600)
    finally:
        bench.kill()
    assert bench.returncode == 130
    assert not workers[0].is_running()
    assert not logs.exists()
