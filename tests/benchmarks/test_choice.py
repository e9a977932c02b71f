"""The rule, its edges, and the sentences people read."""

from dataclasses import replace

import pytest

from edgewright_benchmarks.engine_result import Accuracy, EngineResult, Interval, Latency
from edgewright_benchmarks.judging.choice import choose, judge
from edgewright_benchmarks.statistics import bounds
from edgewright_targets import InputError


def engine(
    name: str = "x86-64-cpu-int8",
    ratio: tuple[float, float, float] = (0.5, 0.45, 0.55),
    drop: tuple[float, float, float] = (0.002, -0.001, 0.006),
    samples: int = 1500,
    needed: int | None = None,
) -> EngineResult:
    latency = Latency(
        rounds=((0.001,),),
        median=0.001,
        p50=0.001,
        p90=0.001,
        p95=0.001,
        p99=0.001,
        throughput=1000.0,
        ratio=Interval(*ratio),
    )
    # As sure as three of them need to be, where the bound is within the usual budget.
    surest = 0.99 if drop[2] <= 0.01 else 0.5
    accuracy = Accuracy({"accuracy": Interval(0.9, 0.88, 0.92)}, Interval(*drop), samples, needed, surest)
    return EngineResult(
        name=name,
        target="x86-64",
        provider="CPUExecutionProvider",
        precision="int8",
        rung="measured",
        status="unjudged",
        latency=latency,
        accuracy=accuracy,
    )


BASELINE = replace(engine("float", (1, 1, 1), (0, 0, 0)), status="baseline")


def reasons(candidate: EngineResult, max_drop: float = 0.01) -> tuple[str, ...]:
    judged = judge(candidate, max_drop=max_drop, measure="accuracy")
    assert judged.status == ("refused" if judged.reasons else "accepted")
    return judged.reasons


class TestStarvedBaseline:
    """Readings of a run beside two programs that never pause, on two processors: the baseline waits for two threads."""

    @staticmethod
    def disturbed(busy: float, baseline_busy: float) -> EngineResult:
        candidate = engine(ratio=(0.10, 0.09, 0.11))
        assert candidate.latency is not None
        return replace(candidate, latency=replace(candidate.latency, busy=busy, baseline_busy=baseline_busy))

    def test_it_decides_no_win(self) -> None:
        (reason,) = reasons(self.disturbed(0.97, 0.098))
        assert "the baseline computed for 10% of its time, this engine for 97%" in reason
        judged = choose([BASELINE, self.disturbed(0.97, 0.098)], "float", max_drop=0.01, measure="accuracy")
        assert judged.chosen == "float"

    @pytest.mark.parametrize(
        ("busy", "baseline_busy"),
        # An idle machine; one that is busy for both; threads that spin beside some that sleep; an accelerator.
        [(1.0, 0.99), (0.45, 0.41), (1.0, 1.9), (1.9, 1.0), (0.05, 0.99), (0.05, 0.5)],
    )
    def test_waiting_alike_or_not_at_all_leaves_it_to_the_ratio(self, busy: float, baseline_busy: float) -> None:
        assert reasons(self.disturbed(busy, baseline_busy)) == ()

    def test_a_loss_needs_no_excuse(self) -> None:
        slow = engine(ratio=(1.2, 1.1, 1.3))
        assert slow.latency is not None
        slow = replace(slow, latency=replace(slow.latency, busy=0.9, baseline_busy=0.1))
        assert reasons(slow) == ("Refused: 1.20 times the baseline latency (95 % interval 1.10 to 1.30).",)


class TestJudge:
    def test_accepts_within_both_bounds(self) -> None:
        assert reasons(engine()) == ()

    def test_bounds_are_inclusive(self) -> None:
        assert reasons(engine(ratio=(0.9, 0.8, 1.0), drop=(0.0, 0.0, 0.01))) == ()

    def test_may_lose_too_much(self) -> None:
        assert reasons(engine(drop=(0.009, 0.001, 0.018))) == (
            (
                "Refused: it may lose 1.8 percentage points of accuracy (one-sided 95 % bound; measured drop 0.9 on "
                "1,500 samples), the budget is 1.0."
            ),
        )

    def test_loses_too_much(self) -> None:
        assert reasons(engine(drop=(0.021, 0.013, 0.029))) == (
            (
                "Refused: it loses 2.1 percentage points of accuracy on 1,500 samples (one-sided 95 % bound 2.9), the "
                "budget is 1.0."
            ),
        )

    def test_too_few_samples(self) -> None:
        (reason,) = reasons(engine(drop=(0.005, -0.001, 0.016), samples=400, needed=2234))
        assert reason.startswith("Too few samples to decide: 400 of about 2,300 that are needed. It may lose 1.6")
        # Its surest is one half.
        assert reason.endswith("the budget is 1.0.")

    def test_too_few_samples_for_this_confidence(self) -> None:
        candidate = engine(drop=(0.005, -0.001, 0.016), samples=400, needed=2234)
        assert candidate.accuracy is not None
        candidate = replace(candidate, accuracy=replace(candidate.accuracy, surest=0.8791))
        (reason,) = reasons(candidate)
        assert reason.endswith("the budget is 1.0. With --confidence 87% it would have been within.")

    def test_slower(self) -> None:
        assert reasons(engine(ratio=(1.24, 1.19, 1.30))) == (
            "Refused: 1.24 times the baseline latency (95 % interval 1.19 to 1.30).",
        )

    def test_not_shown_to_be_as_fast(self) -> None:
        assert reasons(engine(ratio=(0.99, 0.96, 1.02))) == (
            (
                "Refused: not shown to be as fast as the baseline. It takes 0.99 times the baseline latency "
                "(95 % interval 0.96 to 1.02)."
            ),
        )

    def test_numbers_are_never_rounded_onto_the_limit_they_missed(self) -> None:
        assert "interval 0.98 to 1.001)" in reasons(engine(ratio=(0.99, 0.98, 1.001)))[0]
        assert "may lose 1.004 percentage" in reasons(engine(drop=(0.005, 0.0, 0.01004)))[0]
        assert "loses 1.02 percentage" in reasons(engine(drop=(0.0102, 0.0, 0.02)))[0]

    def test_every_reason_is_given(self) -> None:
        noted = replace(engine(ratio=(2, 1.9, 2.1), drop=(0.1, 0.05, 0.15)), reasons=("3 nodes ran elsewhere.",))
        assert len(reasons(noted)) == 3
        assert reasons(noted)[0] == "3 nodes ran elsewhere."

    def test_what_was_not_measured_is_not_accepted(self) -> None:
        unmeasured = replace(engine(), latency=None, accuracy=None)
        assert reasons(unmeasured) == (
            "Refused: its accuracy was not measured.",
            "Refused: its latency was not measured.",
        )

    def test_an_emulated_engine_is_judged_by_its_accuracy_alone(self) -> None:
        emulated = replace(engine(), latency=None, rung="emulated")
        assert reasons(emulated) == ()
        assert reasons(replace(emulated, accuracy=None)) == ("Refused: its accuracy was not measured.",)
        assert reasons(replace(emulated, rung="compiled")) == ("Refused: its latency was not measured.",)

    def test_nan_is_not_accepted(self) -> None:
        nan = float("nan")
        assert len(reasons(engine(ratio=(nan, nan, nan), drop=(nan, nan, nan)))) == 2

    def test_a_failure_stays_a_failure(self) -> None:
        failed = replace(engine(), status="failed", reasons=("It did not compile.",))
        assert judge(failed, max_drop=0.01, measure="accuracy") is failed

    def test_says_agreement_where_nothing_is_labelled(self) -> None:
        judged = judge(engine(drop=(0.009, 0.001, 0.018)), max_drop=0.01, measure="agreement")
        assert "percentage points of agreement" in judged.reasons[0]
        assert "accuracy" not in judged.reasons[0]


class TestChoose:
    def test_the_fastest_accepted_wins(self) -> None:
        engines = [
            BASELINE,
            engine("slower"),
            engine("fastest", (0.4, 0.38, 0.42)),
            engine("lossy", (0.2, 0.19, 0.21), (0.05, 0.04, 0.06)),
        ]
        choice = choose(engines, "float", max_drop=0.01, measure="accuracy")
        assert choice.chosen == "fastest"
        assert [e.status for e in choice.engines] == ["baseline", "accepted", "accepted", "refused"]
        assert choice.reason == (
            "fastest is the fastest of 2 accepted candidates: 0.40 times the baseline latency (95 % interval 0.38 to "
            "0.42), and it loses at most 0.6 percentage points of accuracy (one-sided 95 % bound; measured drop 0.2 on "
            "1,500 samples), the budget is 1.0. As one of 2 it was held to 97.5 %."
        )

    def test_without_speed_the_order_decides_and_the_reason_says_so(self) -> None:
        engines = [replace(e, latency=None, rung="emulated") for e in (BASELINE, engine("b"), engine("a"))]
        choice = choose(engines, "float", max_drop=0.01, measure="accuracy")
        assert choice.chosen == "b"
        assert "first, in the target's order of preference" in choice.reason
        unmeasured = "its latency was not measured (only emulated)"
        assert unmeasured in choice.reason
        assert "latency" not in choice.reason.replace(unmeasured, "")

    def test_no_sentence_says_minus_zero(self) -> None:
        choice = choose([BASELINE, engine(drop=(-0.0002, -0.004, 0.004))], "float", max_drop=0.01, measure="accuracy")
        assert "measured drop 0.0 on" in choice.reason

    def test_ties_go_to_the_first(self) -> None:
        choice = choose([engine("a"), BASELINE, engine("b")], "float", max_drop=0.01, measure="agreement")
        assert choice.chosen == "a"
        assert "points of agreement" in choice.reason

    def test_the_only_one(self) -> None:
        assert (
            "the only candidate accepted"
            in choose([BASELINE, engine()], "float", max_drop=0.01, measure="accuracy").reason
        )

    def test_nobody_wins(self) -> None:
        failed = replace(engine("broken"), status="failed")
        slow = engine("slow", (2, 1.9, 2.1))
        choice = choose([BASELINE, failed, slow], "float", max_drop=0.01, measure="accuracy")
        assert choice.chosen == "float"
        assert choice.reason == "The baseline float ships: no candidate was accepted (1 refused, 1 failed)."

    def test_nobody_else(self) -> None:
        choice = choose([BASELINE], "float", max_drop=0.01, measure="accuracy")
        assert choice.reason == "The baseline float ships: there was no other candidate."

    def test_a_baseline_is_needed(self) -> None:
        with pytest.raises(InputError, match="not among the engines: x86-64-cpu-int8"):
            choose([engine()], "float", max_drop=0.01, measure="accuracy")
        broken = replace(BASELINE, status="failed", reasons=("No memory.",))
        with pytest.raises(InputError, match="No memory"):
            choose([broken], "float", max_drop=0.01, measure="accuracy")


class TestBounds:
    """What is read of a bound holds: an upper one is rounded up, a lower one down, everywhere."""

    def test_an_upper_bound_is_rounded_up(self) -> None:
        assert (
            "loses at most 1.1 percentage points"
            in choose([BASELINE, engine(drop=(0.0, 0.0, 0.0104))], "float", max_drop=0.02, measure="accuracy").reason
        )
        assert "bound 3.1)" in reasons(engine(drop=(0.03, 0.02, 0.0304)))[0]
        assert "may lose 1.9 percentage" in reasons(engine(drop=(0.009, 0.001, 0.01841)))[0]

    def test_what_is_accepted_does_not_read_as_over_the_budget(self) -> None:
        candidates = [BASELINE, engine(drop=(0.0, 0.0, 0.0051))]
        reason = choose(candidates, "float", max_drop=0.0052, measure="accuracy").reason
        assert "loses at most 0.51 percentage" in reason

    def test_ends_of_an_interval_go_outwards(self) -> None:
        assert "(95 % interval 1.18 to 1.31)" in reasons(engine(ratio=(1.24, 1.189, 1.301)))[0]
        assert "(95 % interval 0.98 to 1.02)" in reasons(engine(ratio=(0.99, 0.989, 1.011)))[0]

    @pytest.mark.parametrize(
        ("value", "decimals", "low", "high"),
        [
            (1.04, 1, 1.0, 1.1),
            (0.1 + 0.2, 1, 0.3, 0.3),
            (-0.0001, 2, -0.01, 0.0),
            (14.46, 1, 14.4, 14.5),
            (float("inf"), 1, float("inf"), float("inf")),
        ],
    )
    def test_rounding(self, value: float, decimals: int, low: float, high: float) -> None:
        assert (bounds.lower(value, decimals), bounds.upper(value, decimals)) == (low, high)
