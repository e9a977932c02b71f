"""What all scorers share: the protocol, and how an engine's raw outputs are read without trusting them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.result import Accuracy, Interval, Measure
from edgewright_targets import InputError

# A class that no label has: a sample without an answer.
NO_ANSWER = -1

# The baseline loses nothing against itself; that is a definition and no measurement, so it has no width.
NO_DROP = Interval(0.0, 0.0, 0.0)


class Scorer(Protocol):
    """Turns the outputs of one engine on all samples into its accuracy."""

    @property
    def measure(self) -> Measure:
        """What the drop is a drop of."""

    def score(
        self,
        outputs: Sequence[Prediction],
        truth: Sequence[Any] | None,
        baseline_outputs: Sequence[Prediction],
        *,
        max_drop: float | None = None,
    ) -> Accuracy:
        """Score one engine.

        Args:
            outputs: The engine's predictions, one a sample, batch dimension of 1 included or not. Outputs that are not
                finite are not a crash: such a sample counts as wrong.
            truth: Ground truth of each sample, as `Truth.read` of the task gives it; None where nothing is labelled.
            baseline_outputs: The float baseline's on the same samples. The baseline itself is scored by passing the
                same object twice; its drop is then 0 by definition.
            max_drop: The budget as a share; with it `Accuracy.samples_needed` is filled where it applies.

        Raises:
            InputError: The three are not of the same samples, or do not fit the task.
        """


def check_samples(outputs: Sequence[Prediction], baseline_outputs: Sequence[Prediction]) -> None:
    """Refuse outputs that are not of the same samples."""
    if not outputs or len(outputs) != len(baseline_outputs):
        raise InputError(
            f"Both engines must run the same samples: the engine has {len(outputs)}, the baseline "
            f"{len(baseline_outputs)}."
        )


def check_truth(outputs: Sequence[Prediction], truth: Sequence[Any] | None, expected: str) -> Sequence[Any]:
    """The ground truth, checked to be of as many samples as there are predictions.

    Args:
        outputs: Of the engine.
        truth: Ground truth of each sample.
        expected: What that is and of how many, for the message.

    Raises:
        InputError: There is none, or of another number of samples.
    """
    if truth is None or len(truth) != len(outputs):
        raise InputError(f"Expected {expected}, found {len(truth or ())}.")
    return truth


def answers_of(outputs: Sequence[Prediction], refusal: str) -> list[Any]:
    """What a person got for each sample.

    Raises:
        InputError: The outputs come without it; says `refusal`.
    """
    found = []
    for output in outputs:
        answer = output.answer
        if answer is None:
            raise InputError(refusal)
        found.append(answer)
    return found


def texts_of(outputs: Sequence[Prediction], refusal: str) -> list[str]:
    """What a person got for each sample, where that is a text.

    Raises:
        InputError: It is none; says `refusal`.
    """
    found = answers_of(outputs, refusal)
    if not all(isinstance(answer, str) for answer in found):
        raise InputError(refusal)
    return found


def flatten(output: Prediction) -> NDArray[np.float64]:
    """All numbers of a sample in one row, outputs in the order of their names; shape (values,)."""
    return _row([output.outputs[name] for name in _number_names(output)])


def _row(arrays: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *(np.asarray(array, dtype=np.float64).reshape(-1) for array in arrays)])


def texts_among(output: Prediction) -> dict[str, NDArray[np.str_]]:
    """The outputs of a sample that are texts, such as the names of classes."""
    return {name: np.asarray(output.outputs[name]) for name in set(output.outputs) - set(_number_names(output))}


def _number_names(output: Prediction) -> list[str]:
    return [name for name, array in sorted(output.outputs.items()) if np.asarray(array).dtype.kind not in "USO"]


def top_classes(outputs: Sequence[Prediction]) -> NDArray[np.int64]:
    """The class with the highest score of each sample, `NO_ANSWER` where none can be told; shape (samples,).

    Raises:
        InputError: A sample has several outputs, so that none is the scores.
    """
    return np.array([_top_class(output) for output in outputs], dtype=np.int64)


def _top_class(output: Prediction) -> int:
    scores = class_scores(output)
    return int(scores.argmax()) if tell_apart(scores) else NO_ANSWER


def class_scores(output: Prediction) -> NDArray[np.float64]:
    """The scores of classes in a sample: its one output of numbers, or the one with a point beside whole numbers.

    Classifiers of scikit-learn give the class itself beside its scores.

    Raises:
        InputError: There are several, so that none is the scores.
    """
    names = _number_names(output)
    floats = [name for name in names if np.asarray(output.outputs[name]).dtype.kind == "f"]
    if len(names) != 1 and len(floats) != 1:
        raise InputError(
            f"Classes need exactly one output of scores; this model has: {', '.join(names)}.",
            hint="Leave the labels out to measure agreement over all outputs, or export the scores alone.",
        )
    (name,) = names if len(names) == 1 else floats
    return _row([output.outputs[name]])


def tell_apart(scores: NDArray[np.float64]) -> bool:
    """Whether one of the scores is the best: none is NaN and the largest is finite; masked classes have -inf."""
    return bool(scores.size and not np.isnan(scores).any() and np.isfinite(scores.max()))
