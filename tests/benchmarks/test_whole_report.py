"""What the report of an application says, and what it never says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.test_report import EVIL, first_screen, text_of
from benchmarks.whole_fixtures import FAILED, REASON, step, whole_built, whole_result
from edgewright_benchmarks.applications.whole_result import WholeResult, whole_result_from_json
from edgewright_benchmarks.report.whole_charts import bars
from edgewright_benchmarks.report.whole_html import render_whole_html
from edgewright_benchmarks.report.whole_markdown import render_whole_markdown
from edgewright_targets import InputError
from edgewright_targets.record import write_record

Render = Callable[[WholeResult, WholeResult | None], str]
RENDERERS: tuple[Render, ...] = (render_whole_html, render_whole_markdown)


def words_of(render: Render, result: WholeResult, built: WholeResult | None = None) -> str:
    page = render(result, built)
    return text_of(page) if render is render_whole_html else " ".join(page.replace("\\", "").split())


def test_the_first_screen_has_what_counts() -> None:
    screen = first_screen(render_whole_html(whole_result()))
    for words in (
        "assistant",
        "Accuracy of 'intent' 95.50%",
        "95% interval 94.60% to 96.20%, 1,000 samples",
        "3 models: recogniser, quick, thorough",
        "measured",
        "The step 'transcript' takes most of the time: 82.3% of all calls.",
        "Samples without answers 2 of 400 1 value of lists failed",
        "Peak memory 312 MB of a process that runs it; 61.0 MB without a model limit 400 MB; models let go: 7",
        "so it was not judged",
        "commands.csv, 400 labelled samples",
    ):
        assert words in screen.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("render", RENDERERS)
def test_every_figure_of_the_whole_is_there(render: Render) -> None:
    page = words_of(render, whole_result(), whole_built())
    for words in (
        *("transcript", "Word accuracy (1 - WER)", "91.00%", "82.3%", "quick.score"),
        *("x86-64-cpu-int8", "CPUExecutionProvider, int8", "emulated", "no sample needed it"),
        *("2.00\N{MULTIPLICATION SIGN}", "0.20, at most 0.62", "0.00, at most 0.00 of agreement"),
        *(
            "The threshold of 'thorough', found by the build",
            REASON.partition(" where")[0],
            "40 of 400",
            "none: always",
        ),
        *("The weights of 'both', found by the build", "1.25", "2.40", "300 samples"),
        *(FAILED, "The crop is empty.", "2 of 400 samples have no answers"),
        *("Intel(R) Xeon(R) Processor", "6 rounds of 40 calls"),
    ):
        assert words in page, words


@pytest.mark.parametrize("render", RENDERERS)
def test_a_time_that_an_emulator_gave_is_not_shown(render: Render) -> None:
    page = words_of(render, whole_result())
    row = page[page.index("x86-64-cpu-int8") :][:120]
    assert "not measured" in row
    assert "\N{MULTIPLICATION SIGN}" not in row


@pytest.mark.parametrize("render", RENDERERS)
def test_nothing_is_said_of_what_is_not_there(render: Render) -> None:
    plain = whole_result(failed=0, failed_values=0, failures=(), values=(), warnings=())
    page = words_of(render, plain)
    for words in ("Failures", "found by the build", "How good it is", "Before you rely", "Warning"):
        assert words not in page
    assert "The data has no ground truth." in page


def test_a_peak_above_the_limit_stands_out() -> None:
    result = whole_result()
    assert "alarming" in render_whole_html(result).partition("<header>")[2]
    calm = replace(result, failed=0)
    assert "alarming" not in render_whole_html(calm).partition("<header>")[2]
    assert calm.memory is not None
    above = replace(calm, memory=replace(calm.memory, peak_bytes=400_000_001))
    assert "alarming" in render_whole_html(above).partition("<header>")[2]


@pytest.mark.parametrize("render", RENDERERS)
def test_data_of_the_build_is_not_to_be_quoted(render: Render) -> None:
    built = whole_built()
    assert "do not quote them" not in words_of(render, whole_result(), built)
    assert "do not quote them" in words_of(render, whole_result(data=built.data), built)


def test_words_of_others_are_no_markup() -> None:
    evil = replace(whole_result().failures[0], reason=EVIL)
    result = whole_result(name=EVIL, failures=(evil,), warnings=(EVIL,))
    assert "<script" not in render_whole_html(result)
    assert "<script" not in render_whole_markdown(result)


def test_ids_in_the_page_are_unique_and_references_lead_somewhere() -> None:
    page = render_whole_html(whole_result(), whole_built())
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    references = re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)
    assert set(references) <= set(ids)
    labels = {one for names in re.findall(r'labelledby="([^"]+)"', page) for one in names.split()}
    assert labels <= set(ids)
    assert page.count("<svg") == 2
    assert "transcript  82.3%" in page


def test_bars_of_a_call_sum_to_it_and_are_few() -> None:
    drawn = bars(whole_result())
    assert [bar.name for bar in drawn] == ["transcript", "quick", "thorough", "intent", "reply", "between the steps"]
    assert sum(bar.share for bar in drawn) == pytest.approx(1)
    assert [bar.name for bar in drawn if bar.longest] == ["transcript"]
    many = tuple(step(f"s{index}", "join", 0.9 / 40 + 0.0001 * index) for index in range(30))
    drawn = bars(whole_result(steps=(*many, step("never", "join", 0.0))))
    assert len(drawn) == 13
    assert drawn[-2].name == "19 other steps"
    assert sum(bar.share for bar in drawn) == pytest.approx(1)
    assert drawn[0].name == "s19"


def test_figures_that_are_none_are_refused() -> None:
    result = whole_result()
    wrong = replace(result, latency=replace(result.latency, rounds=((0.1, float("nan")),)))
    with pytest.raises(InputError, match="a time that is not a number above zero"):
        render_whole_markdown(wrong)
    with pytest.raises(InputError, match="the evidence of 'other'"):
        render_whole_markdown(result, whole_built(name="other"))


def test_results_from_before_have_no_facts_of_models_and_are_read() -> None:
    before = json.loads(json.dumps(write_record(whole_result(models=()))))
    assert "models" not in before
    read = whole_result_from_json(before, "before.json")
    assert read.models == ()
    assert "2 models: recogniser, quick" in render_whole_markdown(read)
