"""Samples for which an engine has other predictions than the float baseline, whatever the ground truth is."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_benchmarks.engine_result import ChangedPredictions

# Numbers that are kept: as many as a person looks up.
_KEPT = 20


def changed_predictions(changed: Sequence[bool | None]) -> ChangedPredictions | None:
    """The changed samples of one engine; None where its predictions cannot be compared.

    Args:
        changed: Of each sample, as `Metric.changed` tells it.
    """
    if None in changed:
        return None
    numbers = [number for number, differs in enumerate(changed, start=1) if differs]
    return ChangedPredictions(len(numbers), tuple(numbers[:_KEPT]))
