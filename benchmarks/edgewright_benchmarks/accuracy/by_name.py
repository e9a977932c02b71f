"""Metrics of named arrays that a person asks for by name, and how each reads its ground truth."""

from __future__ import annotations

from typing import Any, Final

from edgewright_benchmarks.accuracy._metric import Metric
from edgewright_benchmarks.accuracy.arrays import LabelledClasses
from edgewright_benchmarks.accuracy.fit import LabelledCorrelation, LabelledFit
from edgewright_benchmarks.accuracy.ordered import LabelledAuc, LabelledF1
from edgewright_benchmarks.accuracy.sequences import LabelledSequences
from edgewright_benchmarks.accuracy.signals import LabelledSignals
from edgewright_benchmarks.truth.array_values import ROWS, SEQUENCES
from edgewright_benchmarks.truth.ground_truth import CLASS, Truth

# By the words of the command line.
BY_NAME: Final[dict[str, tuple[Truth, Metric[Any]]]] = {
    "accuracy": (CLASS, LabelledClasses(top=5)),
    "auc": (CLASS, LabelledAuc()),
    "f1": (CLASS, LabelledF1()),
    "mse": (ROWS, LabelledFit()),
    "correlation": (ROWS, LabelledCorrelation()),
    "si-sdr": (ROWS, LabelledSignals()),
    "edit-distance": (SEQUENCES, LabelledSequences()),
}
