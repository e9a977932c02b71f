"""Generators: how well each next token of real texts is expected, text by text, under the texts' own tokens.

What an engine writes by itself parts from another engine's text at the first other token, and says nothing after it.
So every engine reads the same texts and is asked for each next token: what comes next in the text is the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._scorer import NO_DROP, check_samples
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics.intervals import mean_drop, samples_needed
from edgewright_targets import InputError

# A token whose probability is no number counts as this improbable.
_WORST_LOG_PROBABILITY = -100.0
_RESAMPLES = 1000


class _Text:
    """One text as an engine read it: where it was right, what it put first, how probable the text was."""

    def __init__(self, prediction: Prediction) -> None:
        tokens, output = prediction.answer, prediction.outputs
        self.best = np.array(tokens["best"], dtype=np.int64)
        found = np.asarray(output["log_probability"], dtype=np.float64)
        finite = np.isfinite(found) & np.isfinite(output["best_log_probability"])
        self.best[~finite] = -1
        self.right = self.best == np.array(tokens["there"], dtype=np.int64)
        self.log_probability = np.where(finite, found, _WORST_LOG_PROBABILITY)


class NextToken:
    """Scores each text by the share of its tokens that the engine put first; see `Scorer`.

    Args:
        measure: `accuracy` where the text itself is the truth, `agreement` where the float baseline's first choice is.
    """

    def __init__(self, measure: Measure) -> None:
        self.measure: Measure = measure

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; the truth is in the texts themselves
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """See `Scorer.score`. Texts of one token have no next one and are left out.

        Tokens of one text resemble one another and are no independent evidence, so the drop is a mean over texts.
        """
        check_samples(outputs, baseline_outputs)
        pairs = [(_Text(own), _Text(other)) for own, other in zip(outputs, baseline_outputs, strict=True)]
        pairs = [(own, other) for own, other in pairs if other.best.size]
        if not pairs:
            raise InputError("No text has a next token: all are of one token.")
        agreed = np.array([float(((own.best == other.best) & (other.best >= 0)).mean()) for own, other in pairs])
        if self.measure == "agreement":
            scores, reference = agreed, np.ones_like(agreed)
        else:
            scores, reference = (np.array([text.right.mean() for text in texts]) for texts in zip(*pairs, strict=True))
        is_baseline = outputs is baseline_outputs
        drop = NO_DROP if is_baseline else mean_drop(reference, scores)
        metrics = {self.measure: _mean(scores), "perplexity": _perplexity([own for own, _ in pairs])}
        if self.measure == "accuracy":
            metrics["token_agreement"] = _mean(agreed)
        needed = None
        if not is_baseline and max_drop is not None:
            needed = samples_needed(reference - scores, len(scores), max_drop)
        return Accuracy(metrics=dict(metrics), drop=drop, samples=len(pairs), samples_needed=needed)


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
    drawn = np.random.default_rng(0).integers(len(texts), size=(_RESAMPLES, len(texts)))
    values = np.exp(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    value = float(np.exp(sums.sum() / counts.sum()))
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(value, min(value, float(low)), max(value, float(high)))
