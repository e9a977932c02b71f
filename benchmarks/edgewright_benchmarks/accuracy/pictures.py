"""Pictures from a generator: how like the float baseline's they are, to the eye and in bare numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._mean import likeness_accuracy
from edgewright_benchmarks.accuracy._perceptual import NOTHING_ALIKE, can_be_seen, perceptual_distance
from edgewright_benchmarks.accuracy._scorer import NO_DROP, answers_of, check_samples
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure

# The window in which SSIM compares, as scikit-image has it unless told otherwise; smaller pictures take a smaller one.
_WINDOW = 7
_RESAMPLES = 1000
_NO_PICTURES = "Pictures can be told from an engine's answer only; there is none."


class PictureAgreement:
    """The structural similarity (SSIM) of an engine's pictures with the float baseline's; see `Scorer`.

    SSIM (Wang et al., 2004) looks at means, contrasts and structures of windows of 7 x 7 pixels: 1 is the same picture.
    """

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The mean SSIM, and the PSNR of all pictures together where any pixel differs; see `Scorer.score`.

        Beside them stands the mean distance to a network that sees, where one is installed; see `_perceptual.py`. A
        picture of another size, or from outputs that are not finite, counts as nothing in common.
        """
        check_samples(outputs, baseline_outputs)
        if outputs is baseline_outputs:
            return Accuracy({"agreement": Interval(1.0, 1.0, 1.0)}, NO_DROP, len(outputs))
        pictures, expected = answers_of(outputs, _NO_PICTURES), answers_of(baseline_outputs, _NO_PICTURES)
        usable = [
            _finite(output) and _finite(other) and one.shape == two.shape
            for output, other, one, two in zip(outputs, baseline_outputs, pictures, expected, strict=True)
        ]
        pairs = list(zip(usable, pictures, expected, strict=True))
        scores = np.array([ssim(one, other) if fits else 0.0 for fits, one, other in pairs])
        errors = np.array([_squared_error(one, other) if fits else 1.0 for fits, one, other in pairs])
        others = {"psnr": _psnr(errors)} if errors.any() else {}
        if can_be_seen():
            apart = [perceptual_distance(one, other) if fits else NOTHING_ALIKE for fits, one, other in pairs]
            others["perceptual_distance"] = _mean(np.array(apart))
        return likeness_accuracy(scores, others, max_drop=max_drop)


def ssim(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The mean structural similarity of two pictures of one size, 0 (or less, which counts as 0) to 1.

    Args:
        picture: uint8, [height, width] or [height, width, channels]; several at once with an axis in front.
        other: The same.
    """
    # Here and not above: it takes a second, and no other task needs it.
    from skimage import metrics

    if picture.ndim == 4:
        return float(np.mean([ssim(one, two) for one, two in zip(picture, other, strict=True)]))
    window = min(_WINDOW, *picture.shape[:2])
    window -= 1 - window % 2
    if window < 3:
        # Too small to have a structure.
        return float(1 - _squared_error(picture, other))
    axis = None if picture.ndim == 2 else -1
    found = metrics.structural_similarity(picture, other, win_size=window, channel_axis=axis, data_range=255)  # type: ignore[no-untyped-call]
    return float(np.clip(found, 0.0, 1.0))


def _squared_error(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The mean squared difference as a share of the largest there can be."""
    from skimage import metrics

    return float(metrics.mean_squared_error(picture, other)) / 255**2


def _psnr(errors: NDArray[np.float64]) -> Interval:
    """Decibels of the mean of squared errors, with a percentile bootstrap over pictures."""
    means = _resampled(errors)
    value = -10 * math.log10(errors.mean())
    # A resample of equal pictures alone has no end; half the smallest error that was seen stands in.
    floor = errors[errors > 0].min() / (2 * errors.size)
    low, high = np.quantile(-10 * np.log10(np.maximum(means, floor)), [0.025, 0.975])
    return Interval(value, min(value, float(low)), max(value, float(high)))


def _mean(values: NDArray[np.float64]) -> Interval:
    """The mean with a percentile bootstrap over pictures."""
    value = float(values.mean())
    low, high = np.quantile(_resampled(values), [0.025, 0.975])
    return Interval(value, min(value, float(low)), max(value, float(high)))


def _resampled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    drawn = np.random.default_rng(0).integers(values.size, size=(_RESAMPLES, values.size))
    means: NDArray[np.float64] = values[drawn].mean(axis=1)
    return means


def _finite(output: Prediction) -> bool:
    return all(np.isfinite(array).all() for array in output.outputs.values())
