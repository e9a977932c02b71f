"""Texts that a model writes: how many of their characters are those of a text that is right (chrF)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._scorer import NO_DROP, Output, answers_of, check_samples
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics import mean_drop, samples_needed, wilson
from edgewright_targets import InputError

Scores = NDArray[np.float64]

_NO_TEXTS = "A text can be told from an engine's answer only; there is none."


class LabelledTexts:
    """Scores texts against those that are right; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Output],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Output],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The mean chrF of the texts, and how many are the float engine's to the letter; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        if truth is None or len(truth) != len(outputs):
            given = 0 if truth is None else len(truth)
            raise InputError(f"Expected a text for each of {len(outputs)} samples, found {given}.")
        found, expected = _texts(outputs), _texts(baseline_outputs)
        same = sum(one == other for one, other in zip(found, expected, strict=True))
        others = {"same_text": wilson(same, len(found))}
        baseline = None if outputs is baseline_outputs else chrf(expected, truth)
        return _accuracy("chrf", chrf(found, truth), baseline, max_drop, others)


class TextAgreement:
    """Scores texts against those of the float baseline; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Output],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Output],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The mean chrF with the baseline's texts for the right ones; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        scores = chrf(_texts(outputs), _texts(baseline_outputs))
        baseline = None if outputs is baseline_outputs else np.ones_like(scores)
        return _accuracy("agreement", scores, baseline, max_drop, {})


def chrf(texts: Sequence[str], rights: Sequence[str]) -> Scores:
    """ChrF of each text, 0 to 1, as sacrebleu counts it: F2 of character n-grams up to 6; shape (texts,)."""
    # Imported here: tasks of other answers need it not.
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    pairs = zip(texts, rights, strict=True)
    # An empty text has no n-grams; it is right where nothing is to be said.
    return np.array([float(one == right) if not one or not right else _of(metric, one, right) for one, right in pairs])


def _of(metric: Any, text: str, right: str) -> float:
    return float(metric.sentence_score(text, [right]).score) / 100


def _accuracy(
    metric: str, scores: Scores, baseline: Scores | None, max_drop: float | None, others: dict[str, Interval]
) -> Accuracy:
    """The mean with its interval, and its paired drop; without the baseline's scores the engine is the baseline."""
    # Two one-sided bounds of 97.5 % are a two-sided interval of 95 %, as all metrics have.
    both = mean_drop(np.ones_like(scores), scores, confidence=0.975)
    value = Interval(float(scores.mean()), max(0.0, 1 - both.high), min(1.0, 1 - both.low))
    if baseline is None:
        return Accuracy(metrics={metric: value, **others}, drop=NO_DROP, samples=len(scores))
    needed = None if max_drop is None else samples_needed(baseline - scores, len(scores), max_drop)
    return Accuracy({metric: value, **others}, mean_drop(baseline, scores), len(scores), needed)


def _texts(outputs: Sequence[Output]) -> list[str]:
    return [str(answer) for answer in answers_of(outputs, _NO_TEXTS)]
