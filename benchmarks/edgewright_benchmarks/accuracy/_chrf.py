"""ChrF of a whole corpus: sacrebleu's counts of shared pieces, and what each sample adds to the score.

chrF is a smooth function F of sums S over samples: pieces of one to six characters in the answers, in the right texts
and in both. To first order it is the mean of

    score_i = F(S) + samples * gradient(F)(S) . s_i

(the linearisation of `_corpus.py` with more sums than two). F does not change where all sums grow alike, so that the
gradient times S is 0 and the mean of these scores is F exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.chrf import CHRF

Array = NDArray[np.float64]
_BETA_SQUARED = float(CHRF.BETA**2)


@dataclass(frozen=True)
class ChrfSums:
    """What each sample adds to the sums; shape (samples, piece lengths) each.

    Attributes:
        found: Pieces of the answer.
        right: Pieces of the right text; of several, of that which the answer is most like.
        shared: Pieces of both.
    """

    found: Array
    right: Array
    shared: Array

    @property
    def ratio(self) -> float:
        """The metric, 0 to 1."""
        return self._parts()[2]

    @property
    def span(self) -> float:
        """The most that one sample can cost: all that it holds, which is more where it holds more than others."""
        mean = self.right.mean(axis=0)
        kept = mean > 0
        return max(1.0, float((self.right[:, kept] / mean[kept]).mean(axis=1).max())) if kept.any() else 1.0

    def scores(self) -> Array:
        """A score for each sample, whose mean is the metric."""
        precision, recall, value = self._parts()
        found, right, shared = (part.sum(axis=0) for part in (self.found, self.right, self.shared))
        kept = (found > 0) & (right > 0)
        weight = _BETA_SQUARED * precision + recall
        if not kept.any() or not weight:
            return np.full(len(self.found), value)
        # Derivatives of the F-score by precision and recall, and of these by the sums.
        by_precision = (1 + _BETA_SQUARED) * recall**2 / weight**2
        by_recall = (1 + _BETA_SQUARED) * _BETA_SQUARED * precision**2 / weight**2
        found, right, shared = found[kept], right[kept], shared[kept]
        precisions = (self.shared[:, kept] - shared / found * self.found[:, kept]) / found
        recalls = (self.shared[:, kept] - shared / right * self.right[:, kept]) / right
        change = by_precision * precisions.mean(axis=1) + by_recall * recalls.mean(axis=1)
        scores: Array = value + len(self.found) * change
        return scores

    def _parts(self) -> tuple[float, float, float]:
        """Precision, recall and F-score of the corpus, as sacrebleu computes them."""
        found, right, shared = (part.sum(axis=0) for part in (self.found, self.right, self.shared))
        kept = (found > 0) & (right > 0)
        if not kept.any():
            return 0.0, 0.0, 0.0
        precision = float((shared[kept] / found[kept]).mean())
        recall = float((shared[kept] / right[kept]).mean())
        weight = _BETA_SQUARED * precision + recall
        return precision, recall, (1 + _BETA_SQUARED) * precision * recall / weight if weight else 0.0


def chrf_sums(texts: Sequence[str], rights: Sequence[Sequence[str]]) -> ChrfSums:
    """The counts of each answer against one or several right texts."""
    metric = CHRF()
    rows = []
    for text, some in zip(texts, rights, strict=True):
        # It gives its counts in no other way; a test compares what is made of them with its own score.
        pieces = metric._extract_reference_info(list(some))  # noqa: SLF001
        rows.append(metric._compute_segment_statistics(text, pieces))  # noqa: SLF001
    counts = np.array(rows, dtype=np.float64).reshape(len(rows), CHRF.CHAR_ORDER, 3)
    return ChrfSums(counts[..., 0], counts[..., 1], counts[..., 2])
