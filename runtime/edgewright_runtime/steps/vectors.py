"""Vectors of tokens to one vector of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package


class PoolTokens:
    """Vectors of shape [1, tokens, size] to one of shape [size].

    Args:
        package: Unused; steps share one signature.
        engine: Unused.
        vectors: Name of the graph's output.
        method: `mean` of all tokens, or the vector of the first one (`cls`).
        normalize: Give it the length 1, so that a product of two is the cosine of their angle.
    """

    def __init__(
        self,
        package: Package,  # noqa: ARG002 - one protocol
        engine: Engine,  # noqa: ARG002 - one protocol
        *,
        vectors: str,
        method: Literal["mean", "cls"],
        normalize: bool,
    ) -> None:
        if method not in ("mean", "cls"):
            raise ValueError(f"method is {method!r}")
        self._vectors = vectors
        self._mean = method == "mean"
        self._normalize = normalize

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add `vector`, float32."""
        # What was padded for an engine is no part of the text.
        first = values["padding_before"]
        rows = values[self._vectors][0][first : first + len(values["encoding"])]
        vector = rows.mean(axis=0) if self._mean else rows[0]
        if self._normalize:
            vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return {"vector": vector.astype(np.float32, copy=False)}
