"""Labels of a sequence that depend on one another: a linear-chain CRF behind a graph."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import PackageError
from edgewright_runtime.package_files import VOCABULARY_LIMIT_BYTES, FileTooLargeError, read_limited

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.package import Package

    Array = np.ndarray[Any, Any]

# Which tokens of a text are a step of the sequence.
OVER = ("tokens", "text", "words")


class Crf:
    """Scores of each step of a sequence to the likeliest labels of the whole.

    Args:
        entry: `transitions` [labels, labels], the score of a label (row) before another (column), and those of the
            first and the last label, `start` and `end` [labels] (0 if missing). `over` says which tokens are steps: all
            `tokens`, those of the `text` without special ones, or the first of each of the `words`.
        labels: How many labels there are.

    Raises:
        ValueError: It has something else than finite numbers of these shapes.
        LookupError: It has no transitions.
        TypeError: They are not numbers.
    """

    def __init__(self, entry: Mapping[str, object], labels: int) -> None:
        self.over = str(entry.get("over", OVER[0]))
        if self.over not in OVER:
            raise ValueError(f"'over' is {self.over[:40]!r}; it can be {', '.join(OVER)}")
        nothing = np.zeros(labels)
        parts = {"transitions": entry["transitions"], "start": entry.get("start", nothing)}
        scores = [np.array(part, np.float64) for part in (*parts.values(), entry.get("end", nothing))]
        for name, part in zip((*parts, "end"), scores, strict=True):
            expected = (labels, labels) if name == "transitions" else (labels,)
            if part.shape != expected:
                raise ValueError(f"'{name}' is {list(part.shape)}; for {labels} labels it is {list(expected)}")
            if not np.isfinite(part).all():
                raise ValueError(f"'{name}' has numbers that are not finite")
        self._transitions, self._start, self._end = scores

    def __call__(self, scores: Array) -> tuple[Array, Array]:
        """The likeliest labels, and how probable each is in its place.

        Args:
            scores: Of the graph, [steps, labels], one step at least.

        Returns:
            Labels, int64 [steps], of the path with the highest sum (Viterbi); and probabilities, float64 [steps], each
            over all paths (forward and backward).
        """
        scores = scores.astype(np.float64)
        steps = np.arange(len(scores))
        best, came_from = self._start + scores[0], []
        before, after = [best], [self._end]
        for row in scores[1:]:
            paths = best[:, None] + self._transitions
            came_from.append(paths.argmax(axis=0))
            best = paths.max(axis=0) + row
            before.append(_log_sum(before[-1][:, None] + self._transitions, 0) + row)
        for row in scores[:0:-1]:
            after.append(_log_sum(self._transitions + row + after[-1], 1))
        labels = [int((best + self._end).argmax())]
        for places in reversed(came_from):
            labels.append(int(places[labels[-1]]))
        found = np.array(labels[::-1], np.int64)
        shares = np.array(before) + np.array(after[::-1])
        return found, np.exp(shares - _log_sum(shares, 1)[:, None])[steps, found]


def read_crf(package: Package, uri: str, labels: int) -> Crf:
    """The scores between labels in the JSON file of a package.

    Raises:
        PackageError: It cannot be read, or does not fit the labels.
    """
    path = package.asset(uri)
    try:
        return Crf(json.loads(read_limited(path, VOCABULARY_LIMIT_BYTES)), labels)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, FileTooLargeError) as error:
        raise PackageError(f"'{package.root}': the scores between labels cannot be read: {error}.") from error


def _log_sum(values: Array, axis: int) -> Array:
    """Logarithm of the sum of exponentials along an axis."""
    most = values.max(axis=axis, keepdims=True)
    made: Array = np.log(np.exp(values - most).sum(axis=axis)) + most.squeeze(axis)
    return made
