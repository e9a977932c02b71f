"""Texts that stand for another: corpus chrF (sacrebleu) against texts that are right, or the float baseline's."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_benchmarks.accuracy._chrf import chrf_sums
from edgewright_benchmarks.accuracy._corpus import corpus_accuracy
from edgewright_benchmarks.accuracy._scorer import check_samples, check_truth, texts_of
from edgewright_benchmarks.accuracy.written import NO_TEXT
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Measure
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_targets import InputError


class LabelledTranslation:
    """Scores texts against one or several that are right; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Sequence[str]] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The chrF of the corpus, and the share of texts that are right to the letter; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"right texts for {len(outputs)} samples")
        return _accuracy("corpus_chrf", "exact_match", outputs, truth, baseline_outputs, max_drop)


class TranslationAgreement:
    """Scores texts against those of the float baseline; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Sequence[str]] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The chrF with the baseline's texts for the right ones, and the share of equal texts; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        rights = [(text,) for text in texts_of(baseline_outputs, NO_TEXT)]
        return _accuracy("agreement", "same_text", outputs, rights, baseline_outputs, max_drop)


def _accuracy(
    metric: str,
    exact: str,
    outputs: Sequence[Prediction],
    rights: Sequence[Sequence[str]],
    baseline_outputs: Sequence[Prediction],
    max_drop: float | None,
) -> Accuracy:
    is_baseline = outputs is baseline_outputs
    texts = texts_of(outputs, NO_TEXT)
    mine = chrf_sums(texts, rights)
    theirs = mine if is_baseline else chrf_sums(texts_of(baseline_outputs, NO_TEXT), rights)
    if not mine.right.any():
        raise InputError("No right text holds a character, so there is nothing to compare with.")
    same = sum(text.strip() in {one.strip() for one in some} for text, some in zip(texts, rights, strict=True))
    others = {exact: wilson(same, len(texts))}
    return corpus_accuracy(metric, mine, theirs, is_baseline=is_baseline, max_drop=max_drop, others=others)
