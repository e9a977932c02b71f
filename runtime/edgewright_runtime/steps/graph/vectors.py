"""An output of a graph to the vector of a picture or a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

_VECTOR, _TOKENS, _MAPS = 2, 3, 4


class ToVector:
    """An output to a vector of the length 1, so that a product of two is the cosine of their angle.

    Of tokens, [1, tokens, size], it is the first, which stands for the whole; of maps, [1, size, height, width], the
    mean of each map; else the output itself, [1, size].

    Args:
        output: Name of the graph's output.
    """

    def __init__(self, *, output: str) -> None:
        self._output = output

    def __call__(self, values: NamedValues) -> Arrays:
        """Add `vector`, float32, [size].

        Raises:
            ValueError: The output has another number of axes.
        """
        found = values[self._output]
        if found.ndim not in (_VECTOR, _TOKENS, _MAPS):
            raise ValueError(f"an output of {found.ndim} axes is not a vector")
        row = found[0]
        if found.ndim == _TOKENS:
            row = row[0]
        elif found.ndim == _MAPS:
            row = row.mean(axis=(1, 2))
        return {"vector": (row / max(float(np.linalg.norm(row)), 1e-12)).astype(np.float32, copy=False)}
