"""Ground truth for each pixel of a picture: a mask, a picture of one channel whose values are class indices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.truth.ground_truth import Truth
from edgewright_benchmarks.truth.one_channel import read_values, refuse_other_size
from edgewright_targets import InputError

# Pixels of this value belong to no class and do not count, as in PASCAL VOC, Cityscapes and ADE20K's own tools.
IGNORED = 255
# Masks that are looked at for a class beside the first.
_LOOKED_AT = 100
# Modes of Pillow whose values are indices: grey, palette, black and white, 16 bits, 32 bits.
_MODES = ("L", "P", "1", "I;16", "I")


def read_mask(path: Path) -> NDArray[np.int64]:
    """The class of each pixel, [height, width]; `IGNORED` where it does not count.

    Raises:
        InputError: The file is not such a picture.
    """
    hints = ("class indices", "Save it as a PNG of 8 bits, grey or with a palette.")
    return read_values(path, "a mask", _MODES, hints).astype(np.int64)


def _mask_file(cell: Any, class_names: tuple[str, ...], place: str) -> Path:
    """The path of a mask, whose values are classes that there are.

    Raises:
        InputError: It is not a mask, or has a class that the model does not have.
    """
    path = Path(cell)
    mask = read_mask(path)
    classes = mask[mask != IGNORED]
    largest = int(classes.max()) if classes.size else 0
    if largest >= len(class_names) or (classes.size and classes.min() < 0):
        raise InputError(
            f"{place}: the mask '{path.name}' has the class {largest}; the model has {len(class_names)} labels.",
            hint=f"Values are indices from 0; {IGNORED} is not a class. Where 0 is not one either "
            f"(do_reduce_labels), subtract 1 and write {IGNORED} for it.",
        )
    return path


def _fits_picture(sample: Any, mask: Path, place: str) -> None:
    from PIL import Image

    with Image.open(mask) as opened:
        refuse_other_size(sample, mask.name, opened.size, "mask", place)


def _more_than_background(found: Sequence[Path], place: str) -> None:
    """Refuse masks that are black and white, of which white would not count: the background alone would be scored."""
    ignored = False
    for path in found[:_LOOKED_AT]:
        mask = read_mask(path)
        if ((mask != 0) & (mask != IGNORED)).any():
            return
        ignored = ignored or bool((mask == IGNORED).any())
    if ignored:
        raise InputError(
            f"{place}: its masks have only the values 0 and {IGNORED}, and {IGNORED} is not a class.",
            hint=f"If {IGNORED} stands for the second class, write 1 instead.",
        )


MASKS = Truth("mask", _mask_file, _fits_picture, is_file=True, whole=_more_than_background)
