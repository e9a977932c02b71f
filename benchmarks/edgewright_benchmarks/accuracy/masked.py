"""Masks in texts: how often the likeliest token is the one that was masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._columns import Flags
from edgewright_benchmarks.accuracy._metric import Agreement, Metric, Scores, all_agree, check_ground_truth
from edgewright_benchmarks.accuracy._outputs import answers_of
from edgewright_benchmarks.predictions import Prediction

# The words behind the masks of each text.
Words = Sequence[tuple[str, ...]]

_NO_ANSWERS = "Masked words are scored by the pipeline's output. This engine gave only the outputs of its graph."


class LabelledMaskedWords(Metric[Words]):
    """The likeliest tokens against those that were masked; a text is right where all its masks are."""

    names = ("accuracy",)

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Words:
        """The words that were masked."""
        truth = check_ground_truth(ground_truth, baseline, f"the words of {len(baseline)} texts")
        return [tuple(words) for words in truth]

    def scores(self, predictions: Sequence[Prediction], reference: Words) -> Scores:
        """The share of texts that are right."""
        return Scores("accuracy", _same(_tokens(predictions), reference))


class MaskedWordAgreement(Agreement[Words]):
    """The likeliest tokens against the float baseline's."""

    names = ("agreement",)

    def baseline_reference(self, baseline: Sequence[Prediction]) -> Words:
        """The baseline's tokens."""
        return _tokens(baseline)

    def scores(self, predictions: Sequence[Prediction], reference: Words) -> Scores:
        """The share of texts with the baseline's tokens."""
        return Scores("agreement", _same(_tokens(predictions), reference))

    def by_definition(self, samples: int, /) -> Scores:
        """All of them."""
        return all_agree(samples)


def _same(found: Words, rights: Words) -> Flags:
    return Flags(np.array([one == other for one, other in zip(found, rights, strict=True)]))


def _tokens(predictions: Sequence[Prediction]) -> Words:
    return [tuple(str(mask[0]["text"]) for mask in answer) for answer in answers_of(predictions, _NO_ANSWERS)]
