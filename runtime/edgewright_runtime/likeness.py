"""How far the outputs of two engines are apart: by their values, or by boxes where a graph gives any number of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgewright_runtime.gaps import largest_gap, odd_place
from edgewright_runtime.steps import step_kind

if TYPE_CHECKING:
    import numpy as np

    from edgewright_runtime.manifest import PipelineSpec

    Array = np.ndarray[Any, Any]
    Arrays = dict[str, Array]

# Two boxes that overlap by less stand for different things.
_SAME_THING = 0.5


@dataclass(frozen=True)
class Likeness:
    """How outputs are compared.

    Attributes:
        boxes: Names of the outputs with corners, scores and classes, where the graph itself chooses the boxes. The
            last two are empty where they are columns behind the corners.
        chooses: The largest value along the last axis of the outputs is the answer.
    """

    boxes: tuple[str, str, str] | None = None
    chooses: bool = False

    @property
    def floor(self) -> float:
        """Differences up to this are rounding: 1e-4 for values (summation order), 0.05 for boxes at the threshold."""
        return 0.05 if self.boxes else 1e-4

    def difference(self, outputs: Arrays, expected: Arrays) -> float:
        """The largest absolute difference over all outputs; infinity where shapes differ (see also `largest_gap`).

        Of boxes it is the share of them that is not the same, from 0 to 1, each counting by its score.
        """
        if self.boxes is None:
            return _largest(outputs, expected)
        parts = [_parts(found, self.boxes) for found in (outputs, expected)]
        return (
            float("inf")
            if any(part is None for part in parts)
            else _boxes_apart(*(part for part in parts if part is not None))
        )

    def odd_place(self, outputs: Arrays, expected: Arrays) -> str:
        """Output and place where only one side has NaN or an infinity, or another text, as words; empty without one."""
        for name, reference in expected.items():
            if name in outputs and outputs[name].shape == reference.shape:
                place = odd_place(outputs[name], reference)
                if place and self.boxes is None:
                    return f"'{name}' at {place}"
        return ""

    def same_choice(self, outputs: Arrays, expected: Arrays) -> bool:
        """Whether both answer the same, where outputs tell that; true where they do not."""
        if not self.chooses:
            return True
        scored = {name: array for name, array in expected.items() if array.ndim}
        return not any((outputs[name].argmax(-1) != array.argmax(-1)).any() for name, array in scored.items())


def likeness_of(pipeline: PipelineSpec) -> Likeness:
    """How the outputs that a pipeline compares are compared."""
    steps = pipeline.measured.steps if pipeline.measured else pipeline.steps
    taken = next((step.options for step in steps if step.step == "take_boxes"), None)
    names = [str((taken or {}).get(name) or "") for name in ("boxes", "scores", "classes")]
    boxes = (names[0], names[1], names[2]) if taken else None
    return Likeness(boxes, any(step_kind(step.step).chooses for step in steps))


def _parts(outputs: Arrays, names: tuple[str, str, str]) -> list[Array] | None:
    """Corners, scores and classes; None where an output or a column is missing."""
    if any(name and name not in outputs for name in names):
        return None
    rows = outputs[names[0]]
    if rows.ndim == 0 or rows.shape[-1] != 4 + names.count(""):
        return None
    rows = rows.reshape(-1, rows.shape[-1])
    scores = outputs[names[1]] if names[1] else rows[:, 4]
    return [rows[:, :4], scores, outputs[names[2]] if names[2] else rows[:, -1]]


def _largest(outputs: Arrays, expected: Arrays) -> float:
    return max(
        (
            largest_gap(outputs[name], reference) if name in outputs else float("inf")
            for name, reference in expected.items()
        ),
        default=0.0,
    )


def _without_odd(corners: Array, scores: Array, classes: Array) -> tuple[Array, Array, Array, list[str]]:
    """Boxes of which all is finite; and the others as texts, for their order does not count."""
    import numpy as np

    whole = np.isfinite(np.column_stack([corners, scores, classes])).all(axis=1)
    odd = [
        str([*box.tolist(), score, kind])
        for box, score, kind in zip(corners[~whole], scores[~whole], classes[~whole], strict=True)
    ]
    return corners[whole], scores[whole], classes[whole], sorted(odd)


def _boxes_apart(found: list[Array], expected: list[Array]) -> float:
    """The share of boxes, weighed by their scores, that one side does not have, or has elsewhere or less surely."""
    import numpy as np

    corners, scores, classes, odd = _without_odd(*_as_boxes(found))
    *others, other_odd = _without_odd(*_as_boxes(expected))
    if odd != other_odd:
        return float("inf")
    sides = zip(*others, strict=True)
    free = np.ones(len(scores), dtype=bool)
    apart = weight = 0.0
    for box, score, kind in sorted(sides, key=lambda side: -float(side[1])):
        overlaps = np.where(free & (classes == kind), _overlaps(corners, box), 0.0)
        best = int(overlaps.argmax()) if overlaps.size else 0
        if overlaps.size and overlaps[best] >= _SAME_THING:
            free[best] = False
            larger = max(float(score), float(scores[best]))
            apart += max(abs(float(score) - float(scores[best])), larger * (1 - float(overlaps[best])))
            weight += larger
        else:
            apart, weight = apart + float(score), weight + float(score)
    rest = float(scores[free].sum())
    return (apart + rest) / (weight + rest) if weight + rest > 0 else 0.0


def _as_boxes(arrays: list[Array]) -> tuple[Array, Array, Array]:
    import numpy as np

    corners, scores, classes = (array.astype(np.float64) for array in arrays)
    return corners.reshape(-1, 4), scores.reshape(-1), classes.reshape(-1)


def _overlaps(corners: Array, box: Array) -> Array:
    """Intersection over union of each of some boxes with one."""
    import numpy as np

    sizes = np.minimum(corners[:, 2:], box[2:]) - np.maximum(corners[:, :2], box[:2])
    common = np.maximum(sizes, 0).prod(axis=1)
    union = (corners[:, 2:] - corners[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod() - common
    made: Array = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return made
