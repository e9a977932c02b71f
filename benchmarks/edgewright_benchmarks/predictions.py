"""What an engine gives for one sample, as it leaves a worker; the form in which it travels is known here alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.samples import ANSWER, unpack_answer

if TYPE_CHECKING:
    from edgewright_runtime.samples import Array, Arrays


@dataclass(frozen=True, eq=False)
class Prediction:
    """The outputs of the graph for one sample, and what a person gets of it.

    Attributes:
        outputs: Of the graph, by name.
        packed: What a person gets, as it travels: boxes and masks of a whole data set fit in memory in this form only.
    """

    outputs: Arrays
    packed: Array | None = None

    @property
    def answer(self) -> Any:
        """What a person gets, such as a text, boxes or a mask; None where that is the outputs themselves."""
        return None if self.packed is None else unpack_answer(self.packed)


def prediction_from_arrays(arrays: Arrays) -> Prediction:
    """A prediction as a worker sent it, or as it was stored.

    Raises:
        ValueError: The answer cannot be read.
    """
    outputs = {name: array for name, array in arrays.items() if name != ANSWER}
    found = Prediction(outputs, arrays.get(ANSWER))
    try:
        _ = found.answer
    except Exception as error:  # JSON, archives and arrays raise all kinds for bytes that `pack_answer` did not make.
        raise ValueError(f"the answer of a sample cannot be read ({type(error).__name__})") from error
    return found


def arrays_from_prediction(prediction: Prediction) -> Arrays:
    """The form that `prediction_from_arrays` reads."""
    return prediction.outputs if prediction.packed is None else prediction.outputs | {ANSWER: prediction.packed}


def same_bits(prediction: Prediction, other: Prediction) -> bool:
    """Whether two predictions have the same outputs and answers, of the same types and shapes, in every bit."""
    mine, theirs = arrays_from_prediction(prediction), arrays_from_prediction(other)
    return mine.keys() == theirs.keys() and all(
        array.dtype == theirs[name].dtype
        and array.shape == theirs[name].shape
        and array.tobytes() == theirs[name].tobytes()
        for name, array in mine.items()
    )


def answers_differ(prediction: Prediction, other: Prediction) -> bool | None:
    """Whether two answers tell something else; None where the other has no answer, or one that tells nothing."""
    mine, told = _told(prediction.answer), _told(other.answer)
    if told is None:
        return None
    return not np.array_equal(mine, told) if isinstance(told, np.ndarray) else bool(mine != told)


def _told(answer: Any) -> Any:
    """What an answer tells apart from its scores and places: texts, labels, whole numbers; None where it is nothing."""
    if isinstance(answer, np.ndarray) or answer is None:
        # A mask or a picture; a vector is told from the outputs.
        return None if answer is None or answer.dtype.kind == "f" else answer
    if isinstance(answer, list):
        # Of boxes of all scores, those that a person is shown.
        shown = [one for one in answer if not (isinstance(one, dict) and one.get("shown") is False)]
        told = [_told(one) for one in shown]
        return told if any(one is not None for one in told) or not answer else None
    if isinstance(answer, dict):
        parts = {name: _told(part) for name, part in answer.items()}
        kept = {name: part.tolist() if isinstance(part, np.ndarray) else part for name, part in parts.items()}
        return kept if any(part is not None for part in kept.values()) else None
    return None if isinstance(answer, float) else answer
