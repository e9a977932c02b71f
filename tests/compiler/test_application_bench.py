"""Applications measured as a whole: accuracy, latency, what steps take, and samples that fail."""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command import Command
from edgewright_benchmarks.accuracy.names import LabelledNames
from edgewright_benchmarks.applications.bench_whole import answer_all, bench_application, measure_application
from edgewright_benchmarks.applications.whole_data import read_whole_data
from edgewright_benchmarks.applications.whole_result import whole_result_from_json
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_cli import bench as bench_verb
from edgewright_cli import bench_application as bench_application_verb
from edgewright_compiler.applications import build_application
from edgewright_runtime import load
from edgewright_runtime.applications import load_application
from edgewright_runtime.applications.application import ApplicationPackage

QUICK = ("--rounds", "6", "--calls", "4")
JUDGE = """\
kind = "application"
answer = ["intent", "reply", "never"]

[input]
command = "text"

[model.intents]
package = "intents.ortpackage"

[step.intent]
model = "intents"
input.text = "command"

[step.reply]
do = "template"
input.intent = "intent.label"
options.text = "{intent} it is."

[step.never]
do = "template"
input.intent = "intent.label"
options.text = "Really {intent}?"
when = "intent.score > 1"

[metric]
intent = "accuracy"
"""
TEXTS = ("turn on the light", "lights off", "how warm is it", "play some music")


@pytest.fixture(scope="module")
def judge(built_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application of one model, with data beside it in which one answer is wrong: do not write into it."""
    folder = tmp_path_factory.mktemp("judge")
    shutil.copytree(built_text, folder / "intents.ortpackage")
    (folder / "judge.toml").write_text(JUDGE, encoding="utf-8")
    package = build_application(folder / "judge.toml", folder / "judge.ortpackage").package
    with load(built_text) as model:
        found = [model(text)[0]["label"] for text in TEXTS]
    rows = [f"{text},{label},{label} it is." for text, label in zip(TEXTS, found, strict=True)]
    rows[1] = rows[1].replace(found[1], "Something else")
    (folder / "test.csv").write_text("\n".join(["command,intent,reply", *rows]) + "\n", encoding="utf-8")
    return package


def test_the_whole_is_measured(judge: Path, command: Command, tmp_path: Path) -> None:
    data = judge.parent / "test.csv"
    report = tmp_path / "whole.html"
    done = command("bench", judge, "--data", data, *QUICK, "-o", tmp_path / "whole.json", "--report", report)
    assert done.code == 0, done.err
    assert max(map(len, done.out.partition("Written")[0].splitlines())) <= 80
    assert "'intent.score > 1' of the step 'never' never held on test.csv" in done.err_line
    written = json.loads((tmp_path / "whole.json").read_text(encoding="utf-8"))
    assert written.pop("digest").startswith("sha256:")
    result = whole_result_from_json(written, "whole.json")
    assert result.rung == "measured"
    intent, reply = result.values
    assert (intent.value, intent.metric, reply.value, reply.metric) == ("intent", "accuracy", "reply", "accuracy")
    assert intent.accuracy.metrics["accuracy"].value == 0.75
    assert intent.accuracy.metrics["accuracy"].low < 0.75 < intent.accuracy.metrics["accuracy"].high
    assert {step.name: (step.samples, step.calls) for step in result.steps} == {
        "intent": (4, 4),
        "reply": (4, 4),
        "never": (0, 0),
    }
    assert {step.name: step.held for step in result.steps} == {"intent": None, "reply": None, "never": 0}
    shares = {step.name: step.share for step in result.steps}
    assert shares["never"] == 0
    assert min(shares["intent"], shares["reply"]) > 0
    assert sum(shares.values()) <= 1
    assert len(result.latency.rounds) == 6
    assert {len(one) for one in result.latency.rounds} == {4}
    assert result.latency.p50 <= result.latency.p95 <= result.latency.p99
    assert result.latency.intervals["p99"].low <= result.latency.p99
    assert set(result.engines) == {"intents"}
    (model,) = result.models
    assert (model.name, model.task, model.engine) == ("intents", "text-classification", result.engines["intents"])
    assert model.rung == "measured"
    assert model.drop is not None
    page = report.read_text(encoding="utf-8")
    assert f"<td>{model.engine}</td>" in page
    assert "75.00%" in page
    assert "Written: " in done.out


def test_a_report_is_markdown_too_and_nothing_else(judge: Path, command: Command, tmp_path: Path) -> None:
    data = ("--data", judge.parent / "test.csv")
    command.refuses("bench", judge, *data, "--report", tmp_path / "whole.pdf", says=["a report ends in .html or .md"])
    report = tmp_path / "whole.md"
    assert command("bench", judge, *data, "--rounds", "2", "--calls", "2", "--report", report, "--quiet").code == 0
    assert "### judge: Accuracy of 'intent' 75.00%" in report.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [report]


def test_a_sample_that_fails_counts_as_wrong_and_is_listed(judge: Path) -> None:
    package = ApplicationPackage.open(judge)
    data = read_whole_data(judge.parent / "test.csv", package)
    # A text that the step cannot take at all: what a damaged file is for a model of pictures.
    broken: tuple[Any, ...] = (*data.samples[:3], {"command": 7})
    with load_application(package) as application:
        result = measure_application(application, replace(data, samples=broken), MeterSettings(rounds=2, calls=3))
        with pytest.raises(Exception, match="failed on all 2 samples"):
            answer_all(application, ({"command": 7}, {"command": 8}), Quiet())
    assert result.failed == 1
    assert result.failures[0].sample == 4
    assert "In the step 'intent'" in result.failures[0].reason
    assert result.values[0].accuracy.metrics["accuracy"].value == 0.5
    assert result.values[0].missing == 1
    assert result.steps[0].samples == 3


def test_data_without_ground_truth_gives_times_alone(judge: Path, tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_text("command\nlights off\nlights on\n", encoding="utf-8")
    result = bench_application(judge, tmp_path / "plain.csv", settings=MeterSettings(rounds=2, calls=2, samples=1))
    assert result.values == ()
    assert result.data.samples == 1
    assert any("has no ground truth" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "text,intent\nx,y\n", ["has no column 'command'", "its columns are: text, intent"]),
        ("a.csv", "command,intent\n,y\n", ["line 2: the command is empty"]),
        ("a.csv", "command,intent\n", ["has no samples"]),
        ("a.npz", "", ["a .csv, .tsv, .jsonl file"]),
        ("missing.csv", None, ["There is no data file"]),
    ],
)
def test_wrong_data_is_refused(
    judge: Path, command: Command, tmp_path: Path, name: str, text: str | None, says: list[str]
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    command.refuses("bench", judge, "--data", tmp_path / name, says=says)


def test_data_may_be_json_lines(judge: Path, tmp_path: Path) -> None:
    (tmp_path / "metadata.jsonl").write_text('{"command": "lights off", "intent": "a", "more": 3}\n', encoding="utf-8")
    data = read_whole_data(tmp_path, ApplicationPackage.open(judge))
    assert data.samples == ({"command": "lights off"},)
    assert data.labels == ({"intent": "a"},)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('intent = "acuracy"', ["judge-", ":26:", "metric 'acuracy', which is unknown", "accuracy"]),
        ('intent = "word_error_rate"', [":26:", "does not judge 'intent'", "Metrics of that type: accuracy."]),
        ('intents = "accuracy"', [":26:", "'intents' has a metric, and no step makes it"]),
    ],
)
def test_a_wrong_metric_is_refused_with_its_line(
    judge: Path, command: Command, tmp_path: Path, line: str, says: list[str]
) -> None:
    source = judge.parent / f"judge-{tmp_path.name}.toml"
    source.write_text(JUDGE.replace('intent = "accuracy"', line), encoding="utf-8")
    command.refuses("build", source, "-o", tmp_path / "new.ortpackage", says=says)


def test_options_of_one_model_are_refused(judge: Path, command: Command) -> None:
    for option in (("--cold-starts", "2"), ("--device", "ssh://nowhere"), ("--until", "2%"), ("--scenario", "offline")):
        command.refuses("bench", judge, "--data", "x.csv", *option, says=[f"{option[0]} is for the package of one"])


def test_an_empty_name_is_right_where_nothing_is_expected() -> None:
    from edgewright_benchmarks.applications.value_metrics import told

    found = told("accuracy", [None, "a ", [{"label": "b", "score": 1.0}], None])
    metric = LabelledNames()
    scores = metric.scores(found, metric.reference(["", "a", "b", "c"], found))
    assert np.array_equal(scores.column.right, [True, True, True, False])  # type: ignore[attr-defined]


def test_every_option_of_bench_is_taken_or_refused_by_an_application() -> None:
    parser = argparse.ArgumentParser()
    bench_verb.configure(parser)
    options = vars(parser.parse_args(["app.ortpackage", "--data", "x.csv"]))
    taken = {"package", "data", "output", "report", "confidence", "samples", "rounds", "calls", "threads", "seed"}
    refused = bench_application_verb._OF_ONE_MODEL
    assert set(options) - taken == set(refused)
    assert {name: options[name] for name in refused} == refused
