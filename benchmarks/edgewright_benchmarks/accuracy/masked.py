"""Masks in texts: how often the likeliest token is the one that was masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.accuracy._scorer import NO_DROP, answers_of, check_samples, check_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_benchmarks.statistics.intervals import paired_accuracy_drop, samples_needed, wilson

Flags = NDArray[np.bool_]

_NO_ANSWERS = "What stands behind a mask can be told from an engine's answer only; there is none."


class LabelledMasks:
    """Scores the likeliest tokens against those that were masked; a text is right where all its masks are."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The share of texts that are right; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"the words of {len(outputs)} texts")
        rights = [tuple(words) for words in truth]
        baseline = None if outputs is baseline_outputs else _right(_tokens(baseline_outputs), rights)
        return _share("accuracy", _right(_tokens(outputs), rights), baseline, max_drop)


class MaskAgreement:
    """Scores the likeliest tokens against the float baseline's; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """The share of texts with the baseline's tokens; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        agrees = _right(_tokens(outputs), _tokens(baseline_outputs))
        return _share("agreement", agrees, None if outputs is baseline_outputs else np.ones_like(agrees), max_drop)


def _share(
    metric: str, right: NDArray[np.bool_], baseline: NDArray[np.bool_] | None, max_drop: float | None
) -> Accuracy:
    """A share with its paired drop; without the baseline's the engine is the baseline."""
    count = len(right)
    metrics = {metric: wilson(int(right.sum()), count)}
    if baseline is None:
        if metric == "agreement":
            # By definition, and no measurement.
            metrics[metric] = Interval(1.0, 1.0, 1.0)
        return Accuracy(metrics=metrics, drop=NO_DROP, samples=count)
    counts = (int((baseline & ~right).sum()), int((~baseline & right).sum()))
    needed = None if max_drop is None else samples_needed(counts, count, max_drop)
    return Accuracy(metrics=metrics, drop=paired_accuracy_drop(baseline, right), samples=count, samples_needed=needed)


def _right(found: Sequence[tuple[str, ...]], rights: Sequence[tuple[str, ...]]) -> Flags:
    return np.array([one == other for one, other in zip(found, rights, strict=True)])


def _tokens(outputs: Sequence[Prediction]) -> list[tuple[str, ...]]:
    return [tuple(str(mask[0]["text"]) for mask in answer) for answer in answers_of(outputs, _NO_ANSWERS)]
