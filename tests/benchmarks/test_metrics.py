"""The table of metrics, and that whatever shows a metric has its words and figures from there."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from benchmarks.report_fixtures import CHOSEN, build_result
from benchmarks.test_families import FAMILIES
from edgewright_benchmarks.accuracy.by_name import BY_NAME
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.metrics import (
    METRICS,
    SHARE,
    metric_span,
    metric_title,
    metric_value,
    metric_words,
    metrics_table,
)
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.tasks import TASKS, Task, find_task
from edgewright_benchmarks.truth.ground_truth import NOTHING
from edgewright_cli.summary import result_text
from scoring import score

DOCUMENT = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
# Its bounds are beyond the figures with two decimals, whatever the unit.
INTERVAL = Interval(0.91234, 0.876543, 0.934561)


def measured_by(metric: str) -> Result:
    """A result whose engines have this metric alone."""
    result = build_result()
    engines = (
        replace(one, accuracy=one.accuracy and replace(one.accuracy, metrics={metric: INTERVAL}))
        for one in result.engines
    )
    return replace(result, engines=tuple(engines))


def text_of_page(result: Result) -> str:
    return unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", render_html(result), flags=re.DOTALL))


@pytest.mark.parametrize("metric", METRICS)
def test_bounds_are_rounded_outwards(metric: str) -> None:
    factor = METRICS[metric].unit.factor
    low, high = (float(re.sub(r"[^\d.]", "", part)) for part in metric_span(metric, INTERVAL).split(" to "))
    assert low < factor * INTERVAL.low < factor * INTERVAL.high < high


@pytest.mark.parametrize("metric", METRICS)
def test_every_place_shows_the_words_of_the_table(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    result = measured_by(metric)
    title, value = metric_title(metric, "accuracy", first=True), metric_value(metric, INTERVAL.value)
    for text in (text_of_page(result), render_markdown(result)):
        plain = " ".join(text.split()).replace("\\", "")
        assert title in plain
        assert " ".join(value.split()) in plain
        assert " ".join(metric_span(metric, INTERVAL).split()) in plain
    terminal = result_text(result)
    assert f"{metric_words(metric)} on 1,000 samples" in " ".join(terminal.split())
    assert value in terminal
    assert f"{title} {value}" in FAMILIES._cells(result.engine(CHOSEN), result)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("task", TASKS, ids=[task.name for task in TASKS])
def test_every_metric_of_a_task_is_in_the_table(task: Task, labelled: bool) -> None:
    names = task.metric(labelled=labelled).names
    assert set(names) <= set(METRICS)
    # Drops are in percentage points of the first.
    assert METRICS[names[0]].unit is SHARE
    assert METRICS[names[0]].higher_is_better


def test_every_row_of_the_table_is_a_metric_of_a_task_or_has_a_name() -> None:
    metrics = [task.metric(labelled=labelled) for task in TASKS for labelled in (True, False)]
    metrics += [metric for _, metric in BY_NAME.values()]
    assert {name for metric in metrics for name in metric.names} == set(METRICS)


def test_a_metric_that_is_not_declared_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = find_task("text-classification").metric(labelled=True)
    outputs = [np.array([0.1, 0.9])] * 4
    assert set(score(metric, outputs, [1] * 4, outputs).metrics) <= set(metric.names)
    monkeypatch.setattr(metric, "names", ("accuracy",))
    with pytest.raises(AssertionError, match="names leaves out"):
        score(metric, outputs, [1] * 4, outputs)


def test_the_documents_have_the_table() -> None:
    assert metrics_table() in DOCUMENT


def test_the_documents_have_each_metric_by_name() -> None:
    for name, (_, metric) in BY_NAME.items():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", DOCUMENT, re.MULTILINE)
        assert METRICS[metric.names[0]].title in row


@pytest.mark.parametrize("task", TASKS, ids=[task.name for task in TASKS])
def test_the_documents_say_what_a_task_is_measured_by(task: Task) -> None:
    labelled = task.truth is not NOTHING
    titles = "; ".join(METRICS[name].title for name in task.metric(labelled=labelled).names)
    (row,) = re.findall(rf"^\| `{re.escape(task.name)}` \|.*$", DOCUMENT, re.MULTILINE)
    assert row.split(" | ")[2] == (titles if labelled else f"{titles} (against float)")


def test_titles_tell_metrics_apart() -> None:
    assert len({facts.title for facts in METRICS.values()}) == len(METRICS)


def test_a_metric_of_another_version_is_shown_as_well() -> None:
    assert metric_title("new_share", "accuracy", first=True) == "New share"
    assert metric_value("new_share", 0.5) == "50.00%"
