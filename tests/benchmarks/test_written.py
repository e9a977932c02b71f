"""Written texts against right ones: chrF is sacrebleu's own."""

from __future__ import annotations

from typing import Any

import jiwer
import pytest
from sacrebleu import sentence_chrf

from edgewright_benchmarks.accuracy._cider import cider_d
from edgewright_benchmarks.accuracy.written import LabelledWriting, WritingAgreement
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

RIGHT = [("a frog on a red ground", "a frog"), ("an owl on a blue ground",), ("a boat",), ("a lion",)]


def outputs(*texts: str) -> list[Any]:
    return [{ANSWER: pack_answer(text)} for text in texts]


def test_chrf_is_the_mean_of_sacrebleu_s() -> None:
    found = outputs("a frog on a green ground", "an owl on a blue ground", "A boat.", "")
    metrics = score(LabelledWriting(), found, RIGHT, found).metrics
    first = sentence_chrf("a frog on a green ground", list(RIGHT[0])).score / 100
    third = sentence_chrf("A boat.", ["a boat"]).score / 100
    assert metrics["chrf"].value == pytest.approx((first + 1 + third + 0) / 4)
    # Case and a full stop make no other caption of it.
    assert metrics["exact_match"].value == 0.5


def test_cider_is_that_of_its_authors() -> None:
    texts = (
        "a frog on a green ground",
        "An owl on a blue, blue ground.",
        "a small boat",
        "a lion",
        "the sail boat on the sea",
        "",
        "a cat and a dog and a cat and a dog sleep near the fire in the evening",
    )
    rights = [
        ("a frog on a red ground", "a green frog"),
        ("an owl on a blue ground",),
        ("a boat",),
        ("a lion",),
        ("a sail boat on the sea", "the boat sails on the open sea", "a boat"),
        ("a dog",),
        ("two cats and a dog sleep near the fire",),
    ]
    # What `Cider` of pycocoevalcap 1.2 gives for these without case and punctuation, which it leaves in itself.
    expected = (3.833326351063, 7.124986370048, 1.334619664404, 5.0, 3.472764768782, 0.0, 1.268511271867)
    assert cider_d(texts, rights) == pytest.approx(expected)
    found = outputs(*texts)
    accuracy = score(LabelledWriting(pictures=True), found, rights, found)
    interval = accuracy.metrics["cider_d"]
    assert interval.value == pytest.approx(3.147744060880554)
    assert 0 <= interval.low < 2 < 4 < interval.high <= 10
    # The first is what the budget is for.
    assert list(accuracy.metrics) == ["chrf", "cider_d", "exact_match"]


def test_cider_says_nothing_where_one_caption_fits_all_pictures() -> None:
    assert not cider_d(("a frog", "an owl"), [("a frog",), ("a frog",)]).any()
    # As long as four words, and with no word that all others have: as right as can be.
    assert cider_d(("one two three four", "five"), [("One two three four.",), ("six",)])[0] == pytest.approx(10)


def test_lines_that_are_read_have_a_character_error_rate_to_the_letter() -> None:
    found = outputs("Gate 23 ", "exit 14B", "")
    rights = [("Gate 23",), ("Exit 14B",), ("No",)]
    scorer = LabelledWriting(pictures=True)
    rate = score(scorer, found, rights, found).metrics["character_error_rate"]
    # One letter in the wrong case, and two that are missing, of 17.
    assert rate.value == pytest.approx(jiwer.cer([right for (right,) in rights], ["Gate 23", "exit 14B", ""]))
    assert rate.value == pytest.approx(3 / 17)
    assert rate.low <= rate.value <= rate.high
    # With several right texts there is no one to count against.
    assert "character_error_rate" not in score(scorer, found, [("Gate 23", "Gate"), *rights[1:]], found).metrics


def test_an_engine_that_writes_otherwise_loses() -> None:
    base, worse = (outputs(*texts) for texts in (["a frog", "an owl", "a boat"], ["a frog", "a bowl", "a goat"]))
    rights = [("a frog",), ("an owl",), ("a boat",)]
    labelled = score(LabelledWriting(), worse, rights, base, max_drop=0.01)
    agreement = score(WritingAgreement(), worse, None, base, max_drop=0.01)
    assert labelled.drop.value == pytest.approx(agreement.drop.value)
    assert 0.1 < agreement.drop.value < 0.9
    assert agreement.metrics["same_text"].value == pytest.approx(1 / 3)
    assert score(WritingAgreement(), base, None, base).metrics["agreement"].value == 1


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(InputError, match="no generated text"):
        score(WritingAgreement(), [{}], None, [{}])
    with pytest.raises(InputError, match="Expected reference texts"):
        score(LabelledWriting(), outputs("a"), None, outputs("a"))
