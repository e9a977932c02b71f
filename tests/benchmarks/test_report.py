"""What a report says, and what it never says."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any, get_args

import pytest

from benchmarks.report_fixtures import (
    BASELINE,
    CHOSEN,
    FAILED_REASON,
    REASON,
    REFUSED,
    REFUSED_REASON,
    accuracy,
    agreement_result,
    bench_result,
    build_result,
    engine,
    latency,
    searched_result,
)
from edgewright_benchmarks.engine_result import Accuracy, Interval
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.report.labels import place
from edgewright_benchmarks.report.words import points_bound
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.statistics.bounds import significant
from edgewright_benchmarks.statistics.stability import unsteadiness
from edgewright_targets import InputError, MissingDependencyError, Rung

Render = Callable[..., str]

EVIL = '<script>alert("1")</script>'


def text_of(page: str) -> str:
    """The words of a page, without tags, styles and line breaks."""
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).replace(" ,", ",").split())


def first_screen(page: str) -> str:
    return text_of(page[page.index("<header>") : page.index("</header>")])


def with_chosen(result: Result, **changes: Any) -> Result:
    engines = tuple(replace(one, **changes) if one.name == CHOSEN else one for one in result.engines)
    return replace(result, engines=engines)


def test_first_screen_says_what_was_chosen_and_why() -> None:
    screen = first_screen(render_html(build_result()))
    for words in ("assist-intents", CHOSEN, "CPUExecutionProvider", "int8", "measured", REASON):
        assert words in screen


def test_first_screen_compares_with_the_float_baseline() -> None:
    screen = first_screen(render_html(build_result()))
    assert "2.39\N{MULTIPLICATION SIGN}" in screen
    assert "95% interval 2.31\N{MULTIPLICATION SIGN} to 2.47\N{MULTIPLICATION SIGN}" in screen
    assert "97.80%" in screen
    assert "95% interval 96.90% to 98.50%, 1,000 samples" in screen
    assert "accuracy drop 0.20 points, at most 0.62 with 95% confidence; budget 1.00: within budget" in screen
    assert "23.1 MB float baseline 90.9 MB, \N{MINUS SIGN}75%" in screen
    assert "144 MB float baseline 231 MB, \N{MINUS SIGN}38%" in screen


def test_refused_and_failed_candidates_are_listed_with_their_reasons() -> None:
    for report in (text_of(render_html(build_result())), render_markdown(build_result())):
        assert REFUSED in report
        assert REFUSED_REASON in report
        assert FAILED_REASON in report
        assert "x86-64-openvino-int8" in report


def test_engines_that_failed_alike_share_one_line_of_the_key() -> None:
    page = text_of(render_html(build_result()))
    key = "4 x86-64-openvino-default, 5 x86-64-openvino-fp32, 6 x86-64-openvino-int8 failed " + FAILED_REASON
    assert key in page


def test_bench_and_build_figures_are_told_apart() -> None:
    page = render_html(bench_result(), build_result())
    screen = first_screen(page)
    assert "97.20%" in screen
    assert "97.80%" not in screen
    assert (
        "The figures are from data that was not used to choose the engine (test.csv, 1,000 labelled samples): quote "
        "these." in screen
    )
    quoted, choice = page.split('aria-labelledby="build-title"')
    assert "evaluation.csv" not in text_of(quoted)
    assert "97.80%" in text_of(choice)
    assert "from the evaluation data (evaluation.csv), on which the engine was chosen" in text_of(choice)
    assert REFUSED in choice
    assert REFUSED not in quoted


def test_a_build_alone_says_that_its_figures_are_not_to_quote() -> None:
    for report in (first_screen(render_html(build_result())), render_markdown(build_result())):
        assert "on which the engine was chosen: they explain the choice but are slightly too good" in report


def test_engines_keep_their_number_in_both_results() -> None:
    page = text_of(render_html(bench_result(), build_result()))
    assert f"3 {CHOSEN} accepted, runs here" in page
    assert f"3 {CHOSEN} chosen" in page
    assert f"2 {CHOSEN}" not in page.replace(REFUSED, "")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"kind": "bench"}, "of a bench"),
        ({"model": "other"}, "model"),
        ({"baseline": CHOSEN}, "baseline"),
    ],
)
@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_results_that_do_not_belong_together_are_refused(render: Render, changes: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what):
        render(bench_result(), build_result(**changes))


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_a_time_that_is_no_time_is_refused(render: Render) -> None:
    broken = replace(latency(0.001, 0.5, seed=0), p99=float("nan"))
    with pytest.raises(InputError, match=CHOSEN):
        render(with_chosen(build_result(), latency=broken))


def test_warnings_stand_before_the_figures_with_their_source() -> None:
    page = render_html(bench_result(warnings=("Noisy. Close programs.",)), build_result(warnings=("Few samples.",)))
    assert "Bench: Noisy. Close programs." in first_screen(page)
    assert "Build: Few samples." in first_screen(page)
    assert page.index("Noisy.") < page.index('class="figures"')


def test_a_chosen_engine_over_the_budget_is_said_loudly_and_with_what_to_do() -> None:
    over = replace(accuracy(0.97, 0.008, 0.0131), samples_needed=4200)
    result = with_chosen(bench_result(), accuracy=over)
    for report in (first_screen(render_html(result, build_result())), render_markdown(result, build_result())):
        assert "may be up to 1.31 points. The budget is 1.00. Measure with about 4,200 samples" in report
        assert "NOT WITHIN BUDGET" in report
    assert "NOT WITHIN BUDGET" not in render_html(bench_result(), build_result())


def test_a_bench_on_the_data_of_the_build_is_exposed() -> None:
    result = bench_result(data=build_result().data)
    for report in (first_screen(render_html(result, build_result())), render_markdown(result, build_result())):
        assert "from the data that the engine was chosen on (evaluation.csv, 1,000 labelled samples)" in report
    page = text_of(render_html(result, build_result()))
    assert "quote these" not in page
    assert "never saw" not in page


def test_a_machine_that_falls_back_to_another_engine_is_told_apart_from_the_choice() -> None:
    reason = f"{BASELINE} runs here; the build chose {CHOSEN}, which cannot run on this machine."
    result = bench_result(engines=(engine(BASELINE),), chosen=BASELINE, reason=reason)
    page = render_html(result, build_result())
    screen = first_screen(page)
    assert f"The engine that runs here {BASELINE}" in screen
    assert reason in screen
    assert "evaluation data" not in screen
    assert f"1 {BASELINE} baseline, runs here" in text_of(page)
    assert f"3 {CHOSEN} chosen" in text_of(page)


def test_an_engine_that_the_bench_refuses_is_not_shown_as_chosen() -> None:
    over = accuracy(0.95, 0.025, 0.031)
    result = with_chosen(bench_result(), status="refused", reasons=("Too much was lost.",), accuracy=over)
    page = text_of(render_html(result, build_result()))
    assert f"3 {CHOSEN} refused, runs here Too much was lost." in page
    assert "Ship the baseline" in page
    warned = replace(result, warnings=("The engine would not be accepted. Too much was lost. Build again.",))
    assert "is not shown to be within the budget" not in text_of(render_html(warned, build_result()))


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_a_chosen_engine_that_failed_in_the_bench_shows_no_rung(render: Render) -> None:
    broken = replace(
        build_result().engine("x86-64-openvino-int8"),
        name=CHOSEN,
        reasons=("It crashed.",),
        provider="CPUExecutionProvider",
    )
    report = render(bench_result(engines=(engine(BASELINE), broken)), build_result())
    assert f"{CHOSEN} failed here." in report
    before_the_table = report.split("| Engine |")[0].split("</header>")[0]
    assert "ran on this hardware" not in before_the_table


def test_agreement_is_never_called_accuracy() -> None:
    for report in (text_of(render_html(agreement_result())), render_markdown(agreement_result())):
        assert "agreement with the float model, " in report.replace("*", "")
        assert "Loss of agreement" in report
        claims = re.sub(r"not accuracy", "", report.replace("*", ""))
        assert "accuracy" not in claims.lower()


@pytest.mark.parametrize("rung", [rung for rung in get_args(Rung) if rung != "measured"])
def test_no_time_below_the_rung_measured(rung: Rung) -> None:
    result = with_chosen(build_result(), rung=rung)
    page, table = render_html(result), render_markdown(result)
    screen = first_screen(page)
    assert f"{rung} " in screen
    assert "Speed not measured" in screen
    assert "Peak memory not measured" in screen
    row = next(line for line in table.splitlines() if line.startswith(f"| 3 | `{CHOSEN}`"))
    for report in (text_of(page), row):
        for figure in ("0.884", "2.31\N{MULTIPLICATION SIGN}", "1,113/s", "144 MB"):
            assert figure not in report
    assert f"3 {CHOSEN} chosen, no point" in text_of(page)


def test_accuracy_of_an_emulator_is_shown_and_that_of_a_compiler_is_not() -> None:
    emulated = first_screen(render_html(with_chosen(build_result(), rung="emulated")))
    assert "97.80%" in emulated
    assert "from a bit-true emulator of the hardware" in emulated
    compiled = text_of(render_html(with_chosen(build_result(), rung="compiled")))
    assert "97.80%" not in compiled


def test_a_failed_engine_has_no_rung() -> None:
    rows = [line for line in render_markdown(build_result()).splitlines() if "| failed |" in line]
    assert len(rows) == 3
    assert all("measured" not in row for row in rows)


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_a_result_with_nothing_but_the_baseline_renders(render: Render) -> None:
    report = render(build_result(engines=(engine(BASELINE),), chosen=BASELINE, reason="Nothing was faster."))
    assert "This is the float baseline itself" in report
    assert "baseline, ships" in report
    assert "Median latency" in report
    assert "Speed against the float baseline" not in report
    assert "budget 1.00: within" not in report


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_an_engine_without_any_figure_renders(render: Render) -> None:
    bare = replace(
        engine(BASELINE),
        latency=None,
        accuracy=None,
        load_seconds=(),
        peak_memory_bytes=None,
        size_bytes=None,
        nodes={},
    )
    assert "not measured" in render(build_result(engines=(bare,), chosen=BASELINE))


def test_a_metric_of_another_name_leads_the_table() -> None:
    renamed = tuple(
        replace(one, accuracy=replace(one.accuracy, metrics={"exact_match": one.accuracy.metrics["accuracy"]}))
        if isinstance(one.accuracy, Accuracy)
        else one
        for one in build_result().engines
    )
    assert "| Exact match | Accuracy drop |" in render_markdown(build_result(engines=renamed))


def test_names_and_reasons_inject_nothing_into_the_page() -> None:
    name = f"{CHOSEN}{EVIL}$x^2$"
    engines = tuple(
        replace(one, name=name if one.name == CHOSEN else one.name, reasons=(EVIL,), provider=EVIL, precision=EVIL)
        for one in build_result().engines
    )
    nodes = {EVIL: 3}
    result = build_result(
        model=EVIL,
        engines=tuple(replace(one, nodes=nodes) for one in engines),
        chosen=name,
        reason=EVIL,
        task=EVIL,
        warnings=(EVIL,),
        versions={EVIL: EVIL},
        data=replace(build_result().data, name=EVIL),
        machine=replace(build_result().machine, cpu=EVIL),
    )
    page = render_html(result)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<svg") == 2


def test_a_name_with_dollars_is_drawn_as_it_is() -> None:
    page = render_html(build_result(engines=(engine(BASELINE), engine("a$x^2$", status="accepted")), chosen=BASELINE))
    assert re.search(r"<text[^>]*>2  a\$x\^2\$</text>", page)


def test_names_and_reasons_inject_nothing_into_the_table() -> None:
    name = "a`b|c"
    engines = (engine(BASELINE), engine(name, status="accepted", accuracy=accuracy(0.978, 0.002, 0.006)))
    report = render_markdown(build_result(engines=engines, chosen=name, model=EVIL, reason="| x |\n# @team <b> *y*"))
    assert "<script" not in report
    assert "<b>" not in report
    assert "@team" not in report
    assert "``` a`b|c" not in report
    assert "`` a`b\\|c ``" in report
    assert "\\| x \\| \\# " in report
    assert "\\*y\\*" in report


def test_the_page_loads_nothing() -> None:
    page = render_html(bench_result(), build_result())
    assert "default-src 'none'" in page
    assert not re.search(r"https?:|//[a-z]|@import|<script|<link|<img|<iframe|url\((?!#)", page)
    for target in re.findall(r'href="([^"]*)"', page):
        assert target.startswith("#")


def test_drawings_take_their_colours_from_the_page() -> None:
    page = render_html(bench_result(), build_result())
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 4
    for drawing in drawings:
        assert "var(--ink)" in drawing
        assert not re.search(r"(fill|stroke): #", drawing)
        assert "font-family" not in drawing
        assert 'role="img"' in drawing
        assert "<desc " in drawing


def test_ids_in_a_page_are_unique_and_references_lead_somewhere() -> None:
    page = render_html(bench_result(), build_result())
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    references = re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)
    assert references
    assert set(references) <= set(ids)


def test_the_same_result_gives_the_same_bytes() -> None:
    assert render_html(bench_result(), build_result()) == render_html(bench_result(), build_result())
    assert render_markdown(bench_result(), build_result()) == render_markdown(bench_result(), build_result())


def test_a_users_matplotlib_settings_do_not_reach_the_page() -> None:
    import matplotlib as mpl

    before = render_html(build_result())
    with mpl.rc_context({"font.size": 25, "axes.linewidth": 9, "svg.fonttype": "path"}):
        assert render_html(build_result()) == before
        assert mpl.rcParams["font.size"] == 25


def test_a_candidate_far_below_the_budget_does_not_flatten_the_chart() -> None:
    ruined = replace(
        build_result().engine(REFUSED),
        name="ruined",
        accuracy=accuracy(0.4, 0.58, 0.6),
        latency=latency(0.03, 14, seed=9),
    )
    page = text_of(render_html(build_result(engines=(*build_result().engines, ruined))))
    assert "7 ruined refused, below the scale at 40.00%" in page
    assert "Median latency, ms, logarithmic" in page


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_a_missing_library_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'edgewright\[report\]'"):
        render_html(build_result())


def test_markdown_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert CHOSEN in render_markdown(build_result())


def test_numbers_of_points_cover_neither_each_other_nor_a_marker() -> None:
    spots = [(50.0, 50.0), (53.0, 51.0), (50.0, 56.0), (98.0, 98.0)]
    boxes = place(spots, ["1", "2", "10", "4"], [(0, 49, 100, 51)], (0, 0, 100, 100))
    markers = [(x - 5, y - 5, x + 5, y + 5) for x, y in spots]
    for index, box in enumerate(boxes):
        assert min(box) >= 0
        assert max(box) <= 100
        for other in [*boxes[:index], *markers]:
            assert not (box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3])


def test_percentiles_have_their_intervals_where_a_result_has_them() -> None:
    result = bench_result()
    latency = result.engine(result.chosen).latency
    assert latency is not None
    wide = {**latency.intervals, "p99": Interval(latency.p99, 0.00098765, 0.0012341)}
    page = text_of(render_html(with_chosen(result, latency=replace(latency, intervals=wide))))
    # Rounded outwards.
    assert "0.987 to 1.24 ms" in page
    assert "stand their 95% intervals: what other rounds of the same run" in page
    assert re.search(r"p95.*\(0\.9\d+ to 0\.9\d+ ms\)", render_markdown(result), re.DOTALL)
    older = tuple(replace(one, latency=one.latency and replace(one.latency, intervals={})) for one in result.engines)
    assert "stand their" not in text_of(render_html(replace(result, engines=older)))


@pytest.mark.parametrize("render", [render_html, render_markdown])
def test_it_says_that_times_were_steady_or_why_they_were_not(render: Render) -> None:
    result = bench_result()
    steady = text_of(render(result))
    assert "No drift, throttling, second mode, unsteady round or jump of the clock was found." in steady
    assert "The float baseline had a processor for 98% of its time." in steady
    slower = tuple(
        replace(one, latency=replace(one.latency, rounds=_slower(one.latency.rounds))) if one.latency else one
        for one in result.engines
    )
    hot = replace(result, engines=slower)
    said = "All engines became slower together, by"
    assert said in text_of(render(hot))
    (sentence,) = unsteadiness({one.name: one.latency.rounds for one in slower if one.latency}, baseline=BASELINE)
    warned = text_of(render(replace(hot, warnings=(sentence,))))
    assert "The times were not steady, see the warnings." in warned
    assert warned.count(said) == 1
    # The runs of a search are not one run.
    assert "Steadiness" not in text_of(render(searched_result()))


def _slower(rounds: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """Nine rounds, each slower than the one before."""
    return tuple(tuple(seconds * (1 + 0.04 * number) for seconds in rounds[0]) for number in range(9))


def test_numbers_read_as_people_write_them() -> None:
    assert [significant(value) for value in (0.00087, 0.88, 2.1, 12.34, 123.4, 1234.5)] == [
        "0.000870", "0.880", "2.10", "12.3", "123", "1,234",
    ]  # fmt: skip
    # A bound a hair above the budget must not read as the budget.
    assert points_bound(0.010001) == "1.01"
    assert points_bound(0.01) == "1.00"
    assert points_bound(-0.00123) == "\N{MINUS SIGN}0.12"
