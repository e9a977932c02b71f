"""Ground truth of one thing in a picture: its mask, a picture of one channel that is 0 where the thing is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.truth.ground_truth import Truth
from edgewright_benchmarks.truth.one_channel import read_values, refuse_other_size
from edgewright_targets import InputError

# Modes of Pillow whose values are numbers: grey, palette, black and white, 16 bits, 32 bits.
_MODES = ("L", "P", "1", "I;16", "I")
_HINTS = ("0 and one other value", "Save it as a PNG of 8 bits, grey: 255 where the thing is, 0 elsewhere.")


def read_thing(path: Path) -> NDArray[np.bool_]:
    """Where the thing is, [height, width].

    Raises:
        InputError: The file is not such a picture.
    """
    found: NDArray[np.bool_] = read_values(path, "a mask", _MODES, _HINTS) != 0
    return found


def _thing_file(cell: Any, class_names: tuple[str, ...], place: str) -> Path:
    """The path of a mask with a thing in it.

    Raises:
        InputError: It is not a mask, or shows nothing.
    """
    del class_names
    path = Path(cell)
    if not read_thing(path).any():
        raise InputError(f"{place}: the mask '{path.name}' is 0 everywhere, so that it shows no thing.")
    return path


def _fits_picture(sample: Any, path: Path, place: str) -> None:
    height, width = read_thing(path).shape
    picture = sample["image"] if isinstance(sample, dict) else sample
    refuse_other_size(picture, path.name, (width, height), "mask", place)


THINGS = Truth("mask", _thing_file, _fits_picture, is_file=True)
