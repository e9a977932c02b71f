"""Word error rates, what is lost of them, and whether the bounds hold as often as they say."""

from typing import Any

import jiwer
import numpy as np
import pytest

from edgewright_benchmarks.accuracy._transcripts import count_errors, spoken
from edgewright_benchmarks.accuracy.transcription import LabelledTranscription, TranscriptAgreement
from edgewright_benchmarks.statistics.intervals import mean_drop, rate_interval
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

TRUTH = ("turn on the light", "stop", "it's twenty one degrees", "switch off the lamp in the hall") * 25


def heard(*texts: str) -> list[dict[str, Any]]:
    return [{"logits": np.zeros((1, 2, 3)), ANSWER: pack_answer(text)} for text in texts]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Please press ONE, then '#'.", "please press one then"),
        ("it\N{RIGHT SINGLE QUOTATION MARK}s twenty-one o'clock", "it's twenty one o'clock"),
        ("  ¿Qué?\t«Sí»  ", "qué sí"),
        ("3 % of £5", "3 of 5"),
        ("...", ""),
        ("ﬁne STRAẞE", "fine strasse"),
    ],
)
def test_case_and_punctuation_are_not_heard(written: str, words: str) -> None:
    assert spoken(written) == words


def test_characters_of_scripts_without_spaces_are_words() -> None:
    truth = ("打开客厅的灯。", "调到25度", "turn on the light", "hall的灯") * 25
    answers = ["打开客听的灯", "调到25度！", "turn on a light", "hall 的 灯"] * 25
    scored = score(LabelledTranscription(), heard(*answers), truth, heard(*truth))
    # Of 6 + 4 + 4 + 3 words two are wrong.
    assert scored.metrics["word_error_rate"].value == pytest.approx(2 / 17)


def test_rates_are_those_of_jiwer() -> None:
    answers = ["turn of the light", "", "it's twenty degrees one", "switch off the lamp in the the hall"] * 25
    scored = score(LabelledTranscription(), heard(*answers), TRUTH, heard(*TRUTH))
    assert scored.metrics["word_error_rate"].value == pytest.approx(jiwer.wer(list(TRUTH), answers))
    assert scored.metrics["character_error_rate"].value == pytest.approx(jiwer.cer(list(TRUTH), answers))
    assert scored.metrics["word_accuracy"].value == pytest.approx(1 - jiwer.wer(list(TRUTH), answers))
    assert scored.drop.value == pytest.approx(jiwer.wer(list(TRUTH), answers))
    for interval in (*scored.metrics.values(), scored.drop):
        assert interval.low <= interval.value <= interval.high


def test_the_first_metric_drops_by_what_the_error_rate_rises() -> None:
    baseline = [text.replace("light", "lite") for text in TRUTH]
    worse = [text.replace("the", "a") for text in baseline]
    scored = score(LabelledTranscription(), heard(*worse), TRUTH, heard(*baseline))
    rise = jiwer.wer(list(TRUTH), worse) - jiwer.wer(list(TRUTH), baseline)
    assert scored.drop.value == pytest.approx(rise)
    same = heard(*baseline)
    assert score(LabelledTranscription(), same, TRUTH, same).drop.high == 0


def test_no_error_seen_is_no_proof_that_there_is_none() -> None:
    """As for classes: of 100 recordings alike, 2.6 in a hundred others may still be lost whole."""
    scored = score(LabelledTranscription(), heard(*TRUTH), TRUTH, heard(*TRUTH), max_drop=0.01)
    assert scored.drop.value == 0
    assert scored.drop.high == pytest.approx(0.0263, abs=1e-4)
    assert scored.metrics["word_error_rate"].high > 0.03
    assert scored.samples_needed is not None
    assert 260 <= scored.samples_needed <= 280


def test_more_errors_than_words_are_counted_in_full() -> None:
    scored = score(LabelledTranscription(), heard(*["no no no no no"] * 100), TRUTH, heard(*TRUTH))
    assert scored.metrics["word_accuracy"].value < 0
    assert scored.drop.value > 1


def test_agreement_bounds_what_can_be_lost() -> None:
    """The triangle inequality of edit distances, on recordings with errors of both engines."""
    random = np.random.default_rng(3)

    def garbled(texts: list[str], share: float) -> list[str]:
        words = ("turn", "on", "lamp", "a", "")
        return [
            " ".join(word if random.random() > share else str(random.choice(words)) for word in text.split())
            for text in texts
        ]

    for share in (0.05, 0.3):
        baseline = garbled(list(TRUTH), 0.2)
        candidate = garbled(baseline, share)
        truth = count_errors(TRUTH, candidate).words - count_errors(TRUTH, baseline).words
        assert (truth <= count_errors(baseline, candidate).words).all()
        scored = score(TranscriptAgreement(), heard(*candidate), None, heard(*baseline))
        assert scored.drop.value == pytest.approx(1 - scored.metrics["agreement"].value)
        assert scored.metrics["same_transcript"].value < 1


def test_the_baseline_agrees_with_itself() -> None:
    outputs = heard(*TRUTH)
    scored = score(TranscriptAgreement(), outputs, None, outputs)
    assert scored.drop.high == 0
    assert scored.metrics["agreement"].value == 1


@pytest.mark.parametrize(
    ("scorer", "outputs", "truth", "says"),
    [
        (LabelledTranscription(), heard("a", "b"), ["a"], "one transcript a sample"),
        (LabelledTranscription(), heard("a"), ["?!"], "holds a word"),
        (LabelledTranscription(), [{"logits": np.zeros((1, 2, 3))}], ["a"], "no transcripts"),
        (TranscriptAgreement(), heard("a"), None, "hears no word"),
    ],
)
def test_what_cannot_be_scored_is_refused(scorer: Any, outputs: Any, truth: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        score(scorer, outputs, truth, heard(*["..."] * len(outputs)))


@pytest.mark.parametrize("cell", ["", "  ", None, 5])
def test_an_empty_transcript_is_refused_with_its_place(cell: Any) -> None:
    with pytest.raises(InputError, match=r"clips\.csv, line 3: the transcript is empty"):
        find_task("automatic-speech-recognition").truth.read(cell, (), "clips.csv, line 3")


def recordings_of(random: np.random.Generator, samples: int) -> tuple[Any, Any]:
    """Words of recordings, and how many are wrong with the one engine and the other; the truth is 2 points apart."""
    words = random.integers(1, 15, size=samples)
    # Recordings are hard or easy as a whole, and harder where they are longer: errors come in clusters.
    hard = np.minimum(0.9, random.beta(0.5, 4, size=samples) * (0.6 + 0.8 * words / 14))
    return words, (random.binomial(words, hard * 0.9), random.binomial(words, hard * 1.1))


def test_the_upper_bound_of_a_rise_holds_as_often_as_it_says() -> None:
    """2,000 tests of 150 recordings each: the bound lies above the true rise in 95 of 100, two points of chance."""
    random = np.random.default_rng(1)
    words, (ours, theirs) = recordings_of(random, 1_000_000)
    true = (theirs.sum() - ours.sum()) / words.sum()
    held = 0
    for _ in range(2000):
        words, (ours, theirs) = recordings_of(random, 150)
        losses = (theirs - ours) / words.mean()
        held += mean_drop(np.zeros(150), -losses).high >= true
    assert 0.93 <= held / 2000 <= 0.97


def test_the_interval_of_a_rate_holds_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    words, (ours, _) = recordings_of(random, 1_000_000)
    true = ours.sum() / words.sum()
    held = 0
    for seed in range(500):
        words, (ours, _) = recordings_of(random, 150)
        interval = rate_interval(ours, words, seed=seed)
        held += interval.low <= true <= interval.high
    assert 0.90 <= held / 500 <= 0.98


@pytest.mark.parametrize(("errors", "counts"), [([], []), ([1, 2], [3]), ([1, 1], [0, 0])])
def test_a_rate_of_nothing_is_refused(errors: Any, counts: Any) -> None:
    with pytest.raises(InputError):
        rate_interval(errors, counts)
