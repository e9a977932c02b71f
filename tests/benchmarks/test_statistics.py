"""Intervals of latencies, scores and metrics: what they cancel, what they hold, what they refuse."""

import math

import numpy as np
import pytest
from scipy import stats

from edgewright_benchmarks.accuracy.classification import macro_f1, macro_f1_of_counts
from edgewright_benchmarks.statistics.intervals import (
    latency_ratio,
    mean_drop,
    metric_interval,
    wilson,
)
from edgewright_benchmarks.statistics.log_means import log_mean, log_ratio
from edgewright_targets import InputError


class TestLatencyRatio:
    def test_drift_of_the_machine_cancels(self) -> None:
        baseline = [[1.0 * slow, 1.1 * slow, 1.2 * slow] for slow in (1, 2, 4, 8, 4, 2, 1)]
        ratio = latency_ratio([[second / 2 for second in seconds] for seconds in baseline], baseline)
        assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))

    def test_interval_holds_the_truth_about_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(1)
        held = 0
        for _ in range(200):
            slow = np.exp(np.cumsum(rng.normal(0, 0.05, 20)))
            baseline = [rng.gamma(50, 1 / 50, 20) * s for s in slow]
            candidate = [rng.gamma(50, 0.8 / 50, 20) * s for s in slow]
            ratio = latency_ratio(candidate, baseline, resamples=400)
            held += ratio.low <= 0.8 <= ratio.high
        assert 0.90 <= held / 200 <= 0.99

    def test_same_seed_same_interval(self) -> None:
        rounds = np.random.default_rng(0).gamma(50, 1 / 50, (2, 10, 5))
        assert latency_ratio(rounds[0].tolist(), rounds[1].tolist()) == latency_ratio(
            rounds[0].tolist(), rounds[1].tolist()
        )

    def test_few_rounds_give_their_range(self) -> None:
        ratio = latency_ratio([[1.0], [1.1], [1.3]], [[1.0]] * 3)
        assert (ratio.value, ratio.low, ratio.high) == (1.1, 1.0, 1.3)

    @pytest.mark.parametrize(
        ("candidate", "baseline"),
        [
            ([], []),
            ([[1.0]], [[1.0]]),
            ([[1.0]] * 3, [[1.0]] * 2),
            ([[1.0], []], [[1.0]] * 2),
            ([[0.0]] * 2, [[1.0]] * 2),
        ],
    )
    def test_refuses(self, candidate: list[list[float]], baseline: list[list[float]]) -> None:
        with pytest.raises(InputError):
            latency_ratio(candidate, baseline)


class TestMeanDrop:
    def test_is_the_t_interval_where_there_is_spread(self) -> None:
        losses = np.random.default_rng(0).uniform(0, 0.5, 1000)
        drop = mean_drop(np.ones(1000), 1 - losses)
        t = stats.ttest_1samp(losses, 0).confidence_interval(0.90)
        assert (drop.value, drop.low, drop.high) == pytest.approx((losses.mean(), t.low, t.high))

    def test_equal_differences_keep_a_width(self) -> None:
        drop = mean_drop(np.ones(100), np.ones(100))
        assert drop.value == 0
        assert drop.high == pytest.approx(wilson(0, 100, confidence=0.90).high)

    def test_equal_is_not_judged_more_harshly_than_nearly_equal(self) -> None:
        nearly = mean_drop(np.ones(100), 1 - np.random.default_rng(0).uniform(0, 1e-7, 100))
        assert mean_drop(np.ones(100), np.ones(100)).high <= nearly.high

    def test_one_sample_says_nothing(self) -> None:
        drop = mean_drop([1.0], [0.9])
        assert (drop.low, drop.high) == (-1, 1)

    @pytest.mark.parametrize(("baseline", "candidate"), [([], []), ([1.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, math.nan])])
    def test_refuses(self, baseline: list[float], candidate: list[float]) -> None:
        with pytest.raises(InputError):
            mean_drop(baseline, candidate)


class TestMetricInterval:
    @pytest.fixture
    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        truth = rng.integers(0, 42, 2000)
        return truth, np.where(rng.random(2000) < 0.9, truth, rng.integers(0, 42, 2000))

    def test_resamples_of_2000_samples_of_42_classes_are_scored_at_once(
        self, labels: tuple[np.ndarray, np.ndarray]
    ) -> None:
        scored: list[int] = []

        def one(truth: np.ndarray, prediction: np.ndarray) -> float:
            scored.append(1)
            return macro_f1(truth, prediction)

        def many(counts: np.ndarray, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
            scored.append(len(counts))
            return macro_f1_of_counts(counts, truth, prediction)

        interval = metric_interval(one, *labels, of_counts=many)
        # Each by itself would take seconds.
        assert scored == [1, 1000]
        assert interval.value == macro_f1(*labels)
        assert interval.low < interval.value < interval.high

    def test_counts_give_what_the_metric_gives(self, labels: tuple[np.ndarray, np.ndarray]) -> None:
        truth, predicted = labels[0][:200], labels[1][:200]
        cells, counts = np.unique(np.stack([truth, predicted], axis=1), axis=0, return_counts=True)
        thinned = np.stack([counts, counts * (cells[:, 0] % 3 > 0)])
        expected = [macro_f1(*np.repeat(cells, row, axis=0).T) for row in thinned]
        assert macro_f1_of_counts(thinned, cells[:, 0], cells[:, 1]) == pytest.approx(expected)

    def test_both_ways_agree(self, labels: tuple[np.ndarray, np.ndarray]) -> None:
        slow = metric_interval(macro_f1, *labels, resamples=200)
        fast = metric_interval(macro_f1, *labels, of_counts=macro_f1_of_counts, resamples=200)
        assert (fast.low, fast.high) == pytest.approx((slow.low, slow.high), abs=0.005)


def test_means_of_logarithms_have_the_intervals_of_scipy() -> None:
    random = np.random.default_rng(7)
    base, new = (np.exp(random.normal(0, spread, count)) for spread, count in ((0.1, 5), (0.3, 9)))
    found = log_mean(base.tolist(), confidence=0.9)
    logs = np.log(base)
    expected = stats.t.interval(0.9, logs.size - 1, loc=logs.mean(), scale=stats.sem(logs))
    assert [math.log(end) for end in (found.low, found.high)] == pytest.approx(list(expected))
    assert found.value == pytest.approx(stats.gmean(base))
    assert found.confidence == 0.9
    ratio = log_ratio(base.tolist(), new.tolist(), confidence=0.9)
    welch = stats.ttest_ind(np.log(new), logs, equal_var=False).confidence_interval(0.9)
    assert [math.log(end) for end in (ratio.low, ratio.high)] == pytest.approx(list(welch))
    alone, equal = log_mean([0.02]), log_ratio([0.02, 0.02], [0.03, 0.03])
    assert alone.low == alone.value == alone.high == pytest.approx(0.02)
    assert equal.low == equal.high == pytest.approx(1.5)
