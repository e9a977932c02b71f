"""How the predictions of an engine are read without trusting them: answers, rows of numbers, scores of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.predictions import Prediction
from edgewright_targets import InputError

# A class that no label has: a sample without an answer.
NO_ANSWER = -1


def answers_of(predictions: Sequence[Prediction], refusal: str) -> list[Any]:
    """What a person got for each sample.

    Raises:
        InputError: The outputs come without it; says `refusal`.
    """
    found = [prediction.answer for prediction in predictions]
    if any(answer is None for answer in found):
        raise InputError(refusal)
    return found


def texts_of(predictions: Sequence[Prediction], refusal: str) -> list[str]:
    """What a person got for each sample, where that is a text.

    Raises:
        InputError: It is not; the message is `refusal`.
    """
    found = answers_of(predictions, refusal)
    if not all(isinstance(answer, str) for answer in found):
        raise InputError(refusal)
    return found


def flatten(prediction: Prediction) -> NDArray[np.float64]:
    """All numbers of a sample in one row, outputs in the order of their names; shape (values,)."""
    return _row([prediction.outputs[name] for name in _number_names(prediction)])


def _row(arrays: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *(np.asarray(array, dtype=np.float64).reshape(-1) for array in arrays)])


def texts_among(prediction: Prediction) -> dict[str, NDArray[np.str_]]:
    """The outputs of a sample that are texts, such as the names of classes."""
    return {
        name: np.asarray(prediction.outputs[name]) for name in set(prediction.outputs) - set(_number_names(prediction))
    }


def _number_names(prediction: Prediction) -> list[str]:
    return [name for name, array in sorted(prediction.outputs.items()) if np.asarray(array).dtype.kind not in "USO"]


def top_classes(predictions: Sequence[Prediction]) -> NDArray[np.int64]:
    """The class with the highest score of each sample, `NO_ANSWER` where none can be told; shape (samples,).

    Raises:
        InputError: A sample has several outputs, so that none is the scores.
    """
    return np.array([_top_class(prediction) for prediction in predictions], dtype=np.int64)


def _top_class(prediction: Prediction) -> int:
    scores = class_scores(prediction)
    return int(scores.argmax()) if tell_apart(scores) else NO_ANSWER


def class_scores(prediction: Prediction) -> NDArray[np.float64]:
    """The scores of classes in a sample: its one output of numbers, or the one with a point beside whole numbers.

    Classifiers of scikit-learn give the class itself beside its scores.

    Raises:
        InputError: There are several, so that none is the scores.
    """
    names = _number_names(prediction)
    floats = [name for name in names if np.asarray(prediction.outputs[name]).dtype.kind == "f"]
    if len(names) != 1 and len(floats) != 1:
        raise InputError(
            f"Classes need exactly one output of scores; this model has: {', '.join(names)}.",
            hint="Leave the labels out to measure agreement over all outputs, or export the scores alone.",
        )
    (name,) = names if len(names) == 1 else floats
    return _row([prediction.outputs[name]])


def tell_apart(scores: NDArray[np.float64]) -> bool:
    """Whether one of the scores is the best: none is NaN and the largest is finite; masked classes have -inf."""
    return bool(scores.size and not np.isnan(scores).any() and np.isfinite(scores.max()))
