"""Ground truth of a picture that is made from another: the picture as it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgewright_benchmarks.truth.ground_truth import Truth
from edgewright_benchmarks.truth.picture_size import picture_size
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError


def read_target(path: Path, mode: str = "RGB") -> Any:
    """The pixels of a picture, upright, as a model is given them: uint8, [height, width, 3], or grey [height, width].

    Args:
        path: Of the picture.
        mode: `RGB` or `L`.

    Raises:
        InputError: The file is not a picture.
    """
    import numpy as np

    return np.asarray(make_free_step(StepSpec("decode_image", {"mode": mode}))({"image": path})["image"])


def _target_file(cell: Any, class_names: tuple[str, ...], place: str) -> Path:
    del class_names
    path = Path(cell)
    try:
        read_target(path)
    except InputError as error:
        raise InputError(f"{place}: the target cannot be read: {error.message}", hint=error.hint) from error
    return path


def _fits_picture(sample: Any, target: Path, place: str) -> None:
    size, wanted = picture_size(sample), picture_size(target)
    if size is None or wanted is None:
        return
    if wanted[0] % size[0] or wanted[1] % size[1] or wanted[0] // size[0] != wanted[1] // size[1]:
        raise InputError(
            f"{place}: the target '{target.name}' is {wanted[0]} x {wanted[1]}, its picture {size[0]} x {size[1]}; "
            "expected that size, or a whole multiple of it."
        )


TARGETS = Truth("target", _target_file, _fits_picture, is_file=True)
