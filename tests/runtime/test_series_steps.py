"""Series in every form to one array, scaled and back; what is no series is refused in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgewright_runtime import SampleError
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.table.series import GiveForecast, ReadSeries

VALUES = np.arange(10.0).reshape(5, 2)


def read(**options: Any) -> ReadSeries:
    own: dict[str, Any] = {"output": "x", "context": 3, "count": 2}
    return ReadSeries(**own | options)


@pytest.mark.parametrize(
    "series",
    [
        VALUES,
        VALUES.astype(np.int16),
        VALUES.tolist(),
        {"other": ["a"] * 5, "b": VALUES[:, 1], "a": VALUES[:, 0].tolist()},
        {"a": [str(value) for value in VALUES[:, 0]], "b": tuple(VALUES[:, 1])},
    ],
    ids=["array", "whole", "lists", "columns", "texts"],
)
def test_the_last_values_in_the_order_of_the_columns(series: Any) -> None:
    found = read(columns=("a", "b"))({"series": series})["x"]
    assert found.dtype == np.float32
    assert np.array_equal(found, VALUES[None, 2:])


def test_one_column_needs_no_axis() -> None:
    for series in (VALUES[:, 0], VALUES[:, :1], VALUES[:, 0].tolist(), {"any": VALUES[:, 0]}):
        assert np.array_equal(read(count=1)({"series": series})["x"], VALUES[None, 2:, :1])
    assert np.array_equal(read(count=1, flat=True)({"series": VALUES[:, 0]})["x"], VALUES[None, 2:, 0])


def test_what_is_scaled_comes_back() -> None:
    scale = {"mean": (1.0, 100.0), "std": (2.0, 0.5)}
    found = read(**scale)({"series": VALUES})["x"]
    assert np.allclose(found, (VALUES[None, 2:] - [1, 100]) / [2, 0.5])
    give = GiveForecast(output="y", horizon=3, columns=("a", "b"), **scale)
    assert give({"y": found})["forecast"] == {"a": [4.0, 6.0, 8.0], "b": [5.0, 7.0, 9.0]}
    flat = GiveForecast(output="y", horizon=3, columns=("a",))
    assert flat({"y": found[..., 0]})["forecast"] == flat({"y": found[..., :1]})["forecast"]


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (VALUES[:2], "has 2 values; the model takes the last 3"),
        (np.zeros((5, 3)), r"\[values, 2\]; found \[5, 3\]"),
        ("a text", "takes a series of numbers"),
        (b"\x00\x01", "takes a series of numbers"),
        ([[1, 2], [3]], "takes a series of numbers"),
        (np.where(VALUES == 7, np.nan, VALUES), "the column 'b', 2 values before the end"),
        ({"a": [1, None, 2], "b": [1, 2, 3]}, "the column 'a', 2 values before the end"),
        ({"a": [1, 2, 3]}, "has no column 'b'; its columns are a"),
        ({"a": [1, 2, 3], "b": [1, 2]}, "different numbers of values"),
        ({"a": 1, "b": [1, 2]}, "is a list of numbers"),
    ],
)
def test_what_is_not_a_series(series: Any, says: str) -> None:
    with pytest.raises(SampleError, match=says):
        read(columns=("a", "b"))({"series": series})


def test_columns_that_nobody_named() -> None:
    with pytest.raises(SampleError, match=r"takes 2 columns; the series has 3: a, b, c"):
        read()({"series": {name: [1, 2, 3] for name in "abc"}})


@pytest.mark.parametrize("shape", [(1, 4, 2), (1, 3, 3), (2, 3, 2), (3, 2), (1, 3)])
def test_an_output_that_is_not_the_forecast(shape: tuple[int, ...]) -> None:
    with pytest.raises(SampleError, match=r"expected the next values, \[1, 3, 2\]"):
        GiveForecast(output="y", horizon=3, columns=("a", "b"))({"y": np.zeros(shape)})


@pytest.mark.parametrize(
    ("step", "options", "says"),
    [
        ("read_series", {"context": 0}, "context is 0"),
        ("read_series", {"season": 0}, "season is 0"),
        ("read_series", {"count": 2**31 - 1}, "it may be 0 to"),
        ("read_series", {"columns": ["a"]}, "1 names for 2 columns"),
        ("read_series", {"mean": [1.0]}, "mean has 1 numbers for 2 columns"),
        ("read_series", {"std": [1.0, 0.0]}, "std numbers above 0"),
        ("read_series", {"flat": True}, "has no axis of columns"),
        ("give_forecast", {"columns": []}, "columns is 0"),
        ("give_forecast", {"columns": ["a", "a"]}, "two columns have the same name"),
    ],
)
def test_forged_options(step: str, options: dict[str, object], says: str) -> None:
    own: dict[str, object] = (
        {"context": 3, "count": 2} if step == "read_series" else {"horizon": 3, "columns": ["a", "b"]}
    )
    with pytest.raises(ValueError, match=says):
        make_free_step(StepSpec(step, {"output": "x", **own, **options}))
