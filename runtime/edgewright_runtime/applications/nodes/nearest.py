"""The text whose vector is nearest to that of a question: retrieval among what an application knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import RankedPassage
    from edgewright_runtime.steps.values import NamedValues


class Nearest:
    """The text whose vector has the largest cosine with a given vector.

    The text at a place of `texts` belongs to the vector at that place of `vectors`: itself, or the answer to it.
    """

    def __init__(self) -> None:
        # The last list of vectors, and its unit vectors as rows: mostly the list is the same for all calls.
        self._seen: tuple[object, np.ndarray[Any, Any]] | None = None

    def __call__(self, values: NamedValues) -> RankedPassage:
        """The text, its place in the list, and the cosine as its score; of equal ones the first.

        A vector that is missing is passed over.

        Raises:
            ValueError: All vectors are missing, there are more or fewer texts, or vectors have other sizes.
        """
        vectors, texts = values["vectors"], values["texts"]
        if len(vectors) != len(texts):
            raise ValueError(f"there are {len(vectors)} vectors and {len(texts)} texts; each text needs its vector")
        rows = self._rows(vectors)
        asked = np.asarray(values["vector"], dtype=np.float32).reshape(-1)
        if rows.shape[1] != asked.size:
            raise ValueError(f"the vector has {asked.size} numbers, and those in the list have {rows.shape[1]}")
        cosines = rows @ asked / max(float(np.linalg.norm(asked)), 1e-12)
        # A row of a missing vector is NaN, which is never the largest.
        best = int(np.nanargmax(cosines))
        return {"index": best, "score": float(cosines[best]), "text": texts[best]}

    def _rows(self, vectors: Sequence[Any]) -> np.ndarray[Any, Any]:
        """Unit vectors, shape (vectors, numbers); NaN where one is missing."""
        if self._seen is not None and self._seen[0] is vectors:
            return self._seen[1]
        there = [np.asarray(vector, dtype=np.float32).reshape(-1) for vector in vectors if vector is not None]
        sizes = {vector.size for vector in there}
        if len(sizes) != 1:
            raise ValueError(f"vectors of a list have one size; found {sorted(sizes) if sizes else 'no vector'}")
        rows = np.full((len(vectors), sizes.pop()), np.nan, dtype=np.float32)
        rows[[vector is not None for vector in vectors]] = np.stack(there)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        self._seen = (vectors, rows)
        return rows
