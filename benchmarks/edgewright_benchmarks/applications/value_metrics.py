"""Which metric judges a value of an application: declared in its file by name, else chosen from what makes the value.

A metric is a row of `VALUE_METRICS`: the types that it judges, how a cell of ground truth is read, and the metric of
tasks that computes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from edgewright_benchmarks.accuracy import Metric
from edgewright_benchmarks.accuracy.answers import LabelledAnswers
from edgewright_benchmarks.accuracy.names import LabelledNames
from edgewright_benchmarks.accuracy.regression import LabelledRegression
from edgewright_benchmarks.accuracy.transcription import LabelledCharacters, LabelledTranscription
from edgewright_benchmarks.accuracy.translation import LabelledTranslation
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.truth.ground_truth import ANSWERS, REFERENCE_TEXTS, TRANSCRIPT
from edgewright_benchmarks.truth.label_values import NUMBER
from edgewright_runtime.applications.declaration import Flow
from edgewright_runtime.applications.value_types import part_of, type_words
from edgewright_runtime.samples import pack_answer
from edgewright_targets.errors import nearest
from edgewright_targets.record import RecordError

# From a cell and its place in the file to what the metric compares with.
Reader = Callable[[object, str], object]
# Of a value, None where it is missing, the prediction that a metric of a task takes.
Told = Callable[[Any], Prediction]


@dataclass(frozen=True)
class ValueMetric:
    """A metric of values of an application.

    Attributes:
        types: Of the values that it judges.
        read: The ground truth of a cell.
        told: A value as a prediction; one that is missing counts as wrong, and as right where nothing was expected.
        metric: What computes it.
    """

    types: tuple[str, ...]
    read: Reader
    told: Told
    metric: Metric[Any]


def _name(cell: object, place: str) -> str:
    del place
    return "" if cell is None else str(cell).strip()


def _transcript(cell: object, place: str) -> object:
    return TRANSCRIPT.read(cell, (), place)


def _texts(cell: object, place: str) -> object:
    return REFERENCE_TEXTS.read(cell, (), place)


def _answers(cell: object, place: str) -> object:
    return ANSWERS.read(cell, (), place)


def _number(cell: object, place: str) -> object:
    return NUMBER.read(cell, (), place)


def _told_text(value: Any) -> Prediction:
    """A text, or the best label."""
    found = value if isinstance(value, str) or value is None else part_of(value, "label")
    return Prediction({}, pack_answer("" if found is None else str(found)))


def _told_answer(value: Any) -> Prediction:
    return Prediction({}, pack_answer({"text": "", "score": 0.0} if value is None else value))


def _told_number(value: Any) -> Prediction:
    return Prediction({"value": np.array([np.nan if value is None else float(value)])})


# By the names that files have.
VALUE_METRICS: Final[dict[str, ValueMetric]] = {
    "accuracy": ValueMetric(("text", "labels"), _name, _told_text, LabelledNames()),
    "word_error_rate": ValueMetric(("text",), _transcript, _told_text, LabelledTranscription()),
    "character_error_rate": ValueMetric(("text",), _transcript, _told_text, LabelledCharacters()),
    "chrf": ValueMetric(("text",), _texts, _told_text, LabelledTranslation()),
    "answer_f1": ValueMetric(("answer",), _answers, _told_answer, LabelledAnswers()),
    "spearman": ValueMetric(("number",), _number, _told_number, LabelledRegression()),
}
_BY_TYPE = {"labels": "accuracy", "text": "accuracy", "answer": "answer_f1", "number": "spearman"}
# Task of the model that makes a text -> its metric, where that is not whether texts are equal.
_BY_TASK = {
    "automatic-speech-recognition": "word_error_rate",
    "translation": "chrf",
    "summarization": "chrf",
    "image-to-text": "chrf",
}


def check_metrics(flow: Flow, types: Mapping[str, str], where: str) -> None:
    """Raise where a declared metric is unknown, or does not judge values of that type.

    Args:
        flow: The application.
        types: Value -> type.
        where: What messages begin with.

    Raises:
        RecordError: It says which; the keys lead to the place.
    """
    for value, name in flow.metric.items():
        keys = ("metric", value)
        if value not in flow.step:
            raise RecordError(
                f"{where}: '{value[:60]}' has a metric, and no step makes it.",
                hint=nearest(value, flow.step),
                keys=keys,
            )
        if name not in VALUE_METRICS:
            raise RecordError(
                f"{where}: '{value}' has the metric '{name[:60]}', which is unknown.",
                hint=nearest(name, VALUE_METRICS),
                keys=keys,
            )
        kind = types[value]
        if kind not in VALUE_METRICS[name].types:
            fitting = [one for one, metric in VALUE_METRICS.items() if kind in metric.types]
            raise RecordError(
                f"{where}: the metric '{name}' does not judge '{value}', which is {type_words(kind)}.",
                hint=f"Metrics of that type: {', '.join(fitting)}." if fitting else "No metric judges that type yet.",
                keys=keys,
            )


def metrics_of(flow: Flow, types: Mapping[str, str], tasks: Mapping[str, str]) -> dict[str, str]:
    """Value to the name of its metric, of all values that can be judged: declared ones first, then answers.

    Args:
        flow: The application.
        types: Value -> type.
        tasks: Model -> its task.
    """
    found = dict(flow.metric)
    for value in dict.fromkeys([*flow.answer, *flow.step]):
        if value in flow.step and value not in found and (name := _default(flow, value, types, tasks)):
            found[value] = name
    return found


def _default(flow: Flow, value: str, types: Mapping[str, str], tasks: Mapping[str, str]) -> str | None:
    name = _BY_TYPE.get(types[value])
    task = tasks.get(flow.step[value].model or "", "")
    return _BY_TASK.get(task, name) if types[value] == "text" else name


def told(metric: str, values: Sequence[object]) -> list[Prediction]:
    """Values as the predictions that a metric takes."""
    return [VALUE_METRICS[metric].told(value) for value in values]
