"""Masks of one thing, which a model proposes, to masks of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.image.fit import AS_IT_IS
from edgewright_runtime.steps.image.masks import between

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import FoundMask
    from edgewright_runtime.steps.values import NamedValues

    Array = np.ndarray[Any, Any]


class ReadMasks:
    """Logits of masks on a coarse grid to masks of the picture's size, the surest first.

    The logits are brought to the size of the graph's input, the border is cut off, and what is left is brought to the
    picture's size, both bilinear: what `post_process_masks` of transformers does, in the same arithmetic. A pixel
    above 0 is of the thing.

    Args:
        masks: Name of the graph's output of logits, [1, masks, rows, columns], perhaps with one axis more in front.
        scores: Name of its output of how good each mask is: the overlap with the thing that the model expects.
        height: Of the graph's input, with its border.
        width: See `height`.
    """

    def __init__(self, *, masks: str, scores: str, height: int, width: int) -> None:
        self._masks, self._scores = masks, scores
        self._size = (height, width)

    def __call__(self, values: NamedValues) -> dict[str, list[FoundMask]]:
        """Add `masks`, each with its `score`, the `share` of the picture that it covers, and the `mask` of booleans.

        Raises:
            SampleError: The outputs are not masks with a score each.
        """
        logits, scores = values[self._masks], values[self._scores].reshape(-1)
        if logits.ndim not in (4, 5) or not logits.size or logits.size != scores.size * np.prod(logits.shape[-2:]):
            raise SampleError(
                f"The model's outputs '{self._masks}' and '{self._scores}' have the shapes {list(logits.shape)} and "
                f"{list(values[self._scores].shape)}; expected [1, masks, rows, columns] and a score for each mask."
            )
        height, width = values["image_size"]
        across, down = values.get("placement", AS_IT_IS)[:2]
        inside = (round(down * height), round(across * width))
        grids = logits.reshape(-1, *logits.shape[-2:]).astype(np.float32, copy=False)
        found: list[FoundMask] = []
        for place in (-scores).argsort(kind="stable"):
            whole = linear(linear(grids[place], self._size, inside), (height, width), (height, width))
            mask = whole > 0
            found.append({"score": float(scores[place]), "share": float(mask.mean()), "mask": mask})
        return {"masks": found}


def linear(grid: Array, size: tuple[int, int], part: tuple[int, int]) -> Array:
    """Values at another size, bilinear with corners not aligned: its upper left part; float32.

    Args:
        grid: Shape (rows, columns).
        size: Height and width of the whole.
        part: Height and width of the part.
    """
    top, bottom, down = (one[: part[0]] for one in between(grid.shape[0], size[0]))
    left, right, across = (one[: part[1]] for one in between(grid.shape[1], size[1]))
    rows = grid[:, left] * (1 - across) + grid[:, right] * across
    found: Array = rows[top] * (1 - down)[:, None] + rows[bottom] * down[:, None]
    return found
