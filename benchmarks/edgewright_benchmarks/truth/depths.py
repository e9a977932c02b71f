"""Ground truth of depth: a picture of one channel, or an array, whose values are distances in one unit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.truth.ground_truth import Truth
from edgewright_benchmarks.truth.one_channel import read_values, refuse_other_size
from edgewright_targets import InputError

# Modes of Pillow whose values are numbers: grey of 8, 16 and 32 bits, floats.
_MODES = ("L", "I;16", "I;16B", "I", "F")
_HINTS = ("distances", "Save it as a PNG of 16 bits, a TIFF of floats, or an .npy file.")


def read_depth(path: Path) -> NDArray[np.float32]:
    """The depth of each pixel, [height, width]; NaN where there is none: zeros, negative values, what is not finite.

    Raises:
        InputError: The file is not such a map.
    """
    values = _array(path) if path.suffix.lower() == ".npy" else read_values(path, "a depth map", _MODES, _HINTS)
    depth = values.astype(np.float32)
    found: NDArray[np.float32] = np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(np.nan))
    return found


def _array(path: Path) -> NDArray[Any]:
    try:
        values: NDArray[Any] = np.load(path, allow_pickle=False)
        numbers = values.dtype.kind in "fiu" and values.ndim == 2
    except Exception as error:  # A damaged file makes numpy raise anything.
        raise InputError(f"The depth map '{path}' cannot be read; it may be cut off: {error}.") from error
    if not numbers:
        raise InputError(
            f"The depth map '{path}' is {values.dtype} {list(values.shape)}; a depth map is numbers, [height, width]."
        )
    return values


def _depth_file(cell: Any, class_names: tuple[str, ...], place: str) -> Path:
    """The path of a map with any depth in it.

    Raises:
        InputError: It is not a map, or has no depth anywhere.
    """
    del class_names
    path = Path(cell)
    if not np.isfinite(read_depth(path)).any():
        raise InputError(
            f"{place}: the depth map '{path.name}' has no depth at all: each value is 0, negative or not finite.",
            hint="Leave this picture out.",
        )
    return path


def _fits_picture(sample: Any, path: Path, place: str) -> None:
    height, width = read_depth(path).shape
    refuse_other_size(sample, path.name, (width, height), "depth map", place)


def _left_out(found: Sequence[Path], place: str) -> str | None:
    """How many pixels have no ground truth, where there are such."""
    missing = pixels = 0
    for path in found:
        depth = read_depth(path)
        missing, pixels = missing + int(np.isnan(depth).sum()), pixels + depth.size
    if not missing:
        return None
    return (
        f"{place}: {missing:,} of {pixels:,} pixels ({missing / pixels:.1%}) have no ground truth: their depth is 0, "
        "negative or not finite. They are left out."
    )


DEPTHS = Truth("depth", _depth_file, _fits_picture, is_file=True, whole=_left_out)
