"""Pairs of images and texts that are found by one another's vectors: recall among the best few.

Each image is looked for among all texts of the data, and each text among all images. Equal texts are one text, and
right for all of their images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_targets import InputError

_BEST = (1, 5)
_SIDES = ("image_to_text", "text_to_image")


@dataclass(frozen=True)
class _Texts:
    """The texts of pairs: where each other one is first, and which of these is each pair's own; shape (pairs,)."""

    firsts: NDArray[np.int64]
    own: NDArray[np.int64]


class Retrieval(Metric[_Texts]):
    """The mean recall of each pair: the share of hits in both directions, among the best 1 and 5.

    Args:
        image: Name of the output with the image's vector.
        text: Name of the output with the text's vector.
    """

    names = ("mean_recall", *(f"{side}_recall_at_{count}" for side in _SIDES for count in _BEST))

    def __init__(self, image: str, text: str) -> None:
        self._image = image
        self._text = text

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> _Texts:
        """The text of each pair."""
        truth = check_ground_truth(ground_truth, baseline, f"the text of each pair, of {len(baseline)} pairs")
        if len(set(truth)) < 2:
            raise InputError("All pairs have the same text, so retrieval cannot be scored.")
        _, firsts, own = np.unique(np.array(truth), return_index=True, return_inverse=True)
        return _Texts(firsts, own)

    def scores(self, predictions: Sequence[Prediction], reference: _Texts) -> Scores:
        """The mean recall, and recall at 1 and 5 of each direction."""
        hits = self._hits(predictions, reference)
        recalls = {name: wilson(int(found.sum()), len(predictions)) for name, found in hits.items()}
        return Scores("mean_recall", Means(np.mean([*hits.values()], axis=0)), recalls)

    def _hits(self, predictions: Sequence[Prediction], reference: _Texts) -> dict[str, NDArray[np.bool_]]:
        images, texts = (self._vectors(predictions, name) for name in (self._image, self._text))
        firsts, own = reference.firsts, reference.own
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

    def _vectors(self, predictions: Sequence[Prediction], name: str) -> NDArray[np.float64]:
        rows = []
        for prediction in predictions:
            if name not in prediction.outputs:
                raise InputError(f"The outputs hold no '{name}'; build the package with its task for pairs.")
            rows.append(np.asarray(prediction.outputs[name], dtype=np.float64).reshape(-1))
        return np.stack(rows)


def _ranks(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many wrong ones are before the best right one, in each row; what is not finite is found by nobody."""
    scores = np.where(np.isfinite(scores), scores, -np.inf)
    best = np.where(right, scores, -np.inf).max(axis=1)
    # Of equal scores a wrong one counts as the better: vectors that are all alike find nothing.
    before = (~right & (scores >= best[:, None])).sum(axis=1)
    ranks: NDArray[np.int64] = np.where(np.isfinite(best), before, scores.shape[1])
    return ranks
