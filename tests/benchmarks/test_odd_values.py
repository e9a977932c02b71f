"""NaN and infinities of one side alone are named with output, sample and place."""

from __future__ import annotations

import numpy as np
import pytest

from edgewright_benchmarks.judging.odd_values import odd_values
from edgewright_benchmarks.predictions import Prediction


def answers(*rows: list[float]) -> list[Prediction]:
    kinds = ({"label": np.array(["a"]), "n": np.array([1]), "y": np.array([row], np.float32)} for row in rows)
    return [Prediction(outputs) for outputs in kinds]


@pytest.mark.parametrize(
    ("ours", "float_one", "says"),
    [
        ([1, np.nan], [1, 2], "'y' at [0, 1] is nan and should be 2"),
        ([1, 2], [1, -np.inf], "'y' at [0, 1] is 2 and should be -inf"),
        ([np.inf, 2], [-np.inf, 2], "'y' at [0, 0] is inf and should be -inf"),
    ],
)
def test_the_first_place_is_named(ours: list[float], float_one: list[float], says: str) -> None:
    baseline = answers([0, 0], float_one, float_one)
    (warning,) = odd_values(answers([0, 0], ours, ours), baseline)
    assert warning.startswith("In 2 of 3 samples NaN or infinities are at other places than in float")
    assert warning.endswith(f"in sample 1, {says}.")


def test_what_both_have_and_other_shapes_are_nothing_to_say() -> None:
    both = answers([np.nan, -np.inf], [1, 2])
    assert odd_values(both, both) == odd_values(both, answers([np.nan, -np.inf], [3, 4])) == ()
    assert odd_values(answers([1, np.nan, 3]), answers([1, 2])) == ()
