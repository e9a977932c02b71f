"""Entities in texts: F1 as seqeval counts it, an entity being right where its kind, its first and last word are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._corpus import Sums, corpus_accuracy
from edgewright_benchmarks.accuracy._scorer import answers_of, check_samples, check_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Measure

# Kind, first word, last word.
Entity = tuple[str, int, int]

_NO_ANSWERS = "The entities of a text can be told from an engine's answer only; there is none."


class LabelledEntities:
    """Scores entities against the tags of words; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 over all entities; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"the tags of {len(outputs)} texts")
        expected = [entities_of_tags(tags) for tags in truth]
        return _score("entity_f1", outputs, expected, baseline_outputs, max_drop)


class EntityAgreement:
    """Scores entities against those that the float baseline finds; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 with the baseline's entities for the truth; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        return _score("agreement", outputs, _entities(baseline_outputs), baseline_outputs, max_drop)


def _score(
    metric: str,
    outputs: Sequence[Prediction],
    expected: Sequence[set[Entity]],
    baseline_outputs: Sequence[Prediction],
    max_drop: float | None,
) -> Accuracy:
    return corpus_accuracy(
        metric,
        f1_sums(_entities(outputs), expected),
        f1_sums(_entities(baseline_outputs), expected),
        is_baseline=outputs is baseline_outputs,
        max_drop=max_drop,
        others={},
    )


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


def _entities(outputs: Sequence[Prediction]) -> list[set[Entity]]:
    return [{(str(entry["label"]), *entry["words"]) for entry in answer} for answer in answers_of(outputs, _NO_ANSWERS)]
