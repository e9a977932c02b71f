"""Scores of a graph as probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def softmax(scores: Array) -> Array:
    """Probabilities along the last axis."""
    exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


def log_softmax(scores: Array) -> Array:
    """Logarithms of probabilities along the last axis."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def sigmoid(scores: Array) -> Array:
    """1 / (1 + e^-x) of each, float32, without overflow."""
    exponents = np.exp(-np.abs(scores))
    return np.where(scores >= 0, 1 / (1 + exponents), exponents / (1 + exponents)).astype(np.float32, copy=False)
