"""What an export froze: feeds of other sizes, and what is said where the graph answers otherwise than its source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgewright_compiler.building.export_check import Compared, compare_with_source
from edgewright_compiler.building.probes import probes
from edgewright_compiler.graphs.inference import Inference
from edgewright_runtime import load
from edgewright_targets import CheckFailedError

_TOKENS = np.arange(5, dtype=np.int64)[None]


def sizes(feeds: dict[str, Any], shapes: dict[str, Any], limits: dict[str, int] | None = None) -> list[Any]:
    return [{name: value.shape for name, value in probe.feeds.items()} for probe in probes(feeds, shapes, limits or {})]


def test_rows_and_lengths_of_texts() -> None:
    feeds = {"ids": _TOKENS, "mask": np.ones_like(_TOKENS)}
    shapes = {name: ["batch", "sequence"] for name in feeds}
    found = probes(feeds, shapes, dict.fromkeys(feeds, 40))
    assert [probe.words for probe in found] == [
        "2 rows",
        "3 instead of 5 for 'sequence'",
        "40 instead of 5 for 'sequence'",
    ]
    assert [{value.shape for value in probe.feeds.values()} for probe in found] == [{(2, 5)}, {(1, 3)}, {(1, 40)}]
    # Two rows that are the same would not show that one is given the other's answer.
    assert found[0].feeds["ids"].tolist() == [[0, 1, 2, 3, 4], [4, 0, 1, 2, 3]]
    assert all(probe.feeds["ids"].dtype == np.int64 for probe in found)


def test_a_long_text_is_no_longer_than_need_be() -> None:
    assert sizes({"ids": _TOKENS}, {"ids": [1, "sequence"]}, {"ids": 8192})[-1] == {"ids": (1, 512)}


@pytest.mark.parametrize(
    ("shape", "declared", "expected"),
    [
        ((1, 3, 224, 224), [1, 3, 224, 224], []),
        ((1, 3, 224, 224), ["batch", 3, 224, 224], [(2, 3, 224, 224)]),
        ((2, 8), ["s0", 8], [(3, 8)]),
        # Free sizes of pictures stay multiples of 32.
        ((1, 3, 96, 64), [1, 3, "h", "w"], [(1, 3, 64, 32), (1, 3, 224, 160)]),
        ((16000,), ["samples"], [(10656,), (32032,)]),
        ((1, 7), [1, None], [(1, 4), (1, 15)]),
        # What another size is made of cannot be changed alone.
        ((1, 7), [1, "2*s0 + 1"], []),
        # Larger ones cost more than a sample.
        ((1, 3, 640, 960), [1, 3, "h", "w"], [(1, 3, 416, 640)]),
        ((1, 480000), [1, "samples"], [(1, 320000)]),
        ((), [], []),
        ((1, 0), ["batch", 0], [(2, 0)]),
    ],
)
def test_axes_that_are_free_are_tried(shape: Any, declared: Any, expected: Any) -> None:
    feeds = {"x": np.ones(shape, np.float32)}
    assert [one["x"] for one in sizes(feeds, {"x": declared})] == expected


def test_an_axis_of_two_inputs_changes_in_both() -> None:
    feeds = {"x": np.ones((1, 4, 6)), "mask": np.ones((1, 6)), "scale": np.ones((1, 1))}
    shapes = {"x": ["n", 4, "t"], "mask": ["n", "t"], "scale": ["n", 1]}
    assert sizes(feeds, shapes)[0] == {"x": (2, 4, 6), "mask": (2, 6), "scale": (2, 1)}
    assert sizes(feeds, shapes)[1] == {"x": (1, 4, 4), "mask": (1, 4), "scale": (1, 1)}


class Perceptron:
    """A source that answers as its package does, but for what a test changes."""

    name = "perceptron"

    def __init__(self, model: Any, changed: Callable[[Any, Any], Any]) -> None:
        self._model = model
        self._changed = changed

    def reference(self, samples: list[Any]) -> list[Any]:
        return [self._model.run(sample)["outputs"] for sample in samples]

    def inference(self) -> Inference:
        return Inference(lambda feeds: self._changed(feeds, dict(self._model.run(feeds)["outputs"])), {})

    def changed_by(self, sample: Any) -> tuple[str, ...]:
        raise NotImplementedError


def compared(package: Path, changed: Callable[[Any, Any], Any]) -> Compared:
    sample = {"pixels": np.linspace(-1, 1, 8, dtype=np.float32)[None]}
    with load(package) as model:
        source: Any = Perceptron(model, changed)
        return compare_with_source(source, package, [sample], "samples", {})


def only_two_rows(feeds: Any, outputs: Any) -> Any:
    if len(feeds["pixels"]) > 1:
        raise RuntimeError("the size of tensor a (2) must match the size of tensor b (1)")
    return outputs


def test_sizes_that_the_source_does_not_take_are_not_compared(built_arrays: Path) -> None:
    assert compared(built_arrays, lambda _, outputs: outputs).notes == ()
    assert compared(built_arrays, only_two_rows).notes == ()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        # A mean over rows, a size that stayed that of the example, and a row that has no answer.
        (lambda _, made: {"0": made["scores"] + made["scores"].mean(0)}, "with 2 rows: 'scores' differs by"),
        (lambda _, made: {"0": made["scores"][:1]}, "with 2 rows: 'scores' is (2, 4), the source's (1, 4)"),
        (lambda _, made: {"0": made["scores"] * [[1], [np.nan]]}, "with 2 rows: 'scores' at [1, 0] is"),
        (
            lambda _, made: {**made, "more": made["scores"]},
            "with 2 rows: the graph has 1 outputs, but the source has 2",
        ),
    ],
)
def test_what_answers_otherwise_in_other_sizes_is_refused(built_arrays: Path, changed: Any, says: str) -> None:
    with pytest.raises(CheckFailedError) as caught:
        compared(built_arrays, changed)
    assert says in caught.value.message
    assert "a size of its example input as a constant" in (caught.value.hint or "")
