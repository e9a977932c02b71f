"""Transcripts: word accuracy against what was said, or against what the float baseline heard.

Word accuracy is 1 - WER, so that its drop is the increase of the word error rate. It is below zero where there are more
errors than words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgewright_benchmarks.accuracy._scorer import NO_DROP, check_samples, check_truth, texts_of
from edgewright_benchmarks.accuracy._transcripts import Counts, Errors, count_errors, spoken
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics.intervals import mean_drop, rate_interval, samples_needed, wilson
from edgewright_targets import InputError

_NO_TRANSCRIPT = "The outputs hold no transcripts; build the package with its speech task."


class LabelledTranscription:
    """Scores texts against transcripts; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[str] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """Word accuracy, WER and CER with bootstrap intervals; the drop as by `mean_drop`; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"one transcript a sample, of {len(outputs)} samples")
        mine = count_errors(truth, texts_of(outputs, _NO_TRANSCRIPT))
        if not mine.reference_words.sum():
            raise InputError("No transcript of the data holds a word, so there is no word error rate.")
        words = rate_interval(mine.words, mine.reference_words)
        metrics = {
            "word_accuracy": Interval(1 - words.value, 1 - words.high, 1 - words.low, words.confidence),
            "word_error_rate": words,
            "character_error_rate": rate_interval(mine.characters, mine.reference_characters),
        }
        if outputs is baseline_outputs:
            return Accuracy(metrics, NO_DROP, len(truth))
        baseline = count_errors(truth, texts_of(baseline_outputs, _NO_TRANSCRIPT))
        return _judged(metrics, baseline.words - mine.words, mine, max_drop)


class TranscriptAgreement:
    """How many words of the float baseline's transcripts an engine hears as well; see `Scorer`.

    Edit distances obey the triangle inequality: an engine has at most so many more errors against what was truly said
    than the baseline has.
    """

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[str] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """1 - WER against the baseline's texts, and the share of transcripts that are the same; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        references = texts_of(baseline_outputs, _NO_TRANSCRIPT)
        if outputs is baseline_outputs:
            whole = Interval(1.0, 1.0, 1.0)
            return Accuracy({"agreement": whole, "same_transcript": whole}, NO_DROP, len(references))
        answers = texts_of(outputs, _NO_TRANSCRIPT)
        mine = count_errors(references, answers)
        if not mine.reference_words.sum():
            raise InputError(
                "The float baseline hears no word in any sample, so there is nothing to agree with.",
                hint="Pass data with speech that it understands.",
            )
        words = rate_interval(mine.words, mine.reference_words)
        same = sum(spoken(answer) == spoken(text) for answer, text in zip(answers, references, strict=True))
        metrics = {
            "agreement": Interval(1 - words.value, 1 - words.high, 1 - words.low, words.confidence),
            "same_transcript": wilson(same, len(references)),
        }
        return _judged(metrics, -mine.words, mine, max_drop)


def _judged(metrics: dict[str, Interval], gained: Counts, mine: Errors, max_drop: float | None) -> Accuracy:
    """`gained` are the errors that each sample has less than with the baseline."""
    words = mine.reference_words
    # Each sample weighs as its words do: the mean of these is the difference of the two word error rates.
    losses = -gained / words.mean()
    drop = mean_drop(np.zeros_like(losses), -losses)
    needed = None if max_drop is None else samples_needed(losses, len(losses), max_drop)
    return Accuracy(metrics, drop, len(losses), needed)
