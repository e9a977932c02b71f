"""Scores of classes on a coarse grid to a mask of the size of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import MaskSegment, Segmentation
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

    Array = np.ndarray[Any, Any]

# Scores that are interpolated at once: 64 MB of float32, four times over.
_AT_ONCE = 1 << 22


class SegmentImage:
    """Logits of shape [1, classes, height, width] to the class of each pixel of the picture.

    The logits are brought to the picture's size (bilinear, corners not aligned), then the best class counts: what
    `post_process_semantic_segmentation` of transformers does, in the same arithmetic.

    Args:
        package: Holds the labels.
        logits: Name of the graph's output.
        cut: Of one channel for two labels: above it a pixel is of the second. 0 of logits, 0.5 of probabilities.
    """

    def __init__(
        self,
        package: Package,
        *,
        logits: str,
        cut: float = 0.0,
    ) -> None:
        self._labels = package.manifest.labels
        self._logits = logits
        self._cut = cut

    def __call__(self, values: NamedValues) -> dict[str, Segmentation]:
        """Add `segmentation`, with a `mask` of class indices and the `segments` in it.

        The mask has the picture's size. Segments are `{"label", "index", "share"}`, the largest share first.

        Raises:
            SampleError: The output is not scores of the package's labels.
        """
        logits = values[self._logits]
        if logits.ndim == 4 and logits.shape[1] == 1 and len(self._labels) == 2:
            # The best of one channel is always it: what it is compared with is a channel of its own.
            logits = np.concatenate([np.full_like(logits, self._cut), logits], axis=1)
        if logits.ndim != 4 or logits.shape[1] != len(self._labels) or not logits.size:
            raise SampleError(
                f"The model's output '{self._logits}' has the shape {list(logits.shape)}; expected scores of "
                f"{len(self._labels)} labels, [1, {len(self._labels)}, height, width]."
            )
        mask = best_classes(logits[0], *values["image_size"])
        counts = np.bincount(mask.ravel(), minlength=len(self._labels))
        order = [int(index) for index in (-counts).argsort(kind="stable") if counts[index]]
        shares = {index: float(counts[index] / mask.size) for index in order}
        segments: list[MaskSegment] = [
            {"label": self._labels[index], "index": index, "share": shares[index]} for index in order
        ]
        return {"segmentation": {"mask": mask, "segments": segments}}


def best_classes(logits: Array, height: int, width: int) -> Array:
    """The best class at each pixel of an image of this size; uint8, or uint16 for more than 256 classes.

    Args:
        logits: float, [classes, rows, columns].
        height: Of the mask.
        width: Of the mask.
    """
    scores = logits.astype(np.float32, copy=False)
    coarse = scores.argmax(axis=0).astype(np.uint8 if len(scores) <= 256 else np.uint16)
    top, bottom, down = between(coarse.shape[0], height)
    left, right, across = between(coarse.shape[1], width)
    mask: Array = coarse[top][:, left]
    # Where one class is the best in all four corners it is the best between them too.
    open_ = np.zeros(mask.shape, dtype=bool)
    for rows, columns in ((top, right), (bottom, left), (bottom, right)):
        open_ |= coarse[rows][:, columns] != mask
    rows, columns = np.nonzero(open_)
    # The scores of a place side by side, so that places are taken as wholes.
    places = np.ascontiguousarray(scores.reshape(len(scores), -1).T)
    step = max(1, _AT_ONCE // len(scores))
    for start in range(0, len(rows), step):
        y, x = rows[start : start + step], columns[start : start + step]

        def at(edge: Array, side: Array, y: Array = y, x: Array = x) -> Array:
            found: Array = places[edge[y] * coarse.shape[1] + side[x]]
            return found

        right_part, down_part = across[x][:, None], down[y][:, None]
        left_part, top_part = 1 - right_part, 1 - down_part
        above = at(top, left) * left_part + at(top, right) * right_part
        below = at(bottom, left) * left_part + at(bottom, right) * right_part
        mask[y, x] = (above * top_part + below * down_part).argmax(axis=1)
    return mask


def between(size: int, wanted: int) -> tuple[Array, Array, Array]:
    """For each of `wanted` places, the two of `size` that it lies between, and how near to the second it is."""
    scale = np.float32(size) / np.float32(wanted)
    places = np.maximum(scale * (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5), 0)
    first = np.minimum(places.astype(np.int64), size - 1)
    return first, np.minimum(first + 1, size - 1), (places - first).astype(np.float32)
