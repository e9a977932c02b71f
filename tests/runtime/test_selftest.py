"""Feeds against those of the build: padding and cutting are an engine's own, everything else is a difference."""

import numpy as np
import pytest

from edgewright_runtime.likeness import Likeness
from edgewright_runtime.selftest import GoldenSample, check_feeds, check_places
from edgewright_targets import CheckFailedError

STORED = [2, 7, 8, 9, 3]


@pytest.mark.parametrize(
    ("made", "multiple", "same"),
    [
        ([2, 7, 8, 9, 3], 1, True),
        ([2, 7, 8, 9, 3, 0, 0, 0], 8, True),
        ([0, 0, 0, 2, 7, 8, 9, 3], 8, True),
        # An engine of one length cuts, and ends with the mark of the end.
        ([2, 7, 8, 3], 4, True),
        ([2, 7, 8, 9, 3, 0, 0, 0], 1, False),
        ([2, 7, 8, 9, 4, 0, 0, 0], 8, False),
        ([2, 7, 9, 3], 4, False),
        ([2, 7, 8, 3], 1, False),
    ],
)
def test_padding_and_cutting_are_the_engines_own(made: list[int], multiple: int, same: bool) -> None:
    golden = GoldenSample("text", {"ids": np.array([STORED])}, {})
    feeds = {"ids": np.array([made])}
    if same:
        check_feeds(feeds, golden, multiple, 0)
        return
    with pytest.raises(CheckFailedError, match="other values for 'ids'"):
        check_feeds(feeds, golden, multiple, 0)


def test_feeds_that_the_steps_do_not_make() -> None:
    golden = GoldenSample("text", {"ids": np.array([STORED])}, {})
    with pytest.raises(CheckFailedError, match=r"sample 0: the steps before the graph no longer give 'ids'") as refused:
        check_feeds({"mask": np.array([STORED])}, golden, 1, 0)
    assert refused.value.hint == "They give: mask."


@pytest.mark.parametrize(
    ("made", "same"),
    [
        ([0.5, -np.inf], True),
        ([0.5, np.inf], False),
        ([0.5, np.nan], False),
        ([0.5, 1.0], False),
        ([0.6, -np.inf], False),
    ],
)
def test_infinities_of_a_mask_are_the_same_or_not(made: list[float], same: bool) -> None:
    golden = GoldenSample("text", {"mask": np.array([0.5, -np.inf], np.float32)}, {})
    feeds = {"mask": np.array(made, np.float32)}
    if same:
        check_feeds(feeds, golden, 1, 0)
        return
    with pytest.raises(CheckFailedError, match="other values for 'mask'"):
        check_feeds(feeds, golden, 1, 0)


def test_where_an_answer_is_no_number_is_said() -> None:
    golden = GoldenSample("text", {}, {"y": np.array([[0.5, 0.25]])})
    with pytest.raises(
        CheckFailedError, match=r"'here-int8'.* golden sample 3: 'y' at \[0, 1\] is nan and should be 0.25"
    ):
        check_places("here-int8", Likeness(), {"y": np.array([[0.5, np.nan]])}, golden, 3)
