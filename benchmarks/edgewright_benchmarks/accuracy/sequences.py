"""Sequences of whole numbers, such as tokens or events: how few edits lead from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.intervals import rate_interval
from edgewright_targets import InputError

Numbers = tuple[int, ...]


class LabelledSequences(Metric[Sequence[Numbers]]):
    """Sequences against those that are right: edit similarity, and edits over all that there was to give.

    The similarity of a sample is 1 minus its edits (Levenshtein) over the length of the longer sequence. A model gives
    whole numbers, those below zero are left out; or scores, of which the best of the last axis are taken.
    """

    names = ("edit_similarity", "edit_distance")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[Numbers]:
        """The right sequences."""
        truth = check_ground_truth(ground_truth, baseline, f"a sequence for each of {len(baseline)} samples")
        if not any(truth):
            raise InputError("All sequences of the ground truth are empty, so nothing can be scored.")
        for prediction in baseline:
            sequence_of(prediction)
        return truth

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Numbers]) -> Scores:
        """The mean similarity, and the rate of edits."""
        # Here, not above: a refusal need not wait for it.
        from rapidfuzz.distance import Levenshtein

        pairs = [(sequence_of(one), right) for one, right in zip(predictions, reference, strict=True)]
        alike = np.array([Levenshtein.normalized_similarity(*pair) for pair in pairs])
        edits = np.array([float(Levenshtein.distance(*pair)) for pair in pairs])
        lengths = np.array([float(len(right)) for right in reference])
        return Scores("edit_similarity", Means(alike), {"edit_distance": rate_interval(edits, lengths)})

    def changed(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> Sequence[bool | None]:
        """Whether each sample has another sequence than with the baseline."""
        pairs = zip(predictions, baseline, strict=True)
        return [sequence_of(one) != sequence_of(other) for one, other in pairs]


def sequence_of(prediction: Prediction) -> Numbers:
    """The sequence that a model gives for a sample; empty where its scores are not finite.

    Raises:
        InputError: It has several outputs, or its scores are of one number alone.
    """
    arrays = [np.asarray(array) for array in prediction.outputs.values()]
    if len(arrays) != 1 or arrays[0].dtype.kind not in "iuf":
        raise InputError(
            f"Sequences are read from one output of numbers; the model gives {', '.join(prediction.outputs)}.",
            hint="Choose one with --post package.module:function.",
        )
    (found,) = arrays
    if found.dtype.kind == "f":
        if found.ndim < 2:
            raise InputError(f"Scores of a sequence have the shape [steps, classes]; found {list(found.shape)}.")
        if not np.isfinite(found).all():
            return ()
        found = found.argmax(axis=-1)
    return tuple(int(number) for number in found.reshape(-1) if number >= 0)
