"""Feeds against those of the build: padding and cutting are an engine's own, everything else is a difference."""

import numpy as np
import pytest

from edgewright_runtime.selftest import GoldenSample, check_feeds
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
    with pytest.raises(CheckFailedError, match=r"sample 0: the steps before the graph do not make 'ids'") as refused:
        check_feeds({"mask": np.array([STORED])}, golden, 1, 0)
    assert refused.value.hint == "They make: mask."
