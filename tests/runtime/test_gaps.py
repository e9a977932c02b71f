"""Differences of arrays: infinities and NaN that both sides have are none, and texts are the same or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgewright_runtime.gaps import beside_limit, largest_gap, odd_place

_NAN, _INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "expected", "gap"),
    [
        ([1.0, -_INF], [1.0, -_INF], 0.0),
        ([1.5, _INF], [1.0, _INF], 0.5),
        ([_NAN, 2.0], [_NAN, 1.0], 1.0),
        ([_NAN, _INF, -_INF], [_NAN, _INF, -_INF], 0.0),
        ([_INF], [-_INF], _INF),
        ([_INF], [_NAN], _INF),
        ([1.0], [_NAN], _INF),
        ([_INF], [1.0], _INF),
        ([], [], 0.0),
        ([1.0], [1.0, 2.0], _INF),
        ([True], [False], 1.0),
        ([3], [5], 2.0),
        (["a", "b"], ["a", "b"], 0.0),
        (["a", "b"], ["a", "c"], _INF),
        (["1"], [1.0], _INF),
    ],
)
def test_the_largest_difference(value: list[Any], expected: list[Any], gap: float) -> None:
    one, other = np.array(value), np.array(expected)
    assert largest_gap(one, other) == gap
    if one.dtype.kind == "U":
        assert largest_gap(one.astype(object), other.astype(object)) == gap


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_each_type_of_float(kind: Any) -> None:
    assert largest_gap(np.array([2, _INF], kind), np.array([1, _INF], kind)) == 1
    # The largest float16 values differ by more than float16 holds.
    assert largest_gap(np.array([-60000], kind), np.array([60000], kind)) == pytest.approx(120000, rel=1e-3)


def test_where_only_one_side_has_it() -> None:
    found = np.array([[0.5, 1.0], [_NAN, 2.0]])
    assert odd_place(found, np.array([[0.5, 1.0], [0.25, _NAN]])) == "[1, 0] is nan and should be 0.25"
    assert odd_place(np.array([1.0]), np.array([-_INF])) == "[0] is 1 and should be -inf"
    assert odd_place(np.array(["a"]), np.array(["b"])) == "[0] is 'a' and should be 'b'"
    assert odd_place(np.array(_NAN), np.array(0.5)) == "[] is nan and should be 0.5"
    assert odd_place(found, found) == ""


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        (0.12341, 0.1234, ("0.12341", "0.1234")),
        (0.5, 2.0, ("0.5", "2")),
        (1.0, 1.0, ("1", "1")),
        (float("inf"), 1e-4, ("inf", "0.0001")),
        (1.0000000000000002, 1.0, ("1.0000000000000002", "1")),
    ],
)
def test_a_value_and_the_limit_that_it_missed_do_not_look_alike(
    value: float, limit: float, shown: tuple[str, str]
) -> None:
    assert beside_limit(value, limit) == shown
