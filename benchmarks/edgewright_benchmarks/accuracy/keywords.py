"""Keywords: F1 over recordings and keywords, found where there is a detection, and the AUC of their highest scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._decisions import Decisions, auc_over_recordings, f1_accuracy
from edgewright_benchmarks.accuracy._scorer import answers_of, check_samples, check_truth
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Measure

_NO_ANSWERS = "Keywords can be told from an engine's answer only; there is none."


class LabelledKeywords:
    """Scores what was found against what is said; see `Scorer`."""

    measure: Measure = "accuracy"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 and AUC over all pairs of a recording and a keyword; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        truth = check_truth(outputs, truth, f"the keywords of {len(outputs)} recordings")
        found, baseline = _found(outputs), _found(baseline_outputs)
        labels = sorted(found[0])
        expected = [np.array([label in said for label in labels]) for said in truth]
        highest = [np.array([entry[label][0] for label in labels]) for entry in found]
        auc = auc_over_recordings(highest, expected)
        return f1_accuracy(
            "f1",
            _detected(found),
            _detected(baseline),
            expected,
            is_baseline=outputs is baseline_outputs,
            max_drop=max_drop,
            others={} if auc is None else {"auc": auc},
        )


class KeywordAgreement:
    """Scores what was found against what the float baseline finds; see `Scorer`."""

    measure: Measure = "agreement"

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,  # noqa: ARG002 - the protocol's; agreement asks the baseline instead
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """F1 with the baseline's detections for the truth; see `Scorer.score`."""
        check_samples(outputs, baseline_outputs)
        expected = _detected(_found(baseline_outputs))
        found, is_baseline = _detected(_found(outputs)), outputs is baseline_outputs
        return f1_accuracy("agreement", found, expected, expected, is_baseline=is_baseline, max_drop=max_drop)


def _found(outputs: Sequence[Prediction]) -> list[dict[str, tuple[float, bool]]]:
    """Of each recording and keyword the highest score, and whether it was found."""
    answers = answers_of(outputs, _NO_ANSWERS)
    return [{entry["label"]: (entry["score"], bool(entry["detections"])) for entry in answer} for answer in answers]


def _detected(found: Sequence[dict[str, tuple[float, bool]]]) -> list[Decisions]:
    return [np.array([entry[label][1] for label in sorted(entry)]) for entry in found]
