"""Voice activity: F1 over frames, speech where their middle lies in a segment, and the AUC of their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from edgewright_benchmarks.accuracy._corpus import Sums, corpus_accuracy
from edgewright_benchmarks.accuracy._scorer import Output, answers_of, check_samples
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_targets import InputError

Segment = tuple[float, float]
Frames = NDArray[np.bool_]

_NO_ANSWERS = "Segments of speech can be told from an engine's answer only; there is none."
# Resamples of recordings for the interval of the AUC.
_RESAMPLES = 200


class LabelledVoice:
    """Scores segments against those that are right; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Output],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Output],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 and AUC over all frames; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        if truth is None or len(truth) != len(outputs):
            raise InputError(f"Expected the segments of {len(outputs)} recordings.")
        middles = [middles_of(output) for output in outputs]
        expected = [frames_of(segments, at) for segments, at in zip(truth, middles, strict=True)]
        auc = auc_over_recordings([_probabilities(output) for output in outputs], expected)
        return corpus_accuracy(
            "frame_f1",
            _sums(_answered(outputs, middles), expected),
            _sums(_answered(baseline_outputs, middles), expected),
            is_baseline=outputs is baseline_outputs,
            max_drop=max_drop,
            others={} if auc is None else {"frame_auc": auc},
        )


class VoiceAgreement:
    """Scores segments against those that the float baseline finds; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Output],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Output],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 with the baseline's frames for the truth; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        middles = [middles_of(output) for output in baseline_outputs]
        expected = _answered(baseline_outputs, middles)
        return corpus_accuracy(
            "agreement",
            _sums(_answered(outputs, middles), expected),
            _sums(expected, expected),
            is_baseline=outputs is baseline_outputs,
            max_drop=max_drop,
            others={},
        )


def frames_of(segments: Sequence[Segment], middles: NDArray[np.float64]) -> Frames:
    """Which frames are speech; shape (frames,)."""
    speech = np.zeros(len(middles), dtype=bool)
    for start, end in segments:
        speech |= (middles >= start) & (middles < end)
    return speech


def middles_of(output: Output) -> NDArray[np.float64]:
    """The seconds at which the frames of a recording have their middles; shape (frames,)."""
    begins = np.asarray(output["begins"] if isinstance(output, Mapping) else [], dtype=np.float64).reshape(-1)
    return begins + (begins[1] / 2 if len(begins) > 1 else 0.0)


def _probabilities(output: Output) -> NDArray[np.float64]:
    found = output["probabilities"] if isinstance(output, Mapping) else output
    return np.asarray(found, dtype=np.float64).reshape(-1)


def _answered(outputs: Sequence[Output], middles: Sequence[NDArray[np.float64]]) -> list[Frames]:
    answers = answers_of(outputs, _NO_ANSWERS)
    return [
        frames_of([(part["start"], part["end"]) for part in answer], at)
        for answer, at in zip(answers, middles, strict=True)
    ]


def _sums(found: Sequence[Frames], expected: Sequence[Frames]) -> Sums:
    pairs = list(zip(found, expected, strict=True))
    right = np.array([2.0 * float((one & other).sum()) for one, other in pairs])
    return Sums(right, np.array([float(one.sum() + other.sum()) for one, other in pairs]))


def auc_over_recordings(scores: Sequence[NDArray[np.float64]], expected: Sequence[Frames]) -> Interval | None:
    """The AUC of all scores, with an interval by resampling recordings.

    None where all that is expected is alike, or a score is not finite.
    """
    if not all(np.isfinite(one).all() for one in scores):
        return None
    whole = np.concatenate(expected)
    if whole.all() or not whole.any():
        return None
    value = float(roc_auc_score(whole, np.concatenate(scores)))
    random = np.random.default_rng(0)
    found = []
    for _ in range(_RESAMPLES):
        drawn = random.integers(0, len(scores), len(scores))
        labels = np.concatenate([expected[index] for index in drawn])
        if labels.any() and not labels.all():
            found.append(float(roc_auc_score(labels, np.concatenate([scores[index] for index in drawn]))))
    low, high = np.quantile(found, [0.025, 0.975]) if found else (0.0, 1.0)
    return Interval(value, min(value, float(low)), max(value, float(high)))
