"""What a person reads of a result on a terminal and in a report."""

import re
from dataclasses import replace
from html import unescape

import pytest

from benchmarks.report_fixtures import BASELINE, CHOSEN, build_result, engine, failed
from edgewright_benchmarks.engine_result import Accuracy, EngineResult, Interval
from edgewright_benchmarks.judging.choice import choose, judge, measured_again
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result import Result
from edgewright_cli.summary import result_text
from edgewright_runtime.providers import openvino, qnn


def others(reason: str, provider: str = "OpenVINOExecutionProvider") -> Result:
    """A result of which the three that failed have this one reason."""
    result = build_result()
    changed = (
        replace(one, reasons=(reason,), provider=provider, rung="declared") if one.status == "failed" else one
        for one in result.engines
    )
    return replace(result, engines=tuple(changed))


ELSEWHERE = [
    (openvino.OTHER_PROCESSORS, "OpenVINOExecutionProvider"),
    (qnn.OTHER_PROCESSORS, "QNNExecutionProvider"),
]
NAMES = ("openvino-default", "openvino-fp32", "openvino-int8")


class TestElsewhere:
    @pytest.mark.parametrize(("reason", "provider"), ELSEWHERE)
    def test_it_is_said_once(self, reason: str, provider: str) -> None:
        result = others(reason, provider)
        page = unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", render_html(result), flags=re.DOTALL))
        for made in (result_text(result), render_markdown(result), page):
            text = " ".join(made.split())
            assert text.count(reason) == 1
            assert text.lower().count("not for this machine") == 1
            assert "failed" not in text
            assert all(text.count(name) == 1 for name in NAMES)

    def test_what_can_be_mended_has_failed(self) -> None:
        reason = "The OpenVINO provider is not installed; install it with: pip install 'edgewright[openvino]'."
        text = result_text(others(reason))
        assert "not for this machine" not in text
        assert len(re.findall(r"openvino-\S+ +failed", text)) == len(NAMES)

    def test_it_is_no_failure_of_the_choice(self) -> None:
        elsewhere = replace(failed("x86-64-openvino-int8", "int8"), reasons=(openvino.OTHER_PROCESSORS,))
        choice = choose([engine(BASELINE), elsewhere], BASELINE, max_drop=0.01, measure="accuracy")
        assert choice.reason.endswith("no candidate was accepted (0 refused, 0 failed, 1 not for this machine).")
        assert judge(elsewhere, max_drop=0.01, measure="accuracy").reasons == elsewhere.reasons


class TestOnATerminal:
    @pytest.fixture(autouse=True)
    def _eighty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "80")

    @pytest.mark.parametrize("metric", ["accuracy", "map", "entity_f1", "word_accuracy", "mean_iou"])
    def test_it_fits(self, metric: str) -> None:
        result = replace(build_result(), engines=tuple(named(one, metric) for one in build_result().engines))
        assert max(map(len, result_text(result).splitlines())) <= 80

    def test_a_metric_has_its_own_name(self) -> None:
        engines = tuple(named(one, "map") for one in build_result().engines)
        table, _, explained = result_text(replace(build_result(), engines=engines)).partition("* ships.")
        assert [line.split()[-4:] for line in table.splitlines()[1:3]] == [
            ["COCO", "at"],
            ["mAP", "drop", "most", "size"],
        ]
        assert " COCO mAP on 1,000 samples" in " ".join(explained.split())

    def test_a_bound_is_not_read_as_a_loss(self) -> None:
        few = Accuracy({"accuracy": Interval(1.0, 0.8, 1.0)}, Interval(0.0, -0.1446, 0.1446), 16)
        engines = tuple(replace(one, accuracy=few) if one.name == CHOSEN else one for one in build_result().engines)
        text = result_text(replace(build_result(), engines=engines))
        row = next(line for line in text.splitlines() if line.startswith("*"))
        assert row.split()[-3:-1] == ["0.0", "14.5"]

    def test_one_rung_is_said_above_and_several_have_a_column(self) -> None:
        assert "all measured" in result_text(others(openvino.OTHER_PROCESSORS))
        two = replace(build_result().engines[1], rung="compiled", latency=None, accuracy=None)
        mixed = result_text(replace(build_result(), engines=(engine(BASELINE), two), chosen=BASELINE))
        assert "all" not in mixed.splitlines()[0]
        assert {"measured", "compiled"} <= set(mixed.split())


def named(one: EngineResult, metric: str) -> EngineResult:
    if one.accuracy is None:
        return one
    value = next(iter(one.accuracy.metrics.values()))
    return replace(one, accuracy=replace(one.accuracy, metrics={metric: value}))


class TestBenchSentence:
    """It had the figures of the build, above a table with those of the bench."""

    def test_its_figures_are_those_of_the_bench(self) -> None:
        running = replace(
            engine(CHOSEN), status="accepted", accuracy=Accuracy({}, Interval(0.002, -0.01, 0.0062), 1000)
        )
        sentence = measured_again(running, CHOSEN, "accuracy", "test.csv")
        assert sentence == (
            f"{CHOSEN} runs here. On test.csv it takes 1.00 times the baseline latency (95 % interval 1.00 to 1.00), "
            "and it loses at most 0.7 percentage points of accuracy (one-sided 95 % bound; measured drop 0.2 on "
            "1,000 samples)."
        )

    def test_another_engine_than_the_build_chose(self) -> None:
        sentence = measured_again(engine("x86-64-cpu-fp32"), CHOSEN, "accuracy", "test.csv")
        assert sentence == (
            f"x86-64-cpu-fp32 runs here, as {CHOSEN}, which the build chose, cannot run on this machine. "
            "It is the float baseline itself."
        )

    def test_an_emulator_has_no_speed(self) -> None:
        running = replace(engine(CHOSEN), rung="emulated", status="accepted")
        assert "latency" not in measured_again(running, CHOSEN, "agreement", "test.csv")
