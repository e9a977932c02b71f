"""A value with its interval: the form that all figures of results share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A value with the interval that holds it with the stated confidence (0..1)."""

    value: float
    low: float
    high: float
    confidence: float = 0.95
