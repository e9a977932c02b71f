"""Texts that stand for another: corpus chrF (sacrebleu) against texts that are right, or the float baseline's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgewright_benchmarks.accuracy._chrf import chrf_sums
from edgewright_benchmarks.accuracy._columns import column_from_ratio
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import texts_of
from edgewright_benchmarks.accuracy.written import NO_TEXT, ReferenceTexts
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_targets import InputError


class LabelledTranslation(Metric[ReferenceTexts]):
    """Texts against one or several that are right."""

    names = ("corpus_chrf", "exact_match")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> ReferenceTexts:
        """The right texts."""
        return check_ground_truth(ground_truth, baseline, f"reference texts for {len(baseline)} samples")

    def scores(self, predictions: Sequence[Prediction], reference: ReferenceTexts) -> Scores:
        """The chrF of the corpus, and the share of texts that are right to the letter."""
        return _scores(*self.names, predictions, reference)


class TranslationAgreement(Agreement[ReferenceTexts]):
    """Texts against those of the float baseline."""

    names = ("agreement", "same_text")

    def baseline_reference(self, baseline: Sequence[Prediction]) -> ReferenceTexts:
        """The baseline's texts."""
        return [(text,) for text in texts_of(baseline, NO_TEXT)]

    def scores(self, predictions: Sequence[Prediction], reference: ReferenceTexts) -> Scores:
        """The chrF with the baseline's texts for the right ones, and the share of equal texts."""
        return _scores(*self.names, predictions, reference)


def _scores(name: str, exact: str, predictions: Sequence[Prediction], rights: ReferenceTexts) -> Scores:
    texts = texts_of(predictions, NO_TEXT)
    sums = chrf_sums(texts, rights)
    if not sums.right.any():
        raise InputError("No reference text holds a character, so nothing can be scored.")
    same = sum(text.strip() in {one.strip() for one in some} for text, some in zip(texts, rights, strict=True))
    return Scores(name, column_from_ratio(sums), {exact: wilson(same, len(texts))})
