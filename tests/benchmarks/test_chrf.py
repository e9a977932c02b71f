"""ChrF of a corpus: that of sacrebleu, what is lost of it, and bounds that hold as often as they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sacrebleu.metrics.chrf import CHRF

from edgewright_benchmarks.accuracy._chrf import ChrfSums, chrf_sums
from edgewright_benchmarks.accuracy.translation import LabelledTranslation, TranslationAgreement
from edgewright_benchmarks.statistics.intervals import mean_drop
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

RIGHT = [("ein rotes Auto", "ein roter Wagen"), ("zwei Katzen schlafen",), ("das Meer",), ("Ja",)] * 10
ANSWERS = ["ein roter Wagon", "zwei Katzen", "ein Meer", "Nein"] * 10


def written(texts: list[str]) -> list[dict[str, Any]]:
    return [{"log_probability": np.zeros(2), ANSWER: pack_answer(text)} for text in texts]


def test_the_score_is_that_of_sacrebleu() -> None:
    columns = [[some[0] for some in RIGHT], [some[1] if len(some) > 1 else None for some in RIGHT]]
    theirs = CHRF().corpus_score(ANSWERS, columns).score / 100  # type: ignore[arg-type]
    scored = score(LabelledTranslation(), written(ANSWERS), RIGHT, written([some[0] for some in RIGHT]), max_drop=0.01)
    interval = scored.metrics["corpus_chrf"]
    assert interval.value == pytest.approx(theirs, abs=1e-12)
    assert interval.low <= interval.value <= interval.high
    assert scored.drop.value == pytest.approx(1 - theirs)
    assert scored.metrics["exact_match"].value == 0


def test_scores_of_samples_are_what_leaving_one_out_changes() -> None:
    sums = chrf_sums(ANSWERS * 5, RIGHT * 5)
    scores = sums.scores()
    assert scores.mean() == pytest.approx(sums.ratio)
    for index in range(4):
        kept = np.arange(len(scores)) != index
        without = ChrfSums(sums.found[kept], sums.right[kept], sums.shared[kept]).ratio
        # The jackknife's value of the sample; the difference is of second order.
        value = len(scores) * sums.ratio - (len(scores) - 1) * without
        assert scores[index] == pytest.approx(value, abs=0.02)


def test_bounds_hold_as_often_as_they_say() -> None:
    """Of engines that lose a known share of a large corpus, seen through 200 samples each."""
    random = np.random.default_rng(5)
    words = ["Haus", "Baum", "Katze", "schläft", "rot", "klein", "und", "Vogel", "im", "Garten"]
    right = [" ".join(random.choice(words, size=random.integers(2, 9))) for _ in range(2000)]
    answers = [text if random.random() < 0.8 else " ".join(reversed(text.split()[1:])) for text in right]
    whole, whole_right = chrf_sums(answers, [(one,) for one in right]), chrf_sums(right, [(one,) for one in right])
    true = whole_right.ratio - whole.ratio
    held = 0
    for _ in range(200):
        drawn = random.integers(len(right), size=200)
        mine, theirs = (
            ChrfSums(sums.found[drawn], sums.right[drawn], sums.shared[drawn]) for sums in (whole, whole_right)
        )
        bounds = mean_drop(theirs.scores(), mine.scores(), span=theirs.span)
        held += true <= bounds.high
    assert held >= 190
    assert true > 0.02


def test_agreement_is_with_the_baselines_texts() -> None:
    baseline = written(ANSWERS)
    same = score(TranslationAgreement(), baseline, None, baseline)
    assert same.metrics["agreement"].value == 1
    assert same.drop.high == 0
    other = score(TranslationAgreement(), written([*ANSWERS[:-1], "Ja"]), None, baseline, max_drop=0.01)
    assert other.metrics["same_text"].value == pytest.approx(39 / 40)
    assert 0 < other.drop.value < other.drop.high


def test_what_cannot_be_scored_is_refused() -> None:
    answers = written(ANSWERS)
    with pytest.raises(InputError, match="Expected reference texts for 40 samples, found 3"):
        score(LabelledTranslation(), answers, RIGHT[:3], answers)
    with pytest.raises(InputError, match="hold no generated text"):
        score(LabelledTranslation(), [{"logits": np.zeros(2)}] * 40, RIGHT, answers)
    with pytest.raises(InputError, match="holds a character"):
        score(LabelledTranslation(), answers, [("",)] * 40, answers)


@pytest.mark.parametrize(("task", "column"), [("translation", "translation"), ("summarization", "summary")])
def test_right_texts_are_one_or_several(task: str, column: str) -> None:
    truth = find_task(task).truth
    assert truth.column == column
    assert truth.read(" ein Auto ", (), "line 2") == ("ein Auto",)
    assert truth.read(["a", "b"], (), "line 2") == ("a", "b")
    for empty in ("", [], ["a", " "], None):
        with pytest.raises(InputError, match="line 2: the text is empty"):
            truth.read(empty, (), "line 2")
