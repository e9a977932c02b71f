"""Boxes around things: COCO's mean average precision against the truth, or against what the float baseline shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgewright_benchmarks.accuracy._average_precision import Found, average_precision
from edgewright_benchmarks.accuracy._mean import mean_accuracy, mean_interval
from edgewright_benchmarks.accuracy._scorer import answers_of, check_samples, check_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Measure
from edgewright_benchmarks.truth.objects import TrueBox
from edgewright_targets import InputError

_NO_ANSWERS = "Boxes can be told from an engine's answer only; there is none."
# Places in `OVERLAPS`.
_HALF, _THREE_QUARTERS = 0, 5


class LabelledBoxes:
    """Scores boxes against those that are there; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """Mean average precision over ten overlaps, and at two of them; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"the boxes of {len(outputs)} pictures")
        if all(box.crowd for boxes in truth for box in boxes):
            raise InputError("No picture of the data has a box, so there is nothing to find and no average precision.")
        return _score("map", outputs, truth, baseline_outputs, max_drop)


class BoxAgreement:
    """Scores boxes against those that the float baseline shows a person; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """Mean average precision with the baseline's boxes for the truth; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        shown = [[_shown(box) for box in boxes if box["shown"]] for boxes in _boxes(baseline_outputs)]
        if not any(shown):
            raise InputError(
                "The float baseline shows no box in any picture, so there is nothing to agree with.",
                hint="Pass pictures with things that it finds.",
            )
        return _score("agreement", outputs, shown, baseline_outputs, max_drop)


def _score(
    metric: str,
    outputs: Sequence[Prediction],
    truth: Sequence[Sequence[TrueBox]],
    baseline_outputs: Sequence[Prediction],
    max_drop: float | None,
) -> Accuracy:
    mine = average_precision(_boxes(outputs), truth)
    assert mine is not None, "there is something to find"
    scores = mine.scores.mean(axis=1)
    metrics = {metric: mean_interval(scores, span=mine.span)}
    if metric == "map":
        metrics["ap_50"] = mean_interval(mine.scores[:, _HALF], span=mine.span)
        metrics["ap_75"] = mean_interval(mine.scores[:, _THREE_QUARTERS], span=mine.span)
    if outputs is baseline_outputs:
        return mean_accuracy(metrics, scores, None, max_drop=max_drop)
    baseline = average_precision(_boxes(baseline_outputs), truth)
    assert baseline is not None, "there is something to find"
    return mean_accuracy(metrics, scores, baseline.scores.mean(axis=1), max_drop=max_drop, span=mine.span)


def _boxes(outputs: Sequence[Prediction]) -> list[Found]:
    return answers_of(outputs, _NO_ANSWERS)


def _shown(box: Any) -> TrueBox:
    left, top, right, bottom = (box["box"][side] for side in ("xmin", "ymin", "xmax", "ymax"))
    return TrueBox(box["label"], (left, top, right - left, bottom - top))
