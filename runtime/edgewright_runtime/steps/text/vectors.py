"""Vectors of tokens to one vector of a text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.arrays import read_arrays

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

    Array = np.ndarray[Any, Any]

# A layer of a sentence's vector has some MiB at most.
_LAYER_LIMIT_BYTES = 2**30
_ALONE = "none"


def _weighted(rows: Array) -> Array:
    """Later tokens count more, by their place from 1; formula of sentence-transformers' `weightedmean`."""
    weights = np.arange(1, len(rows) + 1, dtype=rows.dtype)
    return np.asarray(weights @ rows / weights.sum())


# By the names of sentence-transformers: vectors of tokens [tokens, size] to one [size].
_METHODS: dict[str, Callable[[Array], Array]] = {
    "mean": lambda rows: rows.mean(axis=0),
    "cls": lambda rows: rows[0],
    "max": lambda rows: rows.max(axis=0),
    "mean_sqrt_len_tokens": lambda rows: rows.sum(axis=0) / math.sqrt(len(rows)),
    "weightedmean": _weighted,
    "lasttoken": lambda rows: rows[-1],
}


class PoolTokens:
    """Vectors of shape [1, tokens, size] to one of shape [size].

    Args:
        vectors: Name of the graph's output.
        method: `mean` of all tokens, the vector of the first one (`cls`) or of the last (`lasttoken`), the largest of
            each number (`max`), their sum over the root of how many they are (`mean_sqrt_len_tokens`), or a mean in
            which later ones count more (`weightedmean`); several are joined by `+`, and their vectors stand one after
            another. `none`: the output is the text's own vector, of shape [1, size].
        normalize: Give it the length 1, so that a product of two is the cosine of their angle.
    """

    def __init__(
        self,
        *,
        vectors: str,
        method: str,
        normalize: bool,
    ) -> None:
        names = method.split("+")
        if method != _ALONE and not set(names) <= set(_METHODS):
            raise ValueError(f"method is {method[:60]!r}; expected {', '.join(_METHODS)}, several by '+', or {_ALONE}")
        self._vectors = vectors
        self._methods = [] if method == _ALONE else [_METHODS[name] for name in names]
        self._normalize = normalize

    def __call__(self, values: NamedValues) -> Arrays:
        """Add `vector`, float32."""
        rows = values[self._vectors][0]
        if self._methods:
            # Padding that an engine needs does not belong to the text.
            first = values["padding_before"]
            rows = rows[first : first + len(values["encoding"])]
        found = [method(rows) for method in self._methods] or [rows]
        vector = found[0] if len(found) == 1 else np.concatenate(found)
        return {"vector": _finished(vector, unit=self._normalize)}


class Dense:
    """A layer behind the pooling: a vector of shape [in] to one of shape [out].

    Args:
        package: Where its weights lie.
        weights: URI of a `.npz` file: `weight` [out, in], perhaps `bias` [out], and `residual` [out, in].
        activation: What is made of the product.
        residual: Add what was given: through the weights `residual` where there are some, else as it is.
        normalize: Give it the length 1.
    """

    def __init__(
        self,
        package: Package,
        *,
        weights: str,
        activation: Literal["identity", "tanh", "relu", "gelu", "sigmoid"] = "identity",
        residual: bool = False,
        normalize: bool = False,
    ) -> None:
        arrays = read_arrays(package.asset(weights), limit_bytes=_LAYER_LIMIT_BYTES)
        weight = arrays.get("weight")
        if weight is None or weight.ndim != 2 or any(value.dtype != np.float32 for value in arrays.values()):
            raise ValueError("its weights are not a matrix of float32")
        self._bias = arrays.get("bias", np.zeros(len(weight), dtype=np.float32))
        self._along = arrays.get("residual")
        if self._bias.shape != weight.shape[:1] or (self._along is not None and self._along.shape != weight.shape):
            raise ValueError("its bias or residual does not fit its weights")
        if residual and self._along is None and weight.shape[0] != weight.shape[1]:
            raise ValueError("its residual has another size than what it makes, and no weights")
        self._weight = weight
        self._activate = _ACTIVATIONS[activation]
        self._residual = residual
        self._normalize = normalize

    def __call__(self, values: NamedValues) -> Arrays:
        """Replace `vector`, float32.

        Raises:
            ValueError: It has another size than the weights.
        """
        given = values["vector"]
        made = self._activate(self._weight @ given + self._bias)
        if self._residual:
            made = made + (given if self._along is None else self._along @ given)
        return {"vector": _finished(made, unit=self._normalize)}


def _gelu(values: Array) -> Array:
    return np.array([value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in values.tolist()], values.dtype)


_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda values: values,
    "tanh": np.tanh,
    "relu": lambda values: np.maximum(values, 0),
    "gelu": _gelu,
    "sigmoid": lambda values: np.asarray(0.5 + 0.5 * np.tanh(values / 2)),
}


def _finished(vector: Array, *, unit: bool) -> Array:
    if unit:
        vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return vector.astype(np.float32, copy=False)
