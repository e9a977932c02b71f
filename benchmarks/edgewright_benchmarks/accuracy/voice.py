"""Voice activity: F1 over frames, speech where their middle lies in a segment, and the AUC of their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._decisions import Decisions, auc_over_recordings, f1_column
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.predictions import Prediction

Segment = tuple[float, float]
# Seconds at which the frames of each recording have their middles; shape (frames,).
Middles = Sequence[NDArray[np.float64]]

_NO_ANSWERS = "Segments of speech are scored by the pipeline's output. This engine gave only the outputs of its graph."


class LabelledVoice(Metric[Sequence[Sequence[Segment]]]):
    """Segments against those that are right."""

    names = ("frame_f1", "frame_auc")

    def reference(
        self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /
    ) -> Sequence[Sequence[Segment]]:
        """The right segments of each recording."""
        return check_ground_truth(ground_truth, baseline, f"the segments of {len(baseline)} recordings")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Sequence[Segment]]) -> Scores:
        """F1 and AUC over all frames."""
        middles = [middles_of(prediction) for prediction in predictions]
        expected = [frames_of(segments, at) for segments, at in zip(reference, middles, strict=True)]
        auc = auc_over_recordings([_probabilities(prediction) for prediction in predictions], expected)
        column = f1_column(_answered(predictions, middles), expected)
        return Scores("frame_f1", column, {} if auc is None else {"frame_auc": auc})


class VoiceAgreement(Agreement[tuple[Middles, Sequence[Decisions]]]):
    """Segments against those that the float baseline finds."""

    names = ("agreement",)

    def baseline_reference(self, baseline: Sequence[Prediction]) -> tuple[Middles, Sequence[Decisions]]:
        """The baseline's frames and which of them are speech."""
        middles = [middles_of(prediction) for prediction in baseline]
        return middles, _answered(baseline, middles)

    def scores(self, predictions: Sequence[Prediction], reference: tuple[Middles, Sequence[Decisions]]) -> Scores:
        """F1 with the baseline's frames for the ground truth."""
        middles, expected = reference
        return Scores("agreement", f1_column(_answered(predictions, middles), expected))


def frames_of(segments: Sequence[Segment], middles: NDArray[np.float64]) -> Decisions:
    """Which frames are speech; shape (frames,)."""
    speech = np.zeros(len(middles), dtype=bool)
    for start, end in segments:
        speech |= (middles >= start) & (middles < end)
    return speech


def middles_of(prediction: Prediction) -> NDArray[np.float64]:
    """The seconds at which the frames of a recording have their middles; shape (frames,)."""
    begins = np.asarray(prediction.outputs["begins"], dtype=np.float64).reshape(-1)
    return begins + (begins[1] / 2 if len(begins) > 1 else 0.0)


def _probabilities(prediction: Prediction) -> NDArray[np.float64]:
    return np.asarray(prediction.outputs["probabilities"], dtype=np.float64).reshape(-1)


def _answered(predictions: Sequence[Prediction], middles: Middles) -> list[Decisions]:
    answers = answers_of(predictions, _NO_ANSWERS)
    return [
        frames_of([(part["start"], part["end"]) for part in answer], at)
        for answer, at in zip(answers, middles, strict=True)
    ]
