"""Metrics of a whole corpus that are a ratio of sums, such as F1 or the word error rate: their intervals and drops.

The samples of such a metric weigh differently, so that it is not a mean over them. To first order it is one of

    score_i = R + (numerator_i - R * denominator_i) / mean(denominator),    R = sum(numerator) / sum(denominator)

(the linearisation of a ratio estimator; W. G. Cochran, Sampling Techniques, 3rd edition, 1977, section 6.4): the mean
of these scores is R exactly, and their spread is the spread of R. So paired drops are means of paired differences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sums:
    """What each sample adds to the two sums of a ratio; shape (samples,) each."""

    numerator: NDArray[np.float64]
    denominator: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """The metric; 1 where there was nothing to find and nothing was found."""
        total = float(self.denominator.sum())
        return float(self.numerator.sum()) / total if total else 1.0

    @property
    def span(self) -> float:
        """The most that one sample can cost: all that it holds, which is more where it holds more than others."""
        mean = float(self.denominator.mean())
        return max(1.0, float(self.denominator.max()) / mean) if mean else 1.0

    def scores(self) -> NDArray[np.float64]:
        """A score for each sample, whose mean is the ratio."""
        mean = float(self.denominator.mean())
        if not mean:
            return np.ones_like(self.numerator)
        return self.ratio + (self.numerator - self.ratio * self.denominator) / mean


@dataclass(frozen=True)
class MeanOfSums:
    """A mean of several such ratios, such as that over classes; shape (samples, ratios) each.

    To first order its score of a sample is the mean of the scores of its ratios. Every ratio has something to find.
    """

    numerator: NDArray[np.float64]
    denominator: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """The metric."""
        return float(self._ratios().mean())

    @property
    def span(self) -> float:
        """The largest share that one sample holds of any ratio, as a multiple of the mean."""
        return max(1.0, float((self.denominator / self.denominator.mean(axis=0)).mean(axis=1).max()))

    def scores(self) -> NDArray[np.float64]:
        """A score for each sample, whose mean is the mean of the ratios."""
        ratios = self._ratios()
        each = ratios + (self.numerator - ratios * self.denominator) / self.denominator.mean(axis=0)
        found: NDArray[np.float64] = each.mean(axis=1)
        return found

    def _ratios(self) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self.numerator.sum(axis=0) / self.denominator.sum(axis=0)
        return found
