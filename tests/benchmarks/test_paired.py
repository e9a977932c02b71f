"""Score intervals against published figures, another derivation, and what they promise (coverage)."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from edgewright_benchmarks.statistics.intervals import (
    confidence_of_drop,
    largest_confidence,
    least_bound,
    least_samples,
    mean_drop,
    paired_accuracy_drop,
    samples_needed,
    wilson,
)
from edgewright_benchmarks.statistics.paired import _upper_bound, one_sided_z
from edgewright_targets import InputError


def pairs(lost: int, gained: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers of a baseline and a candidate that differ in so many samples; half of the others are right."""
    baseline = np.arange(samples) % 2 == 0
    baseline[: lost + gained] = np.arange(lost + gained) < lost
    candidate = baseline.copy()
    candidate[: lost + gained] ^= True
    return baseline, candidate


class TestPairedAccuracyDrop:
    @pytest.mark.parametrize(
        ("lost", "gained", "samples", "two_sided", "low", "high"),
        [
            # Bentur et al. 2009 and Cavo et al. 2012, as worked out in Fagerland, Lydersen and Laake, Statistical
            # Analysis of Contingency Tables, chapter 8, and in the R package contingencytables.
            (1, 7, 21, 0.95, -0.517, -0.026),
            (6, 16, 161, 0.95, -0.1240, -0.0054),
            # R: PropCIs::scoreci.mp(25, 28, 618, 0.90), whose difference is the second count less the first.
            (28, 25, 618, 0.90, -0.0148, 0.0247),
        ],
    )
    def test_published_intervals(
        self, lost: int, gained: int, samples: int, two_sided: float, low: float, high: float
    ) -> None:
        drop = paired_accuracy_drop(*pairs(lost, gained, samples), confidence=(1 + two_sided) / 2)
        digits = 3 if samples == 21 else 4
        assert (round(drop.low, digits), round(drop.high, digits)) == (low, high)
        assert drop.value == pytest.approx((lost - gained) / samples)

    @pytest.mark.parametrize(("lost", "gained", "samples"), [(3, 1, 900), (1, 9, 80), (14, 9, 600), (0, 0, 300)])
    @pytest.mark.parametrize("budget", [0.01, 0.03])
    def test_the_confidence_of_a_budget_is_where_the_bound_meets_it(
        self, lost: int, gained: int, samples: int, budget: float
    ) -> None:
        answers = pairs(lost, gained, samples)
        surest = confidence_of_drop(lost, gained, samples, budget)
        if surest > 0.5:
            assert paired_accuracy_drop(*answers, confidence=surest).high == pytest.approx(budget)
        found = largest_confidence(lambda sure: paired_accuracy_drop(*answers, confidence=sure).high, budget)
        assert found == pytest.approx(max(surest, 0.5) if found else 0.0, abs=1e-6)

    def test_nothing_is_surer_than_chance_where_nothing_differs_and_nothing_may_be_lost(self) -> None:
        assert confidence_of_drop(0, 0, 100, 0.0) == 0.5
        assert largest_confidence(lambda _: 0.02, 0.01) == 0.0

    @pytest.mark.parametrize(
        ("lost", "gained", "samples"), [(3, 1, 50), (1, 9, 80), (40, 20, 160), (2, 0, 30), (0, 4, 25)]
    )
    def test_other_derivation(self, lost: int, gained: int, samples: int) -> None:
        """The restricted likelihood is maximised numerically instead of by its closed form."""

        def statistic(d: float) -> float:
            def minus_log_likelihood(q: float) -> float:
                cells = ((lost, q + d), (gained, q), (samples - lost - gained, 1 - 2 * q - d))
                return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

            bounds = (max(0.0, -d), (1 - d) / 2)
            q = float(
                optimize.minimize_scalar(
                    minus_log_likelihood, bounds=bounds, method="bounded", options={"xatol": 1e-12}
                ).x
            )
            return (lost - gained - samples * d) / math.sqrt(samples * (2 * q + d * (1 - d)))

        drop = paired_accuracy_drop(*pairs(lost, gained, samples))
        z = one_sided_z(0.95)
        assert drop.high == pytest.approx(
            optimize.brentq(lambda d: statistic(d) + z, drop.value + 1e-6, 0.999), abs=1e-5
        )
        assert drop.low == pytest.approx(
            optimize.brentq(lambda d: statistic(d) - z, -0.999, drop.value - 1e-6), abs=1e-5
        )

    @pytest.mark.parametrize(
        ("lost", "gained"), [(0.01, 0.0), (0.05, 0.02), (0.05, 0.05), (0.1, 0.05), (0.3, 0.3), (0.5, 0.1), (0.02, 0.1)]
    )
    def test_upper_bound_holds_as_often_as_it_says(self, lost: float, gained: float) -> None:
        """Exact: every outcome of 40 samples, weighed by its probability; at worst it misses by half a point."""
        samples = 40
        outcomes = [(b, c, samples - b - c) for b in range(samples + 1) for c in range(samples + 1 - b)]
        bounds = np.array([_upper_bound(b, c, samples, one_sided_z(0.95)) for b, c, _ in outcomes])
        weights = stats.multinomial.pmf(outcomes, samples, [lost, gained, 1 - lost - gained])
        assert weights[bounds >= lost - gained].sum() > 0.945

    @pytest.mark.parametrize("wrong", [0, 1, 7, 200])
    def test_a_baseline_that_is_always_right_gives_wilsons_bound(self, wrong: int) -> None:
        baseline = np.ones(200, dtype=bool)
        drop = paired_accuracy_drop(baseline, np.arange(200) >= wrong)
        bound = stats.binomtest(wrong, 200, alternative="less").proportion_ci(method="wilson").high
        assert drop.value == wrong / 200
        assert drop.high == pytest.approx(bound, abs=1e-9)

    @pytest.mark.parametrize(("right", "samples"), [(0, 1), (1, 1), (0, 200), (3, 7), (199, 200), (200, 200)])
    @pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
    def test_wilsons_bounds_are_those_of_scipy(self, right: int, samples: int, confidence: float) -> None:
        bounds = stats.binomtest(right, samples).proportion_ci(confidence_level=confidence, method="wilson")
        found = wilson(right, samples, confidence=confidence)
        assert (found.value, found.confidence) == (right / samples, confidence)
        assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high), abs=1e-12)

    def test_no_disagreement_is_no_certainty(self) -> None:
        drop = paired_accuracy_drop(*pairs(0, 0, 100))
        assert drop.value == 0
        assert drop.high == pytest.approx(-drop.low)
        assert drop.high == pytest.approx(1.6448536**2 / (100 + 1.6448536**2))

    def test_exchanging_the_two_mirrors_the_interval(self) -> None:
        baseline, candidate = pairs(9, 4, 120)
        there, back = paired_accuracy_drop(baseline, candidate), paired_accuracy_drop(candidate, baseline)
        assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))

    def test_extremes(self) -> None:
        drop = paired_accuracy_drop(np.ones(5, dtype=bool), np.zeros(5, dtype=bool))
        assert (drop.value, drop.high) == (1, 1)
        assert 0 < drop.low < 1
        assert paired_accuracy_drop(np.array([True]), np.array([True])).high > 0.5

    def test_large_numbers_stay_exact(self) -> None:
        drop = paired_accuracy_drop(*pairs(1000, 1000, 10**6))
        assert drop.high == pytest.approx(1.6448536 * math.sqrt(2000) / 10**6, rel=1e-3)

    @pytest.mark.parametrize(
        ("baseline", "candidate"), [([], []), ([True], [True, False]), ([1, 0], [1, 0]), ([[True]], [[True]])]
    )
    def test_refuses(self, baseline: list[bool], candidate: list[bool]) -> None:
        with pytest.raises(InputError):
            paired_accuracy_drop(baseline, candidate)

    def test_refuses_a_confidence_that_makes_no_interval(self) -> None:
        with pytest.raises(InputError, match="confidence is 95"):
            paired_accuracy_drop([True], [True], confidence=95)


class TestSamplesNeeded:
    @pytest.mark.parametrize(
        ("lost", "gained", "samples", "budget"), [(9, 0, 400, 0.03), (5, 1, 400, 0.012), (0, 0, 100, 0.01)]
    )
    def test_that_many_decide_and_one_fewer_does_not(self, lost: int, gained: int, samples: int, budget: float) -> None:
        needed = samples_needed((lost, gained), samples, budget)
        assert needed is not None
        z = one_sided_z(0.95)
        bounds = [_upper_bound(lost * n / samples, gained * n / samples, n, z) for n in (needed - 1, needed)]
        assert bounds[0] > budget >= bounds[1]

    def test_nothing_lost_in_few_samples(self) -> None:
        assert samples_needed((0, 0), 100, 0.01) == math.ceil(one_sided_z(0.95) ** 2 * 99)

    @pytest.mark.parametrize(
        ("lost", "samples", "budget"),
        [(0, 400, 0.01), (8, 400, 0.01), (4, 400, 0.01), (4, 400, 0.01 + 1e-12)],
        ids=["decided", "above the budget", "exactly the budget", "out of reach"],
    )
    def test_more_are_no_help(self, lost: int, samples: int, budget: float) -> None:
        assert samples_needed((lost, 0), samples, budget) is None

    @pytest.mark.parametrize("budget", [0.16, 0.3], ids=["for want of precision", "for want of samples"])
    def test_scores_with_spread(self, budget: float) -> None:
        losses = np.random.default_rng(0).uniform(0, 0.3, 12)
        needed = samples_needed(losses, 12, budget)
        assert needed is not None
        more = np.resize(losses, needed)
        assert mean_drop(np.ones(needed), 1 - more).high == pytest.approx(budget, rel=0.05)

    def test_scores_without_spread(self) -> None:
        needed = samples_needed(np.zeros(50), 50, 0.01)
        assert needed == math.ceil(one_sided_z(0.95) ** 2 * 99)
        assert mean_drop(np.ones(needed), np.ones(needed)).high <= 0.01


def test_wilson_has_a_width_at_the_ends() -> None:
    assert wilson(0, 20).high > 0.1
    assert wilson(20, 20).low < 0.9
    # Newcombe, Statistics in Medicine 17 (1998), 857-872, table I: 81 of 263.
    share = wilson(81, 263)
    assert (share.low, share.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    with pytest.raises(InputError):
        wilson(0, 0)


class TestLeast:
    @pytest.mark.parametrize("samples", [2, 16, 268, 10_000])
    def test_a_bound_that_nothing_goes_below(self, samples: int) -> None:
        same = np.ones(samples, bool)
        assert least_bound(samples) == pytest.approx(paired_accuracy_drop(same, same).high)
        assert least_bound(samples) == pytest.approx(mean_drop(np.ones(samples), np.ones(samples)).high)
        one_wrong = np.arange(samples) > 0
        assert paired_accuracy_drop(same, one_wrong).high > least_bound(samples)

    def test_sixteen_samples(self) -> None:
        assert 100 * least_bound(16) == pytest.approx(14.46, abs=0.005)

    @pytest.mark.parametrize("budget", [0.001, 0.01, 0.02, 0.5])
    def test_the_fewest_samples(self, budget: float) -> None:
        fewest = least_samples(budget)
        assert least_bound(fewest) <= budget < least_bound(fewest - 1)
