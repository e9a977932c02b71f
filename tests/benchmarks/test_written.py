"""Written texts against right ones: chrF is sacrebleu's own."""

from __future__ import annotations

from typing import Any

import pytest
from sacrebleu import sentence_chrf

from edgewright_benchmarks.accuracy.written import LabelledWriting, WritingAgreement
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError

RIGHT = [("a frog on a red ground", "a frog"), ("an owl on a blue ground",), ("a boat",), ("a lion",)]


def outputs(*texts: str) -> list[Any]:
    return [{ANSWER: pack_answer(text)} for text in texts]


def test_chrf_is_the_mean_of_sacrebleu_s() -> None:
    found = outputs("a frog on a green ground", "an owl on a blue ground", "A boat.", "")
    metrics = LabelledWriting().score(found, RIGHT, found).metrics
    first = sentence_chrf("a frog on a green ground", list(RIGHT[0])).score / 100
    third = sentence_chrf("A boat.", ["a boat"]).score / 100
    assert metrics["chrf"].value == pytest.approx((first + 1 + third + 0) / 4)
    # Case and a full stop make no other caption of it.
    assert metrics["exact_match"].value == 0.5


def test_an_engine_that_writes_otherwise_loses() -> None:
    base, worse = (outputs(*texts) for texts in (["a frog", "an owl", "a boat"], ["a frog", "a bowl", "a goat"]))
    rights = [("a frog",), ("an owl",), ("a boat",)]
    labelled = LabelledWriting().score(worse, rights, base, max_drop=0.01)
    agreement = WritingAgreement().score(worse, None, base, max_drop=0.01)
    assert labelled.drop.value == pytest.approx(agreement.drop.value)
    assert 0.1 < agreement.drop.value < 0.9
    assert agreement.metrics["same_text"].value == pytest.approx(1 / 3)
    assert WritingAgreement().score(base, None, base).metrics["agreement"].value == 1


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(InputError, match="no written text"):
        WritingAgreement().score([{}], None, [{}])
    with pytest.raises(InputError, match="Expected right texts"):
        LabelledWriting().score(outputs("a"), None, outputs("a"))
