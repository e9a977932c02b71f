"""Golden feeds: counts must be the same, and other numbers nearly so, because processors add up in their own order."""

from typing import Any

import numpy as np
import pytest

from edgewright_runtime.manifest import PipelineSpec
from edgewright_runtime.selftest import GoldenSample, check_feeds, feed_tolerance
from edgewright_targets import CheckFailedError


def checked(made: np.ndarray[Any, Any], stored: np.ndarray[Any, Any]) -> None:
    check_feeds({"input": made}, GoldenSample(None, {"input": stored}, {}), 1, 0)


def test_decoders_of_video_round_by_levels() -> None:
    stored = np.linspace(0, 1, 256, dtype=np.float32)[None]
    video, texts = (feed_tolerance(PipelineSpec(given, "labels", ())) for given in ("video", "text"))
    golden = GoldenSample(None, {"input": stored}, {})
    check_feeds({"input": stored + np.float32(2 / 255)}, golden, 1, 0, video)
    for allowed, levels in ((texts, 2), (video, 20)):
        with pytest.raises(CheckFailedError, match="Golden sample 0"):
            check_feeds({"input": stored + np.float32(levels / 255)}, golden, 1, 0, allowed)


def test_the_last_digits_of_a_spectrum_may_differ() -> None:
    stored = np.linspace(-3, 3, 100, dtype=np.float32)[None]
    checked(stored, stored)
    checked(stored + np.float32(2e-4), stored)
    checked(np.zeros((1, 0), np.float32), np.zeros((1, 0), np.float32))


@pytest.mark.parametrize(
    ("made", "stored"),
    [
        (np.full((1, 4), 1.001, np.float32), np.full((1, 4), 1.0, np.float32)),
        (np.full((1, 4), np.nan, np.float32), np.full((1, 4), 1.0, np.float32)),
        (np.full((1, 4), 1.0, np.float32), np.full((1, 5), 1.0, np.float32)),
        (np.array([[1, 2, 3]]), np.array([[1, 2, 4]])),
    ],
)
def test_what_is_more_than_rounding_is_refused(made: Any, stored: Any) -> None:
    with pytest.raises(CheckFailedError, match="Golden sample 0"):
        checked(made, stored)
