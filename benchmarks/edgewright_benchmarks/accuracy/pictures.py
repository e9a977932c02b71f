"""Pictures from a generator: how like the float baseline's they are, to the eye and in bare numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import WHOLE, Agreement, Scores
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.accuracy._perceptual import NOTHING_ALIKE, can_be_seen, perceptual_distance
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.resampling import bootstrap

# The window in which SSIM compares, as scikit-image has it unless told otherwise; smaller pictures take a smaller one.
_WINDOW = 7
_RESAMPLES = 1000
NO_PICTURES = "Pictures are scored by the pipeline's output. This engine gave only the outputs of its graph."


@dataclass(frozen=True)
class _Drawn:
    """A picture, and whether the outputs that it is from are finite."""

    picture: NDArray[np.uint8]
    finite: bool


class PictureAgreement(Agreement[Sequence[_Drawn]]):
    """The structural similarity (SSIM) of an engine's pictures with the float baseline's.

    SSIM (Wang et al., 2004) looks at means, contrasts and structures of windows of 7 x 7 pixels: 1 is the same picture.
    """

    names = ("agreement", "psnr", "perceptual_distance")
    bounded = True

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Sequence[_Drawn]:
        """The baseline's pictures."""
        return _drawn(baseline)

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[_Drawn]) -> Scores:
        """The mean SSIM, and the PSNR of all pictures together where any pixel differs.

        Beside them stands the mean distance to a network that sees, where one is installed; see `_perceptual.py`. A
        picture of another size, or from outputs that are not finite, counts as nothing in common.
        """
        pairs = [
            (one.finite and other.finite and one.picture.shape == other.picture.shape, one.picture, other.picture)
            for one, other in zip(_drawn(predictions), reference, strict=True)
        ]
        alike = np.array([ssim(one, other) if fits else 0.0 for fits, one, other in pairs])
        errors = np.array([squared_error(one, other) if fits else 1.0 for fits, one, other in pairs])
        others = {"psnr": psnr(errors)} if errors.any() else {}
        if can_be_seen():
            apart = [perceptual_distance(one, other) if fits else NOTHING_ALIKE for fits, one, other in pairs]
            others["perceptual_distance"] = _mean(np.array(apart))
        return Scores("agreement", Means(alike), others)

    def by_definition(self, samples: int, /) -> Scores:
        """The same pictures."""
        return Scores("agreement", Means(np.ones(samples)), interval=WHOLE)


def _drawn(predictions: Sequence[Prediction]) -> list[_Drawn]:
    pictures = answers_of(predictions, NO_PICTURES)
    finite = (all(np.isfinite(array).all() for array in one.outputs.values()) for one in predictions)
    return [_Drawn(picture, good) for picture, good in zip(pictures, finite, strict=True)]


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
        return float(1 - squared_error(picture, other))
    axis = None if picture.ndim == 2 else -1
    found = metrics.structural_similarity(picture, other, win_size=window, channel_axis=axis, data_range=255)  # type: ignore[no-untyped-call]
    return float(np.clip(found, 0.0, 1.0))


def squared_error(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The mean squared difference as a share of the largest there can be."""
    from skimage import metrics

    return float(metrics.mean_squared_error(picture, other)) / 255**2


def psnr(errors: NDArray[np.float64]) -> Interval:
    """Decibels of the mean of squared errors, with a percentile bootstrap over pictures."""
    # A resample of equal pictures alone has no end; half the smallest error that was seen stands in.
    floor = errors[errors > 0].min() / (2 * errors.size)

    def decibels(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = -10 * np.log10(np.maximum(errors[rows].mean(axis=1), floor))
        return values

    return bootstrap(-10 * math.log10(errors.mean()), decibels, errors.size, resamples=_RESAMPLES)


def _mean(values: NDArray[np.float64]) -> Interval:
    """The mean with a percentile bootstrap over pictures."""

    def means(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = values[rows].mean(axis=1)
        return found

    return bootstrap(float(values.mean()), means, values.size, resamples=_RESAMPLES)
