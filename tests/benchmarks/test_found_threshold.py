"""The threshold of a cascade: the one that asks least often among those that are shown to keep the budget."""

from collections.abc import Sequence

import pytest

from edgewright_benchmarks.applications.found_threshold import BothWays, Cascade, find_threshold
from edgewright_runtime.applications.conditions import read_condition


def cascade(declared: str = "quick.score < found", *, max_drop: float = 0.02) -> Cascade:
    return Cascade(
        step="thorough",
        declared=declared,
        condition=read_condition(declared),
        value="label",
        metric="accuracy",
        max_drop=max_drop,
        confidence=0.95,
    )


def judged(scores: Sequence[float | None], *, wrong_below: float, flip: float = 1.0) -> list[BothWays]:
    """Samples on which the larger model is right, and the small one wrong below a score."""
    return [
        BothWays(
            None if score is None else flip * score,
            "a",
            "b" if score is not None and score < wrong_below else "a",
            0.010,
            0.001,
        )
        for score in scores
    ]


def test_the_least_asking_threshold_within_the_budget_is_found() -> None:
    scores = [index / 1000 for index in range(1000)]
    found = find_threshold(cascade(), judged(scores, wrong_below=0.3), ["a"] * 1000)
    # One sample in fifty may be lost; with its bound fewer: what is asked is a little less than what the small one
    # has wrong, in steps of a twentieth.
    assert found.asked == 300
    assert found.when == "quick.score < 0.3"
    assert [one.kept for one in found.tried] == [True] * 14 + [False]
    assert [one.asked for one in found.tried] == sorted((one.asked for one in found.tried), reverse=True)
    assert found.tried[-1].asked == 250
    assert found.mean_seconds == pytest.approx(0.3 * 0.010 + 0.7 * 0.001)
    assert found.always_mean_seconds == pytest.approx(0.010)
    assert found.p95_seconds == pytest.approx(0.010)
    assert "for 300 of 1,000 samples" in found.reason
    assert "2 are allowed" in found.reason


def test_a_condition_of_the_other_direction_is_its_mirror() -> None:
    scores = [index / 1000 for index in range(1000)]
    samples = judged(scores, wrong_below=0.3, flip=-1.0)
    found = find_threshold(cascade("quick.doubt > found"), samples, ["a"] * 1000)
    assert found.when == "quick.doubt > -0.3"
    assert found.asked == 300
    condition = read_condition(found.when)
    assert sum(condition.holds(one.score) for one in samples) == 300


@pytest.mark.parametrize("declared", ["quick.score <= found", "quick.score < found"])
def test_what_is_written_asks_the_samples_that_were_counted(declared: str) -> None:
    # Scores that many samples share, and samples without one, for which the step never runs.
    scores: list[float | None] = [*[0.25] * 200, *[1 / 3] * 200, *[0.9] * 300, *[None] * 20]
    samples = judged(scores, wrong_below=0.3)
    found = find_threshold(cascade(declared), samples, ["a"] * len(samples))
    condition = read_condition(found.when)
    assert sum(condition.holds(one.score) for one in samples) == found.asked == 200


def test_where_the_small_model_is_wrong_where_it_is_sure_the_step_always_runs() -> None:
    scores = [index / 1000 for index in range(1000)]
    samples = [BothWays(score, "a", "b" if score > 0.9 else "a", 0.01, 0.001) for score in scores]
    found = find_threshold(cascade(), samples, ["a"] * 1000)
    assert found.when == ""
    assert found.asked == 1000
    # The sequence ends at the first that does not keep the budget: those behind it would keep it by luck alone.
    assert [one.kept for one in found.tried] == [False]
    assert "No threshold is shown to keep the budget of 2 percentage points" in found.reason
    assert found.mean_seconds == found.always_mean_seconds


def test_too_few_samples_are_said() -> None:
    found = find_threshold(cascade(max_drop=0.01), judged([0.1, 0.5, 0.9] * 10, wrong_below=0), ["a"] * 30)
    assert found.when == ""
    assert "30 samples are too few to show it; it takes at least 268." in found.reason


def test_samples_that_the_small_model_alone_has_right_count_for_it() -> None:
    scores = [index / 1000 for index in range(1000)]
    samples = [
        BothWays(score, "b" if index % 10 == 0 else "a", "b" if index % 10 == 1 else "a", 0.01, 0.001)
        for index, score in enumerate(scores)
    ]
    found = find_threshold(cascade(max_drop=0.05), samples, ["a"] * 1000)
    assert found.asked == 0
    assert found.tried[-1].drop.value == pytest.approx(0.0)
