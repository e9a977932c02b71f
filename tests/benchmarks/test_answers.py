"""F1 and exact match of answers, on the examples of SQuAD's own script and at their edges."""

from __future__ import annotations

from typing import Any

import pytest

from edgewright_benchmarks.accuracy.answers import word_f1
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime.samples import ANSWER, pack_answer
from scoring import score

TASK = find_task("question-answering")


@pytest.mark.parametrize(
    ("answer", "right", "expected"),
    [
        ("The Kitchen!", "kitchen", 1.0),
        ("in the big kitchen", "the kitchen", 0.5),
        ("garden", "kitchen", 0.0),
        ("", "kitchen", 0.0),
        ("the", "a", 1.0),
        ("light light", "light", 2 / 3),
        # As the script of MLQA counts Chinese: letters are words, and signs of all widths do not count.
        ("故宫。", "故宫", 1.0),
        ("《红楼梦》", "红楼梦", 1.0),
        ("“客厅”", "客厅", 1.0),
        ("北京的故宫", "故宫", 4 / 7),
        ("厅客", "客厅", 1.0),
        ("客厅的TV", "客厅的 tv！", 1.0),
        ("2026年", "2026", 2 / 3),
        ("，", "。", 1.0),
        # Signs between words of other scripts stay, as in the script of SQuAD.
        ("1914–1918", "1914 1918", 0.0),
    ],
)
def test_word_f1(answer: str, right: str, expected: float) -> None:
    assert word_f1(answer, right) == pytest.approx(expected)


def outputs(*texts: str) -> list[dict[str, Any]]:
    return [{ANSWER: pack_answer({"text": text})} for text in texts]


def test_the_best_of_several_right_answers_counts() -> None:
    truth = [("kitchen", "the big kitchen"), ("hall",)]
    baseline = outputs("big kitchen", "hall")
    found = score(TASK.labelled, baseline, truth, baseline)
    assert found.metrics["answer_f1"].value == 1
    assert found.metrics["exact_match"].value == 1
    assert found.drop.high == 0
    other = score(TASK.labelled, outputs("kitchen", "garden"), truth, baseline)
    assert other.metrics["exact_match"].value == 0.5
    assert other.drop.value == pytest.approx(0.5)


def test_agreement() -> None:
    baseline = outputs("big kitchen", "hall")
    found = score(TASK.unlabelled, outputs("kitchen", "hall"), None, baseline)
    assert found.metrics["agreement"].value == pytest.approx((2 / 3 + 1) / 2)
    assert found.drop.value == pytest.approx(1 / 6)
