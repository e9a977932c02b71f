"""Samples that an engine answers otherwise than the float baseline, whatever the ground truth is."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_benchmarks.result import Otherwise

# Numbers that are kept: as many as a person looks up.
_KEPT = 20


def answered_otherwise(changed: Sequence[bool | None]) -> Otherwise | None:
    """Of one engine; None where nothing can be told from its answers.

    Args:
        changed: Of each sample, as `Metric.changed` tells it.
    """
    if None in changed:
        return None
    numbers = [number for number, differs in enumerate(changed, start=1) if differs]
    return Otherwise(len(numbers), tuple(numbers[:_KEPT]))
