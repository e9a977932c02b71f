"""Entities in texts: F1 as seqeval counts it, an entity being right where its kind, its first and last word are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._columns import column_from_ratio
from edgewright_benchmarks.accuracy._corpus import Sums
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.predictions import Prediction

# Kind, first word, last word.
Entity = tuple[str, int, int]

_NO_ANSWERS = "Entities are scored by the pipeline's output. This engine gave only the outputs of its graph."


class LabelledEntities(Metric[Sequence[set[Entity]]]):
    """Entities against the tags of words."""

    names = ("entity_f1",)

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[set[Entity]]:
        """The entities that the tags stand for."""
        truth = check_ground_truth(ground_truth, baseline, f"the tags of {len(baseline)} texts")
        return [entities_of_tags(tags) for tags in truth]

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[set[Entity]]) -> Scores:
        """F1 over all entities."""
        return Scores("entity_f1", column_from_ratio(f1_sums(_entities(predictions), reference)))


class EntityAgreement(Agreement[Sequence[set[Entity]]]):
    """Entities against those that the float baseline finds."""

    names = ("agreement",)

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Sequence[set[Entity]]:
        """The baseline's entities."""
        return _entities(baseline)

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[set[Entity]]) -> Scores:
        """F1 with the baseline's entities for the ground truth."""
        return Scores("agreement", column_from_ratio(f1_sums(_entities(predictions), reference)))


def f1_sums(found: Sequence[set[Entity]], expected: Sequence[set[Entity]]) -> Sums:
    """What each text adds to F1 = 2 right / (found + expected)."""
    pairs = list(zip(found, expected, strict=True))
    right = np.array([2.0 * len(one & other) for one, other in pairs])
    return Sums(right, np.array([float(len(one) + len(other)) for one, other in pairs]))


def entities_of_tags(tags: Sequence[str]) -> set[Entity]:
    """The entities that the tags of words stand for; tags of another form than `B-X` are one for each word."""
    if not any(tag[:2] in ("B-", "I-", "E-", "S-") for tag in tags):
        return {(tag, word, word) for word, tag in enumerate(tags) if tag != "O"}
    # Imported here: it reads nothing that the meter of other tasks needs.
    from seqeval.metrics.sequence_labeling import get_entities

    return {(str(kind), int(first), int(last)) for kind, first, last in get_entities(list(tags))}


def _entities(predictions: Sequence[Prediction]) -> list[set[Entity]]:
    return [
        {(str(entry["label"]), *entry["words"]) for entry in answer} for answer in answers_of(predictions, _NO_ANSWERS)
    ]
