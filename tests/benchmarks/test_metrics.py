"""The table of metrics, and that whatever shows a metric has its words and figures from there."""

import re
from dataclasses import replace
from html import unescape

import pytest

from benchmarks.report_fixtures import CHOSEN, build_result
from benchmarks.test_families import FAMILIES
from edgewright_benchmarks.metrics import METRICS, metric_span, metric_title, metric_value, metric_words
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result import Interval, Result
from edgewright_cli.summary import result_text

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


def test_titles_tell_metrics_apart() -> None:
    assert len({facts.title for facts in METRICS.values()}) == len(METRICS)


def test_a_metric_of_another_version_is_shown_as_well() -> None:
    assert metric_title("new_share", "accuracy", first=True) == "New share"
    assert metric_value("new_share", 0.5) == "50.00%"
