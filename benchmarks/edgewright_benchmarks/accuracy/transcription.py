"""Transcripts: word accuracy against what was said, or against what the float baseline heard.

Word accuracy is 1 - WER, so that its drop is the increase of the word error rate. It is below zero where there are more
errors than words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import WHOLE, Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import texts_of
from edgewright_benchmarks.accuracy._transcripts import Errors, count_errors, spoken
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import rate_interval, wilson
from edgewright_targets import InputError

_NO_TRANSCRIPT = "The outputs hold no transcripts; build the package with its speech task."


class LabelledTranscription(Metric[Sequence[str]]):
    """Texts against transcripts."""

    names: tuple[str, ...] = ("word_accuracy", "word_error_rate", "character_error_rate")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[str]:
        """The transcripts."""
        return check_ground_truth(ground_truth, baseline, f"one transcript a sample, of {len(baseline)} samples")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[str]) -> Scores:
        """Word accuracy, WER and CER with bootstrap intervals."""
        errors = count_errors(reference, texts_of(predictions, _NO_TRANSCRIPT))
        if not errors.reference_words.sum():
            raise InputError("No transcript of the data holds a word, so the word error rate is not defined.")
        words = rate_interval(errors.words, errors.reference_words)
        others = {
            "word_error_rate": words,
            "character_error_rate": rate_interval(errors.characters, errors.reference_characters),
        }
        return Scores("word_accuracy", _column(errors), others, _complement(words))


class LabelledCharacters(LabelledTranscription):
    """Texts against those that are right, by their characters, as both are spoken: for scripts without spaces."""

    names = ("character_error_rate",)

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[str]) -> Scores:
        """The character error rate with a bootstrap interval; its drop is by how much it grows."""
        errors = count_errors(reference, texts_of(predictions, _NO_TRANSCRIPT))
        if not errors.reference_characters.sum():
            raise InputError("No text of the data holds a character, so the character error rate is not defined.")
        scale = float(errors.reference_characters.mean())
        column = Means(-errors.characters.astype(np.float64), scale=scale)
        rate = rate_interval(errors.characters, errors.reference_characters)
        return Scores("character_error_rate", column, interval=rate)


class TranscriptAgreement(Agreement[Sequence[str]]):
    """How many words of the float baseline's transcripts an engine hears as well.

    Edit distances obey the triangle inequality: an engine has at most so many more errors against what was truly said
    than the baseline has.
    """

    names = ("agreement", "same_transcript")

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Sequence[str]:
        """The baseline's transcripts."""
        return texts_of(baseline, _NO_TRANSCRIPT)

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[str]) -> Scores:
        """1 - WER against the baseline's texts, and the share of transcripts that are the same."""
        answers = texts_of(predictions, _NO_TRANSCRIPT)
        errors = count_errors(reference, answers)
        if not errors.reference_words.sum():
            raise InputError(
                "The float baseline hears no word in any sample, so agreement is not defined.",
                hint="Pass data with speech that the model understands.",
            )
        words = rate_interval(errors.words, errors.reference_words)
        same = sum(spoken(answer) == spoken(text) for answer, text in zip(answers, reference, strict=True))
        others = {"same_transcript": wilson(same, len(reference))}
        return Scores("agreement", _column(errors), others, _complement(words))

    def by_definition(self, samples: int, /) -> Scores:
        """No errors."""
        return Scores("agreement", Means(np.zeros(samples)), {"same_transcript": WHOLE}, WHOLE)


def _complement(rate: Interval) -> Interval:
    return Interval(1 - rate.value, 1 - rate.high, 1 - rate.low, rate.confidence)


def _column(errors: Errors) -> Means:
    """Errors, which are worth less than none; a sample weighs as its words do: their mean is the word error rate."""
    return Means(-errors.words.astype(np.float64), scale=float(errors.reference_words.mean()))
