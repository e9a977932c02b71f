"""Generators: how well each next token of real texts is expected, text by text, under the texts' own tokens.

What an engine writes by itself parts from another engine's text at the first other token, and says nothing after it.
So every engine reads the same texts and is asked for each next token: what comes next in the text is the ground truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import Metric, Scores
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Measure
from edgewright_benchmarks.statistics.intervals import mean_drop
from edgewright_benchmarks.statistics.resampling import bootstrap
from edgewright_targets import InputError

# A token whose probability is not a number counts as this improbable.
_WORST_LOG_PROBABILITY = -100.0
_RESAMPLES = 1000


class _Text:
    """One text as an engine read it: where it was right, what it put first, how probable the text was."""

    def __init__(self, prediction: Prediction) -> None:
        tokens, outputs = prediction.answer, prediction.outputs
        self.best = np.array(tokens["best"], dtype=np.int64)
        found = np.asarray(outputs["log_probability"], dtype=np.float64)
        finite = np.isfinite(found) & np.isfinite(outputs["best_log_probability"])
        self.best[~finite] = -1
        self.right = self.best == np.array(tokens["there"], dtype=np.int64)
        self.log_probability = np.where(finite, found, _WORST_LOG_PROBABILITY)


class NextToken(Metric[Sequence[_Text]]):
    """The share of its tokens that the engine puts first, of each text; texts of one token are left out.

    Tokens of one text resemble one another and are not independent evidence, so the drop is a mean over texts.

    Args:
        measure: `accuracy` where the text itself is the truth, `agreement` where the float baseline's first choice is.
    """

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.names = (measure, "perplexity", *(["token_agreement"] if measure == "accuracy" else []))

    def reference(self, _ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[_Text]:
        """The texts as the baseline read them, which hold their own next tokens."""
        texts = [_Text(prediction) for prediction in baseline]
        if not any(text.best.size for text in texts):
            raise InputError("No text has a next token: every text has one token only.")
        return texts

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[_Text]) -> Scores:
        """The shares, and the perplexity of all texts."""
        pairs = [(_Text(one), other) for one, other in zip(predictions, reference, strict=True) if other.best.size]
        agreed = np.array([float(((own.best == other.best) & (other.best >= 0)).mean()) for own, other in pairs])
        perplexity = {"perplexity": _perplexity([own for own, _ in pairs])}
        if self.measure == "agreement":
            return Scores("agreement", Means(agreed), perplexity, _mean(agreed))
        right = np.array([own.right.mean() for own, _ in pairs])
        return Scores("accuracy", Means(right), {**perplexity, "token_agreement": _mean(agreed)}, _mean(right))

    def baseline_scores(self, baseline: Sequence[Prediction], reference: Sequence[_Text]) -> Scores:
        """What was read; engines are compared with full agreement."""
        own = self.scores(baseline, reference)
        return replace(own, column=Means(np.ones(own.column.samples))) if self.measure == "agreement" else own


def _mean(scores: NDArray[np.float64]) -> Interval:
    """The mean of a share over texts with its t interval, two-sided 95 %."""
    if (scores == 1).all():
        return Interval(1.0, 1.0, 1.0)
    zeros = np.zeros_like(scores)
    # Two one-sided bounds of 97.5 % are a two-sided interval of 95 %.
    found = mean_drop(scores, zeros, confidence=0.975)
    return Interval(found.value, max(0.0, found.low), min(1.0, found.high))


def _perplexity(texts: Sequence[_Text]) -> Interval:
    """Exp of the mean of -log p over all tokens, with a percentile bootstrap over texts."""
    sums = np.array([-text.log_probability.sum() for text in texts])
    counts = np.array([text.log_probability.size for text in texts])

    def of(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = np.exp(sums[rows].sum(axis=1) / counts[rows].sum(axis=1))
        return values

    return bootstrap(float(np.exp(sums.sum() / counts.sum())), of, len(texts), resamples=_RESAMPLES)
