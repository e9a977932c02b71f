"""Samples that an engine answers otherwise than the float baseline, whatever is right."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_benchmarks.accuracy._scorer import Scorer
from edgewright_benchmarks.accuracy._single import classes_of
from edgewright_benchmarks.accuracy.agreement import TopClassAgreement
from edgewright_benchmarks.accuracy.classification import LabelledClassification
from edgewright_benchmarks.accuracy.multi_label import LabelledLabels, LabelsAgreement, decisions_of
from edgewright_benchmarks.accuracy.regression import LabelledRegression, RegressionAgreement
from edgewright_benchmarks.predictions import Prediction, answers_differ
from edgewright_benchmarks.result import Otherwise

# Numbers that are kept: as many as a person looks up.
_KEPT = 20


def answered_otherwise(how: Scorer, outputs: Sequence[Prediction], reference: Sequence[Prediction]) -> Otherwise | None:
    """Of one engine; None where nothing can be told from its answers.

    Args:
        how: What scores them: for classes, their best one is the answer.
        outputs: Of the engine.
        reference: Of the baseline, for the same samples.
    """
    differ: Sequence[bool | None]
    if isinstance(how, (TopClassAgreement, LabelledClassification)):
        differ = (classes_of(outputs, reference) != classes_of(reference, reference)).tolist()
    elif isinstance(how, (LabelledLabels, LabelsAgreement)):
        pairs = zip(decisions_of(outputs, reference), decisions_of(reference, reference), strict=True)
        differ = [bool((one != other).any()) for one, other in pairs]
    elif isinstance(how, (LabelledRegression, RegressionAgreement)):
        # Of numbers hardly two are the same.
        return None
    else:
        differ = [answers_differ(one, other) for one, other in zip(outputs, reference, strict=True)]
    if None in differ:
        return None
    numbers = [number for number, changed in enumerate(differ, start=1) if changed]
    return Otherwise(len(numbers), tuple(numbers[:_KEPT]))
