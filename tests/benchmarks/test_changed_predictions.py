"""Which samples an engine answers otherwise than float, and what a report shows of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.report_fixtures import CHOSEN, REFUSED, bench_result, build_result
from edgewright_benchmarks.accuracy import Metric
from edgewright_benchmarks.engine_result import ChangedPredictions
from edgewright_benchmarks.judging.changed_predictions import changed_predictions
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.report.quotes import quoted, quotes
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import result_from_json
from edgewright_benchmarks.tasks import find_task
from edgewright_cli import main
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets.record import write_record
from scoring import predictions


def scores(*best: int) -> list[Any]:
    """Outputs of scores whose best classes are these."""
    return [{"scores": np.eye(3, dtype=np.float32)[None, one]} for one in best]


def single(*values: float) -> list[Any]:
    return [{"logits": np.array([[value]], np.float32)} for value in values]


def answers(*given: Any) -> list[Any]:
    return [{"tokens": np.zeros((1, 1), np.float32)} | {ANSWER: pack_answer(one)} for one in given]


def changed(how: Metric[Any], outputs: list[Any], reference: list[Any]) -> ChangedPredictions | None:
    return changed_predictions(how.changed(predictions(outputs), predictions(reference)))


class TestWhich:
    @pytest.mark.parametrize("labelled", [True, False])
    def test_classes_by_their_best_one(self, labelled: bool) -> None:
        how = find_task("text-classification").metric(labelled=labelled)
        found = changed(how, scores(0, 1, 2, 1), scores(0, 2, 2, 0))
        assert found == ChangedPredictions(2, (2, 4))

    def test_a_single_score_by_its_threshold(self) -> None:
        how = find_task("text-classification").metric(labelled=True)
        assert changed(how, single(-3, 0.5, 4), single(-2, -0.5, 9)) == ChangedPredictions(1, (2,))

    def test_a_score_that_is_no_number(self) -> None:
        how = find_task("text-classification").metric(labelled=True)
        outputs = scores(0, 1)
        outputs[1] = {"scores": np.full((1, 3), np.nan, np.float32)}
        assert changed(how, outputs, scores(0, 1)) == ChangedPredictions(1, (2,))

    @pytest.mark.parametrize("labelled", [True, False])
    def test_several_labels_by_all_of_them(self, labelled: bool) -> None:
        how = find_task("multi-label-text-classification").metric(labelled=labelled)
        nan = float("nan")
        outputs = [{"logits": np.array([row])} for row in ([3, 0.1, -1], [3, -1, -1], [3, 1, nan])]
        reference = [{"logits": np.array([row])} for row in ([2, 0.5, -1], [2, 1, -1], [2, 1, -1.0])]
        assert changed(how, outputs, reference) == ChangedPredictions(2, (2, 3))

    @pytest.mark.parametrize("labelled", [True, False])
    def test_of_numbers_nothing_can_be_told(self, labelled: bool) -> None:
        how = find_task("text-regression").metric(labelled=labelled)
        assert changed(how, single(1, 2), single(1, -2)) is None

    def test_texts_by_what_they_say(self) -> None:
        how = find_task("automatic-speech-recognition").metric(labelled=True)
        found = changed(how, answers("on", "off", ""), answers("on", "of", ""))
        assert found == ChangedPredictions(1, (2,))

    def test_of_vectors_nothing_can_be_told(self) -> None:
        how = find_task("feature-extraction").metric(labelled=False)
        assert changed(how, scores(0, 1), scores(1, 0)) is None

    def test_the_list_is_bounded_and_the_count_is_not(self) -> None:
        how = find_task("text-classification").metric(labelled=True)
        found = changed(how, scores(*[0] * 500), scores(*[1] * 500))
        assert found == ChangedPredictions(500, tuple(range(1, 21)))


def listed(result: Result, **changed: ChangedPredictions) -> Result:
    by_name = {CHOSEN: changed.get("chosen"), REFUSED: changed.get("refused")}
    return replace(result, engines=tuple(replace(one, otherwise=by_name.get(one.name)) for one in result.engines))


SAMPLES = [
    "turn on the \x1b[31mlights\n",
    Path("/home/me/private/seven.png"),
    {"text": "one", "image": Path("/a/b.png")},
]
SAMPLES += ["x" * 10**6, np.zeros((1, 8)), {"text": ["a\u202eb"]}]


class TestReport:
    def test_numbers_alone_without_being_asked(self) -> None:
        result = listed(build_result(), chosen=ChangedPredictions(13, (1, 2, 3)), refused=ChangedPredictions(0, ()))
        for text in (render_html(result), render_markdown(result)):
            words = " ".join(text.split())
            assert "13 of 1,000 samples have other predictions than the float baseline: 1, 2, 3 and 10 more." in words
            assert "0 of 1,000 samples have" not in words
            assert "<q>" not in text
            assert "give this report only" not in text
        data = write_record(result)
        assert result_from_json(data, "a result") == result

    def test_quotes_are_cut_spelt_and_escaped(self) -> None:
        result = listed(bench_result(), chosen=ChangedPredictions(3, (1, 2, 3)))
        found = quotes(result, SAMPLES)
        assert [(one.number, one.text, one.engines) for one in found] == [
            (1, r"turn on the \x1b[31mlights\n", (CHOSEN,)),
            (2, "seven.png", (CHOSEN,)),
            (3, "text: one; image: b.png", (CHOSEN,)),
        ]
        found[1] = replace(found[1], text="<script>alert(1)</script> `code` |")
        page, table = render_html(result, build_result(), found), render_markdown(result, build_result(), found)
        assert "<script>" not in page
        assert "give this report only to those who may read them" in page
        assert "private" not in page + table
        assert "| `` " not in table

    def test_a_quote_is_a_line(self) -> None:
        shown = [quoted(sample) for sample in SAMPLES]
        assert max(map(len, shown)) < 200
        assert shown[3] == "x" * 160 + "..."
        assert shown[4] == "an array of shape [1, 8]"
        assert shown[5] == r"text: a\u202eb"
        assert all(one.isprintable() for one in shown)


def test_quoting_is_about_a_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["bench", str(tmp_path / "p"), "--data", "d.csv", "--quote-samples"]) == 2
    assert "--quote-samples needs --report." in " ".join(capsys.readouterr().err.split())
