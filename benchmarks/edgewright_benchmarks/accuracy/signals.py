"""Signals, such as sound without its noise: the scale-invariant signal-to-distortion ratio (SI-SDR)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import flatten
from edgewright_benchmarks.accuracy.regression import mean_with_interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_targets import InputError

Signal = NDArray[np.float64]

# Decibels beyond which nothing is told apart, on both sides: 32-bit floats that are rounded once are near 150.
_MOST = 50.0


class LabelledSignals(Metric[Sequence[Signal]]):
    """Signals against those that are right, by the mean SI-SDR in decibels.

    A drop of one decibel counts as one percentage point.
    """

    names = ("si_sdr",)
    # Of signals hardly two are the same.
    repeats = False

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[Signal]:
        """The right signals."""
        truth = check_ground_truth(ground_truth, baseline, f"a signal for each of {len(baseline)} samples")
        signals = [np.asarray(signal, np.float64).reshape(-1) for signal in truth]
        for index, (signal, prediction) in enumerate(zip(signals, baseline, strict=True)):
            made = flatten(prediction).size
            if signal.size != made:
                raise InputError(
                    f"The ground truth of sample {index + 1} is {signal.size} values; the model gives {made}.",
                    hint="Cut the prediction with --post, or the ground truth, to the same length.",
                )
            if not np.ptp(signal):
                raise InputError(f"The ground truth of sample {index + 1} is silent, so it has no SI-SDR.")
        return signals

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Signal]) -> Scores:
        """The mean of all samples; of what is not finite or of another length it is the worst that there is."""
        pairs = zip(predictions, reference, strict=True)
        decibels = np.array([si_sdr(flatten(prediction), signal) for prediction, signal in pairs])
        column = Means(decibels / (2 * _MOST) + 0.5)
        return Scores("si_sdr", column, interval=mean_with_interval(decibels, least=-_MOST))


def si_sdr(found: Signal, right: Signal) -> float:
    """The SI-SDR in decibels, from -50 to 50: J. Le Roux et al., SDR - half-baked or well done?, 2019, equation 3.

    Both are without their means, as there.
    """
    if found.shape != right.shape or not np.isfinite(found).all():
        return -_MOST
    found, right = found - found.mean(), right - right.mean()
    target = (found @ right) / (right @ right) * right
    signal, distortion = float(target @ target), float(((found - target) ** 2).sum())
    if not distortion or not signal:
        return _MOST if signal else -_MOST
    return float(np.clip(10 * np.log10(signal / distortion), -_MOST, _MOST))
