"""What a person sets in place of a task's own metric and data: a metric by name, or functions of their own.

>>> from edgewright_benchmarks.tasks.own_functions import OwnFunctions
>>> OwnFunctions(metric="correlation").names
{'--metric': 'correlation'}
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_benchmarks.accuracy.by_name import BY_NAME
from edgewright_benchmarks.accuracy.own import OwnMetric, PostMetric
from edgewright_benchmarks.own_code import OwnFunction, own_function
from edgewright_benchmarks.result import OwnCode
from edgewright_benchmarks.truth.array_values import own_truth
from edgewright_benchmarks.truth.keypoints import COCO_TRUTHS
from edgewright_runtime.samples import ARRAYS_INPUT, input_names
from edgewright_targets import InputError, nearest

if TYPE_CHECKING:
    from edgewright_benchmarks.accuracy import Metric
    from edgewright_benchmarks.tasks._task import Task

# The task whose metric can be chosen by name.
_ARRAYS = "arrays"


@dataclass(frozen=True)
class OwnFunctions:
    """What was asked for on the command line; empty where it was not.

    Attributes:
        metric: `package.module:function`, or the name of a metric of `arrays`.
        pre: A function from a sample as the data has it to what the model takes.
        post: A function from what a call of the model gives to what is scored.
    """

    metric: str = ""
    pre: str = ""
    post: str = ""

    @property
    def names(self) -> dict[str, str]:
        """What was asked for, by option."""
        given = {"--metric": self.metric, "--pre": self.pre, "--post": self.post}
        return {option: spec for option, spec in given.items() if spec}

    def check(self, task: str) -> None:
        """Find all functions, before any work.

        Raises:
            InputError: One is not there, or a metric of that name is not for the task.
        """
        self.facts()
        self._by_name(task)

    def check_labelled(self, labels: object, name: str) -> None:
        """Raise where a metric was asked for, and the data of that name has no ground truth.

        Raises:
            InputError: So it is.
        """
        if self.metric and labels is None:
            raise InputError(
                f"--metric {self.metric} needs ground truth, and {name} has none.",
                hint="Add it to the data: a column of the ground truth, or the array 'label' of an .npz file.",
            )

    def facts(self) -> tuple[OwnCode, ...]:
        """What evidence says of them."""
        return tuple(
            OwnCode(option, spec, own_function(spec, option).digest if _is_code(option, spec) else "")
            for option, spec in self.names.items()
        )

    def applied(self, task: Task) -> Task:
        """The task with the metric and the ground truth that were asked for.

        Raises:
            InputError: See `check`.
        """
        post = own_function(self.post, "--post") if self.post else None
        truth, metric = self._by_name(task.name) or (task.truth, task.labelled)
        if _is_code("--metric", self.metric):
            metric = OwnMetric(own_function(self.metric, "--metric"), post)
            if task.truth not in COCO_TRUTHS:
                truth = own_truth(task.truth.column, is_file=task.truth.is_file)
        elif post is not None:
            metric = PostMetric(metric, post)
        unlabelled = PostMetric(task.unlabelled, post) if post is not None else task.unlabelled
        return dataclasses.replace(task, truth=truth, labelled=metric, unlabelled=unlabelled)

    def _by_name(self, task: str) -> tuple[Any, Metric[Any]] | None:
        if not self.metric or _is_code("--metric", self.metric):
            return None
        if self.metric not in BY_NAME:
            raise InputError(
                f"There is no metric '{self.metric}'.",
                hint=f"{nearest(self.metric, BY_NAME)} A function of your own is named as package.module:function.",
            )
        if task != _ARRAYS:
            raise InputError(
                f"--metric {self.metric} is for the task {_ARRAYS}; the model is of the task {task}.",
                hint="Leave --metric out for the metric of the task, or name a function: package.module:function.",
            )
        return BY_NAME[self.metric]

    def prepared(self, samples: Sequence[Any], input_name: str, place: str) -> list[Any]:
        """Samples as the model takes them: what `pre` makes of those of the data.

        Args:
            samples: As the data has them.
            input_name: What the model takes, as its pipeline says it.
            place: The file, for messages.

        Raises:
            InputError: The function raised, or returned what the model cannot take.
        """
        pre = own_function(self.pre, "--pre")
        return [_taken(pre, sample, input_name, f"{place}, sample {index + 1}") for index, sample in enumerate(samples)]

    def digest(self, data: str) -> str:
        """The digest of data of this digest once it is prepared."""
        return hashlib.sha256(f"{data} by {own_function(self.pre, '--pre').digest}".encode()).hexdigest()


NO_FUNCTIONS = OwnFunctions()


def _is_code(option: str, spec: str) -> bool:
    return bool(spec) and (option != "--metric" or ":" in spec)


def _taken(pre: OwnFunction, sample: Any, input_name: str, place: str) -> Any:
    made = pre(sample)
    names = input_names(input_name)
    if input_name == ARRAYS_INPUT:
        arrays = {str(name): np.asarray(value) for name, value in made.items()} if isinstance(made, Mapping) else {}
        if not arrays or any(array.dtype.kind not in "biufUS" for array in arrays.values()):
            raise InputError(
                f"{place}: '{pre.name}' returned {type(made).__name__}.",
                hint="This model takes arrays by the names of its inputs: return a dict of them.",
            )
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise InputError(f"{place}: '{pre.name}' returned NaN or infinite values for '{name}'.")
        return arrays
    if made is None or (len(names) > 1 and not (isinstance(made, Mapping) and set(names) <= set(made))):
        raise InputError(
            f"{place}: '{pre.name}' returned {type(made).__name__}; the model takes {' and '.join(names)}."
        )
    return made
