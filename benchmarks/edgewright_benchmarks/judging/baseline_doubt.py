"""Whether the float engine's own figure says that a model is not used as it was trained.

Labels may be in another order, or channels, or pixels on another scale. Every engine agrees with such a baseline: no
comparison finds it. Facts of the measurement decide; nothing is computed that was not measured already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._outputs import flatten
from edgewright_benchmarks.accuracy._single import classes_of, threshold_of
from edgewright_benchmarks.engine_result import Accuracy
from edgewright_benchmarks.metrics import metric_title, metric_value
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.statistics.bounds import apart, upper

# What a warning about it begins with.
NOT_RIGHT = "The float model itself is wrong"
# Of fewer samples even a good model can have all wrong, or give all the same answer.
_FEWEST = 4
# A figure that is shown to be no larger is nothing for a trained model, whatever its metric.
_NOTHING = 0.01
_HALF = 0.5
# Metrics of which zero is the middle.
_SIGNED = ("spearman", "pearson", "r2", "si_sdr")


def baseline_doubt(accuracy: Accuracy, outputs: Sequence[Prediction], truth: Sequence[Any]) -> str:
    """What is doubtful in the float engine's figure, as a sentence; empty where nothing is.

    Args:
        accuracy: The float engine's, against the ground truth; its first metric decides drops.
        outputs: Its predictions, one a sample.
        truth: Ground truth of each sample, as `Truth.read` of the task gives it.
    """
    name, figure = next(iter(accuracy.metrics.items()))
    count = len(outputs)
    if count < _FEWEST:
        return ""
    # By chance a correlation is a little below zero.
    if figure.high <= _NOTHING or (figure.value <= 0 and name not in _SIGNED):
        word = metric_title(name, "accuracy", first=True)
        return f"Its {word} is {metric_value(name, figure.value)} on {count:,} samples."
    if name == "accuracy" and _are_classes(truth):
        share = Counter(map(int, truth)).most_common(1)[0][1] / count
        # Where one class is all there is, nothing could be above it.
        if figure.high <= share < 1:
            at_most = apart(100 * figure.high, 100 * share, 1, upper)
            return (
                f"It is correct on {figure.value:.1%} of {count:,} samples (upper bound: {at_most}%). Always "
                f"predicting the most frequent class is correct on {share:.1%}."
            )
    classes = name == "accuracy" and _are_classes(truth)
    # Of masks that are all alike the truth can be so as well; then the figure is high.
    if (classes or figure.value <= _HALF) and _differing(truth) >= _FEWEST and _is_constant(outputs, classes=classes):
        return f"It gives the same prediction for all {count:,} samples, although their ground truth differs."
    return ""


def _are_classes(truth: Sequence[Any]) -> bool:
    # Class indices of arrays may have a point.
    whole = (right.is_integer() if isinstance(right, float) else isinstance(right, int | np.integer) for right in truth)
    return all(whole)


def _differing(truth: Sequence[Any]) -> int:
    """How many samples have another ground truth than the most frequent one."""
    return len(truth) - Counter(map(repr, truth)).most_common(1)[0][1]


def _is_constant(outputs: Sequence[Prediction], *, classes: bool) -> bool:
    if classes:
        return len(set(classes_of(outputs, threshold_of(outputs)).tolist())) == 1
    first = _answer(outputs[0])
    # Ends at the first that differs, which of a working model is the second sample.
    return all(_answer(output) == first for output in outputs[1:])


def _answer(output: Prediction) -> Any:
    """What a person got, in a form that can be compared; of a mask its classes: one that is the same everywhere."""
    answer = output.answer
    if answer is None:
        return flatten(output).tobytes()
    if isinstance(answer, dict) and "mask" in answer:
        found = np.unique(answer["mask"]).tolist()
        return found if len(found) == 1 else id(output)
    # Beside an answer to a question stands how sure it is, which always differs.
    return answer["text"] if isinstance(answer, dict) and "text" in answer else repr(answer)
