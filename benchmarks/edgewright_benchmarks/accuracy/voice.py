"""Voice activity: F1 over frames, speech where their middle lies in a segment, and the AUC of their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._decisions import Decisions, auc_over_recordings, f1_accuracy
from edgewright_benchmarks.accuracy._scorer import answers_of, check_samples, check_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Measure

Segment = tuple[float, float]

_NO_ANSWERS = "Segments of speech can be told from an engine's answer only; there is none."


class LabelledVoice:
    """Scores segments against those that are right; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 and AUC over all frames; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"the segments of {len(outputs)} recordings")
        middles = [middles_of(output) for output in outputs]
        expected = [frames_of(segments, at) for segments, at in zip(truth, middles, strict=True)]
        auc = auc_over_recordings([_probabilities(output) for output in outputs], expected)
        return f1_accuracy(
            "frame_f1",
            _answered(outputs, middles),
            _answered(baseline_outputs, middles),
            expected,
            is_baseline=outputs is baseline_outputs,
            max_drop=max_drop,
            others={} if auc is None else {"frame_auc": auc},
        )


class VoiceAgreement:
    """Scores segments against those that the float baseline finds; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 with the baseline's frames for the truth; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        middles = [middles_of(output) for output in baseline_outputs]
        expected = _answered(baseline_outputs, middles)
        found, is_baseline = _answered(outputs, middles), outputs is baseline_outputs
        return f1_accuracy("agreement", found, expected, expected, is_baseline=is_baseline, max_drop=max_drop)


def frames_of(segments: Sequence[Segment], middles: NDArray[np.float64]) -> Decisions:
    """Which frames are speech; shape (frames,)."""
    speech = np.zeros(len(middles), dtype=bool)
    for start, end in segments:
        speech |= (middles >= start) & (middles < end)
    return speech


def middles_of(output: Prediction) -> NDArray[np.float64]:
    """The seconds at which the frames of a recording have their middles; shape (frames,)."""
    begins = np.asarray(output.outputs["begins"], dtype=np.float64).reshape(-1)
    return begins + (begins[1] / 2 if len(begins) > 1 else 0.0)


def _probabilities(output: Prediction) -> NDArray[np.float64]:
    return np.asarray(output.outputs["probabilities"], dtype=np.float64).reshape(-1)


def _answered(outputs: Sequence[Prediction], middles: Sequence[NDArray[np.float64]]) -> list[Decisions]:
    answers = answers_of(outputs, _NO_ANSWERS)
    return [
        frames_of([(part["start"], part["end"]) for part in answer], at)
        for answer, at in zip(answers, middles, strict=True)
    ]
