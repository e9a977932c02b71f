"""A metric of the user's own, and a function of the user's between predictions and any metric."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy._columns import Means
from edgewright_benchmarks.accuracy._metric import Metric, Scores, check_ground_truth
from edgewright_benchmarks.own_code import OwnFunction
from edgewright_benchmarks.predictions import Prediction
from edgewright_targets import InputError

# Characters of a value that a message shows.
_SHOWN = 60
# The baseline's predictions and those of the engine that is compared with it.
_KEPT = 2


class OwnMetric(Metric[Sequence[Any]]):
    """Scores from `function(predictions, ground_truth)`, a number from 0 to 1 for each sample, 1 the best.

    Predictions are what a call of the model gives, or what `post` makes of it; ground truth is as it stands in the
    data. A sample whose outputs are not finite is wrong: the function is not asked about it.

    Args:
        function: The user's.
        post: Of the user as well, from a prediction to what is scored; None scores the prediction.
    """

    def __init__(self, function: OwnFunction, post: OwnFunction | None = None) -> None:
        self.names = (function.name,)
        self._function = function
        self._post = post

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Sequence[Any]:
        """The ground truth, as it is."""
        return check_ground_truth(ground_truth, baseline, f"ground truth for each of {len(baseline)} samples")

    def scores(self, predictions: Sequence[Prediction], reference: Sequence[Any]) -> Scores:
        """The function's score of each sample."""
        asked = [index for index, one in enumerate(predictions) if _is_finite(one)]
        found = np.zeros(len(predictions))
        if asked:
            values = [_value(predictions[index]) for index in asked]
            made = [self._post(value) for value in values] if self._post else values
            found[asked] = self._checked(self._function(made, [reference[index] for index in asked]), asked)
        return Scores(self.names[0], Means(found))

    def _checked(self, returned: Any, asked: Sequence[int]) -> list[float]:
        name = self._function.name
        takes = "It must return a number from 0 to 1 for each sample, in a list or an array; 1 is the best."
        if isinstance(returned, (str, bytes, Mapping)) or not hasattr(returned, "__len__"):
            raise InputError(f"'{name}' returned {_shown(returned)} for {len(asked)} samples.", hint=takes)
        if len(returned) != len(asked):
            raise InputError(f"'{name}' returned {len(returned)} scores for {len(asked)} samples.", hint=takes)
        return [self._number(value, index, takes) for value, index in zip(returned, asked, strict=True)]

    def _number(self, value: Any, index: int, takes: str) -> float:
        number = np.asarray(value) if not isinstance(value, (str, bytes)) else None
        if number is None or number.size != 1 or number.dtype.kind not in "biuf":
            raise InputError(f"'{self._function.name}' returned {_shown(value)} for sample {index + 1}.", hint=takes)
        found = float(number.reshape(()))
        if not 0 <= found <= 1:  # NaN is not
            raise InputError(f"'{self._function.name}' returned {found:g} for sample {index + 1}.", hint=takes)
        return found


class PostMetric(Metric[Any]):
    """Another metric, of what a function of the user's makes of each prediction: an array, or arrays by name.

    Args:
        metric: It.
        post: The function; it takes what a call of the model gives.
    """

    def __init__(self, metric: Metric[Any], post: OwnFunction) -> None:
        self._metric = metric
        self._post = post
        self.names, self.measure, self.bounded = metric.names, metric.measure, metric.bounded
        # Pairs of what was given, by identity, and what was made of it: a metric asks for the baseline several times.
        self._made: deque[tuple[Sequence[Prediction], list[Prediction]]] = deque(maxlen=_KEPT)

    def suited(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Metric[Any]:
        """The metric for this kind of ground truth and of what was made."""
        found = PostMetric(self._metric.suited(ground_truth, self._of(baseline)), self._post)
        found._made = self._made
        return found

    def reference(self, ground_truth: Sequence[Any] | None, baseline: Sequence[Prediction], /) -> Any:
        """As the metric has it."""
        return self._metric.reference(ground_truth, self._of(baseline))

    def scores(self, predictions: Sequence[Prediction], reference: Any) -> Scores:
        """As the metric has them."""
        return self._metric.scores(self._of(predictions), reference)

    def baseline_scores(self, baseline: Sequence[Prediction], reference: Any) -> Scores:
        """As the metric has them."""
        return self._metric.baseline_scores(self._of(baseline), reference)

    def changed(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> Sequence[bool | None]:
        """As the metric tells it."""
        return self._metric.changed(self._of(predictions), self._of(baseline))

    def _of(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        for given, made in self._made:
            if given is predictions:
                return made
        found = [self._after(one, index) for index, one in enumerate(predictions)]
        self._made.append((predictions, found))
        return found

    def _after(self, prediction: Prediction, index: int) -> Prediction:
        made = self._post(_value(prediction))
        named = made if isinstance(made, Mapping) else {"post": made}
        arrays = {str(name): np.asarray(value) for name, value in named.items()}
        if not arrays or any(array.dtype.kind not in "biufUS" for array in arrays.values()):
            raise InputError(
                f"'{self._post.name}' returned {_shown(made)} for sample {index + 1}.",
                hint="It must return an array, or arrays by name. Pass --metric for predictions of another kind.",
            )
        return Prediction(arrays)


def _value(prediction: Prediction) -> Any:
    """What a call of the model gives: an answer, or the outputs by name."""
    answer = prediction.answer
    return dict(prediction.outputs) if answer is None else answer


def _is_finite(prediction: Prediction) -> bool:
    return all(np.isfinite(array).all() for array in prediction.outputs.values() if np.asarray(array).dtype.kind == "f")


def _shown(value: object) -> str:
    text = repr(value)
    kind = type(value).__name__
    return "None" if value is None else f"{text[:_SHOWN]} ({kind})"
