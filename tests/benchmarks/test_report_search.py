"""What a report says of a search."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks.report_fixtures import BASELINE, REFUSED, bench_result, build_result, searched_result
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.report.search import overview, search_view
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.search_trace import Ended


def _drawn(page: str) -> str:
    """The words that a screen reader gets of the chart of the search."""
    found = re.search(r'<desc id="[a-z]+-search-description">(.*?)</desc>', page)
    assert found
    return found[1]


def _between(page: str, start: str, end: str) -> str:
    return page.partition(start)[2].partition(end)[0]


def test_a_page_without_a_search_does_not_speak_of_one() -> None:
    assert "The search" not in render_html(build_result())
    assert "tried in" not in render_markdown(build_result())


def test_every_engine_that_was_tried_is_listed_with_why() -> None:
    result = searched_result()
    assert result.search is not None
    folded = _between(render_html(result), "Every engine that was tried (40)", "</details>")
    text = _between(render_markdown(result), "Every engine that was tried (40)", "</details>")
    for one in result.search.tried:
        assert f"<code>{one.name}</code>" in folded
        assert f"`{one.name}`" in text
        assert one.why in folded
        assert one.why in text


def test_the_overview_has_the_path_and_what_a_build_tries_anyway() -> None:
    result = searched_result()
    assert result.search is not None
    names = {engine.name for engine in overview(result).engines}
    assert {BASELINE, result.chosen, *result.search.path} <= names
    assert {engine.name for engine in build_result().engines} <= names
    assert len(names) == 8
    assert overview(build_result()) == build_result()


def test_the_chart_has_each_engine_that_was_measured_against_float() -> None:
    result = searched_result()
    spoken = _drawn(render_html(result))
    measured = [engine for engine in result.engines if engine.latency]
    assert len(measured) == 43
    for engine in measured:
        assert engine.latency
        assert f"{engine.name}, " in spoken
        assert f": {engine.latency.ratio.value:.2f} of the float latency" in spoken


def test_engines_of_several_measurements_are_compared_by_their_ratio() -> None:
    """Another measurement found the machine at half of its speed; against float the engine is as it was."""
    result = searched_result()

    def slowed(one: Result) -> Result:
        engines = []
        for engine in one.engines:
            if engine.name == one.chosen and engine.latency:
                latency = replace(engine.latency, p50=2 * engine.latency.p50)
                engines.append(replace(engine, latency=latency))
            else:
                engines.append(engine)
        return replace(one, engines=tuple(engines))

    def spoken(page: str) -> str:
        return _between(page, '<desc id="build-scatter-description">', "</desc>")

    assert spoken(render_html(slowed(result))) == spoken(render_html(result))


def test_the_nodes_in_float_have_their_reason_and_figure() -> None:
    for report in (render_html(searched_result()), render_markdown(searched_result())):
        folded = _between(report, "Nodes that stay in float (3)", "</details>")
        assert "changes the outputs too much in low precision" in folded
        assert "alone it changes the outputs by 3.1 %" in folded
        assert "2.00 µs more in low precision" in folded
        assert "3 nodes stay in float in it: 1 slower in low precision, 1 changes the outputs too much" in report


@pytest.mark.parametrize(
    ("ended", "words"),
    [("finished", "nothing more was worth trying"), ("interrupted", "continues it"), ("engines", "number of engines")],
)
def test_the_summary_says_why_the_search_ended(ended: Ended, words: str) -> None:
    result = searched_result()
    assert result.search is not None
    view = search_view(replace(result, search=replace(result.search, ended=ended)), {e.name: 1 for e in result.engines})
    assert view is not None
    assert view.summary.startswith("40 engines were tried in 9 min 34 s (limit: 10m). It ")
    assert words in view.summary


def test_the_path_is_numbered_from_the_first_engine() -> None:
    page = render_html(searched_result())
    row = _between(page, "Every engine that was tried", "</details>").partition("<code>x86-64-cpu-int8-s10</code>")[2]
    assert row.startswith("<small>step 2 of the path</small>")
    assert f"{REFUSED}, refused" in _drawn(page)


def test_a_bench_shows_the_search_of_its_build() -> None:
    build = searched_result()
    bench = replace(bench_result(), engines=(build.engine(BASELINE), build.engine(build.chosen)), chosen=build.chosen)
    page = render_html(bench, build)
    assert page.count("<h3>The search</h3>") == 1
    assert "Every engine that was tried (40)" in render_markdown(bench, build)
