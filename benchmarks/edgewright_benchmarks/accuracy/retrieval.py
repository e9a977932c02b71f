"""Pairs of images and texts that are found by one another's vectors: recall among the best few.

Each image is looked for among all texts of the data, and each text among all images. Equal texts are one text, and
right for all of their images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._mean import mean_accuracy, mean_interval
from edgewright_benchmarks.accuracy._scorer import check_samples, check_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Measure
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_targets import InputError

_BEST = (1, 5)
_SIDES = ("image_to_text", "text_to_image")


class Retrieval:
    """Scores each pair by its mean recall: the share of hits in both directions, among the best 1 and 5; see `Scorer`.

    Args:
        image: Name of the output with the image's vector.
        text: Name of the output with the text's vector.
    """

    measure: Measure = "accuracy"

    def __init__(self, image: str, text: str) -> None:
        self._image = image
        self._text = text

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[str] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """Recall at 1 and 5 of each direction, and their mean, which the drop is of; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"the text of each pair, of {len(outputs)} pairs")
        if len(set(truth)) < 2:
            raise InputError("All pairs have one text, so that nothing can be told apart by it.")
        hits = self._hits(outputs, truth)
        pairs = len(outputs)
        scores = np.mean([*hits.values()], axis=0)
        recalls = {name: wilson(int(found.sum()), pairs) for name, found in hits.items()}
        metrics = {"mean_recall": mean_interval(scores), **recalls}
        is_baseline = outputs is baseline_outputs
        baseline = None if is_baseline else np.mean([*self._hits(baseline_outputs, truth).values()], axis=0)
        return mean_accuracy(metrics, scores, baseline, max_drop=max_drop)

    def _hits(self, outputs: Sequence[Prediction], truth: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        images, texts = (self._vectors(outputs, name) for name in (self._image, self._text))
        _, firsts, own = np.unique(np.array(truth), return_index=True, return_inverse=True)
        scores = images @ texts[firsts].T
        right = own[:, None] == np.arange(len(firsts))
        ranks = (_ranks(scores, right), _ranks(scores.T, right.T)[own])
        return {
            f"{side}_recall_at_{count}": rank < count
            for side, rank in zip(_SIDES, ranks, strict=True)
            for count in _BEST
            # Among so few texts a hit says nothing.
            if count == 1 or len(firsts) > count
        }

    def _vectors(self, outputs: Sequence[Prediction], name: str) -> NDArray[np.float64]:
        rows = []
        for output in outputs:
            if name not in output.outputs:
                raise InputError(f"The outputs hold no '{name}'; build the package with its task for pairs.")
            rows.append(np.asarray(output.outputs[name], dtype=np.float64).reshape(-1))
        return np.stack(rows)


def _ranks(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many wrong ones are before the best right one, in each row; what is not finite is found by nobody."""
    scores = np.where(np.isfinite(scores), scores, -np.inf)
    best = np.where(right, scores, -np.inf).max(axis=1)
    # Of equal scores a wrong one counts as the better: vectors that are all alike find nothing.
    before = (~right & (scores >= best[:, None])).sum(axis=1)
    ranks: NDArray[np.int64] = np.where(np.isfinite(best), before, scores.shape[1])
    return ranks
