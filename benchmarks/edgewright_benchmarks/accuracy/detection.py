"""Boxes around things: COCO's mean average precision against the truth, or against what the float baseline shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgewright_benchmarks.accuracy._average_precision import Found, Precision, average_precision
from edgewright_benchmarks.accuracy._columns import Means, mean_interval
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.truth.objects import TrueBox
from edgewright_runtime.answer_types import FoundBox
from edgewright_targets import InputError

# Of each picture.
Boxes = Sequence[Sequence[TrueBox]]

_NO_ANSWERS = "Boxes are scored by the pipeline's output. This engine gave only the outputs of its graph."
# Places in `OVERLAPS`.
_HALF, _THREE_QUARTERS = 0, 5


class LabelledBoxes(Metric[Boxes]):
    """Boxes against those that are there."""

    names = ("map", "ap_50", "ap_75")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Boxes:
        """The boxes that are there."""
        truth = check_ground_truth(ground_truth, baseline, f"the boxes of {len(baseline)} pictures")
        if all(box.crowd for boxes in truth for box in boxes):
            raise InputError("No picture of the data has a box, so average precision is not defined.")
        return truth

    def scores(self, predictions: Sequence[Prediction], reference: Boxes) -> Scores:
        """Mean average precision over ten overlaps, and at two of them."""
        found = _precision(predictions, reference)
        half, three_quarters = (found.scores[:, place] for place in (_HALF, _THREE_QUARTERS))
        others = {
            "ap_50": mean_interval(half, span=found.span),
            "ap_75": mean_interval(three_quarters, span=found.span),
        }
        return Scores("map", _column(found), others)


class BoxAgreement(Agreement[Boxes]):
    """Boxes against those that the float baseline shows a person."""

    names = ("agreement",)

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Boxes:
        """The boxes that the baseline shows."""
        shown = [[_shown(box) for box in boxes if box["shown"]] for boxes in _boxes(baseline)]
        if not any(shown):
            raise InputError(
                "The float baseline finds no box in any picture, so agreement is not defined.",
                hint="Pass pictures with objects that the model finds.",
            )
        return shown

    def scores(self, predictions: Sequence[Prediction], reference: Boxes) -> Scores:
        """Mean average precision with the baseline's boxes for the ground truth."""
        return Scores("agreement", _column(_precision(predictions, reference)))


def _precision(predictions: Sequence[Prediction], truth: Boxes) -> Precision:
    found = average_precision(_boxes(predictions), truth)
    assert found is not None, "there is something to find"
    return found


def _column(found: Precision) -> Means:
    return Means(found.scores.mean(axis=1), span=found.span)


def _boxes(predictions: Sequence[Prediction]) -> list[Found]:
    return answers_of(predictions, _NO_ANSWERS)


def _shown(box: FoundBox) -> TrueBox:
    left, top, right, bottom = (box["box"][side] for side in ("xmin", "ymin", "xmax", "ymax"))
    return TrueBox(box["label"], (left, top, right - left, bottom - top))
