"""Keywords: F1 over recordings and keywords, found where there is a detection, and the AUC of their highest scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._decisions import Decisions, auc_over_recordings, f1_column
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.predictions import Prediction

_NO_ANSWERS = "Keywords are scored by the pipeline's output. This engine gave only the outputs of its graph."


class LabelledKeywords(Metric[Sequence[Any]]):
    """What was found against what is said."""

    names = ("f1", "auc")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[Any]:
        """The keywords that are said in each recording."""
        return check_ground_truth(ground_truth, baseline, f"the keywords of {len(baseline)} recordings")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Any]) -> Scores:
        """F1 and AUC over all pairs of a recording and a keyword."""
        found = _found(predictions)
        labels = sorted(found[0])
        expected = [np.array([label in spoken for label in labels]) for spoken in reference]
        auc = auc_over_recordings([np.array([entry[label][0] for label in labels]) for entry in found], expected)
        return Scores("f1", f1_column(_detected(found), expected), {} if auc is None else {"auc": auc})


class KeywordAgreement(Agreement[Sequence[Decisions]]):
    """What was found against what the float baseline finds."""

    names = ("agreement",)

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Sequence[Decisions]:
        """The baseline's detections."""
        return _detected(_found(baseline))

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Decisions]) -> Scores:
        """F1 with the baseline's detections for the ground truth."""
        return Scores("agreement", f1_column(_detected(_found(predictions)), reference))


def _found(predictions: Sequence[Prediction]) -> list[dict[str, tuple[float, bool]]]:
    """Of each recording and keyword the highest score, and whether it was found."""
    answers = answers_of(predictions, _NO_ANSWERS)
    return [{entry["label"]: (entry["score"], bool(entry["detections"])) for entry in answer} for answer in answers]


def _detected(found: Sequence[dict[str, tuple[float, bool]]]) -> list[Decisions]:
    return [np.array([entry[label][1] for label in sorted(entry)]) for entry in found]
