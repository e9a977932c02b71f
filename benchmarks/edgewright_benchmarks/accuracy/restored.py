"""Pictures made from others, such as larger ones: how like those that they should be they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy.pictures import NO_PICTURES, psnr, squared_error, ssim
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.truth.targets import read_target
from edgewright_targets import InputError


class LabelledPictures(Metric[Sequence[Path]]):
    """Pictures against their targets: the mean structural similarity (SSIM), and the PSNR of all together."""

    names = ("ssim", "psnr")

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[Path]:
        """The files of the targets."""
        return check_ground_truth(ground_truth, baseline, f"the targets of {len(baseline)} pictures")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Path]) -> Scores:
        """Of a picture from outputs that are not finite both are the worst there is."""
        # One by one: pictures of a large data set are never all in memory.
        pairs = enumerate(zip(predictions, reference, strict=True), start=1)
        found = np.array([_of_picture(prediction, path, number) for number, (prediction, path) in pairs])
        alike, errors = found.T
        return Scores("ssim", Means(alike), {"psnr": psnr(errors)} if errors.any() else {})


def _of_picture(prediction: Prediction, path: Path, number: int) -> tuple[float, float]:
    """The SSIM, and the mean squared error as a share of the largest there can be."""
    picture: NDArray[np.uint8] | None = prediction.answer
    if picture is None:
        raise InputError(NO_PICTURES)
    if not all(np.isfinite(array).all() for array in prediction.outputs.values()):
        return 0.0, 1.0
    target = read_target(path, "L" if picture.ndim == 2 else "RGB")
    if picture.shape != target.shape:
        raise InputError(
            f"Sample {number}: its target is {target.shape[1]} x {target.shape[0]}, the picture that the model makes "
            f"{picture.shape[1]} x {picture.shape[0]}."
        )
    return ssim(picture, target), squared_error(picture, target)
