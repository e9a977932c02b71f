"""Ground truth that is a picture of one channel, each value of which says something of a pixel: masks, depths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.truth.picture_size import picture_size
from edgewright_targets import InputError, MissingDependencyError

# What loses no value.
_FORMATS = ("PNG", "TIFF", "BMP", "GIF")


def read_values(path: Path, called: str, modes: Sequence[str], hints: tuple[str, str]) -> NDArray[Any]:
    """The values of a picture, [height, width], as it stores them.

    Args:
        path: Of the picture.
        called: What messages call it, with an article: `a mask`.
        modes: Of Pillow that are taken.
        hints: What its one channel is of, and what to do about another mode.

    Raises:
        InputError: The file is not such a picture.
    """
    noun = called.removeprefix("a ")
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise MissingDependencyError(
            f"Reading {noun}s needs the library 'Pillow', which is not installed.",
            hint="Install it with: pip install 'edgewright[image]'",
        ) from error
    try:
        with Image.open(path, formats=_FORMATS) as file:
            mode = file.mode
            values: NDArray[Any] | None = np.asarray(file) if mode in modes else None
    except UnidentifiedImageError as error:
        raise InputError(f"The {noun} '{path}' is not a lossless image (PNG, TIFF, BMP, GIF).") from error
    except Exception as error:  # A damaged file makes Pillow raise anything.
        raise InputError(f"The {noun} '{path}' cannot be read; it may be cut off: {error}.") from error
    if values is None:
        raise InputError(
            f"The {noun} '{path}' has the mode {mode}; {called} has one channel, of {hints[0]}.", hint=hints[1]
        )
    return values


def refuse_other_size(sample: Any, name: str, size: tuple[int, int], noun: str, place: str) -> None:
    """Raise where ground truth is not of the size of its picture.

    Args:
        sample: The picture.
        name: Of the file of the ground truth.
        size: Its width and height.
        noun: What it is.
        place: Of the sample, for the message.

    Raises:
        InputError: It is not.
    """
    wanted = picture_size(sample)
    if wanted is None:
        return
    if size != wanted:
        raise InputError(
            f"{place}: the {noun} '{name}' is {size[0]} x {size[1]}, its picture {wanted[0]} x {wanted[1]}."
        )
