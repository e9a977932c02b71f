"""Two stored results compared: simulated series with known answers, and results that are not alike."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.report_fixtures import BASELINE, CHOSEN, build_result
from edgewright_benchmarks.engine_result import Accuracy, EngineResult, Interval, Latency, SampleScores
from edgewright_benchmarks.gate.change import FigureChange
from edgewright_benchmarks.gate.comparison import GateResult
from edgewright_benchmarks.gate.figures import FIGURES
from edgewright_benchmarks.gate.rules import parse_rules
from edgewright_benchmarks.gate.stored import compare_results
from edgewright_benchmarks.gate.verdict import judge_rule
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.statistics.intervals import wilson
from edgewright_targets import InputError

ONE = Interval(1.0, 1.0, 1.0)


def latency(median: float, *, seed: int, rounds: int = 15, calls: int = 60, noise: float = 0.02) -> Latency:
    """Calls that spread by 5 % in rounds that spread by `noise`."""
    random = np.random.default_rng(seed)
    values = median * np.exp(random.normal(0, noise, (rounds, 1)) + random.normal(0, 0.05, (rounds, calls)))
    p50, p90, p95, p99 = (float(value) for value in np.percentile(values, [50, 90, 95, 99]))
    return Latency(
        rounds=tuple(map(tuple, values.tolist())),
        median=p50,
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        throughput=float(values.size / values.sum()),
        ratio=ONE,
    )


def accuracy(right: Iterable[bool], *, kept: bool = True) -> Accuracy:
    values = tuple(map(float, right))
    metrics = {"accuracy": wilson(round(sum(values)), len(values))}
    scores = SampleScores(kind="flags", values=values) if kept else None
    return Accuracy(metrics, Interval(0, 0, 0), len(values), scores=scores)


def result(
    *,
    seed: int = 0,
    slower: float = 1.0,
    machine_slower: float = 1.0,
    rounds: int = 15,
    noise: float = 0.02,
    **changes: object,
) -> Result:
    """A bench whose engine takes a millisecond, and its float baseline three."""
    made = build_result()
    run: dict[str, EngineResult] = {
        CHOSEN: replace(
            made.engine(CHOSEN),
            latency=latency(1e-3 * slower * machine_slower, seed=2 * seed, rounds=rounds, noise=noise),
            **changes,  # type: ignore[arg-type]
        ),
        BASELINE: replace(
            made.engine(BASELINE), latency=latency(3e-3 * machine_slower, seed=2 * seed + 1, rounds=rounds, noise=noise)
        ),
    }
    return replace(made, kind="bench", engines=tuple(run.get(engine.name, engine) for engine in made.engines))


def verdict(base: Result, new: Result, rules: str, **options: object) -> GateResult:
    return compare_results(base, new, rules, **options)  # type: ignore[arg-type]


def test_equal_packages_hardly_ever_fail() -> None:
    found = [verdict(result(seed=2 * n), result(seed=2 * n + 1), "latency.p50 > +5%").verdict for n in range(10)]
    assert found.count("pass") >= 9
    assert "fail" not in found


def test_a_slower_package_fails() -> None:
    found = [
        verdict(result(seed=2 * n), result(seed=2 * n + 1, slower=1.15), "latency.p50 > +5%").verdict for n in range(10)
    ]
    assert found.count("fail") >= 9
    assert "pass" not in found


def test_a_slower_machine_is_not_a_slower_package() -> None:
    found = verdict(result(seed=1), result(seed=2, machine_slower=1.15), "latency.p50 > +5%")
    assert found.verdict == "undecided"
    assert any("float baseline took" in warning and "--rerun" in warning for warning in found.warnings)


def test_undecided_says_how_many_rounds_would_decide() -> None:
    base, new = (result(seed=seed, rounds=8, noise=0.15) for seed in (1, 2))
    (rule,) = verdict(base, new, "latency.p50 > +5%").rules
    assert rule.verdict == "undecided"
    assert rule.needed is not None
    assert rule.needed > 8
    assert f"{rule.counted} would decide; there are 8." in rule.sentence
    base, new = (result(seed=seed, rounds=4 * rule.needed, noise=0.15) for seed in (3, 4))
    (decided,) = verdict(base, new, "latency.p50 > +5%").rules
    assert decided.high - decided.low < rule.high - rule.low


@pytest.mark.parametrize("rule", ["latency.p50 > +5%", "latency.p50 > +50us"])
def test_what_the_machine_moved_by_is_not_decided_by_more_rounds(rule: str) -> None:
    """The engine is slower by 15 %, as the machine is: the low end stays at nothing, whatever the number of rounds."""
    (found,) = verdict(result(seed=1), result(seed=2, machine_slower=1.15), rule).rules
    assert (found.verdict, found.needed) == ("undecided", None)
    assert "between the runs: no number of rounds decides that." in found.sentence


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        # The machine alone takes +10 % to +32 %, and the rest of the interval, 13.2 %, has 8 % of room.
        ("latency.p50 > +40%", 28),
        ("latency.p50 > +400us", 28),
        ("latency.p50 > +25%", None),
        ("latency.p50 > +250us", None),
    ],
)
def test_rounds_that_would_decide_are_reckoned_without_what_the_machine_moved_by(text: str, needed: int | None) -> None:
    (rule,) = parse_rules(text, FIGURES)
    change = Interval(0.1, 1.1 / 1.1 / 1.2 - 1, 1.1 * 1.1 * 1.2 - 1)
    figure = FigureChange(
        figure="latency.p50",
        base=Interval(1e-3, 1e-3, 1e-3),
        new=Interval(1.1e-3, 1e-3, 1.21e-3),
        difference=Interval(1e-3 * change.value, 1e-3 * change.low, 1e-3 * change.high),
        change=change,
        count=10,
        shift=1.2,
    )
    found = judge_rule(rule, figure)
    assert (found.verdict, found.needed) == ("undecided", needed)
    assert ("moved by 20.0 % between the runs: no number of rounds decides that." in found.sentence) == (needed is None)


def test_a_value_is_judged_as_it_is_on_a_slower_machine() -> None:
    (found,) = verdict(result(seed=1), result(seed=2, machine_slower=1.15), "latency.p50 > 1.05ms").rules
    assert found.verdict == "fail"


def test_too_few_rounds_decide_nothing() -> None:
    (rule,) = verdict(result(rounds=3), result(rounds=3, slower=2), "latency.p50 > +5%").rules
    assert (rule.verdict, rule.needed, rule.counted) == ("undecided", 6, "rounds")


def test_a_tail_needs_calls_beyond_it() -> None:
    """None of 360 calls lies above the 99th percentile with a chance of 2.7 %: an interval of 95 % has no upper end."""
    base, new = (replace(result(), engines=_calls(result(), 40)) for _ in range(2))
    (rule,) = verdict(base, new, "latency.p99 > +50%").rules
    assert (rule.verdict, rule.needed) == ("undecided", 10)


def _calls(made: Result, calls: int) -> tuple[EngineResult, ...]:
    return tuple(
        replace(engine, latency=latency(engine.latency.p50, seed=5, rounds=9, calls=calls))
        if engine.latency
        else engine
        for engine in made.engines
    )


class TestAccuracy:
    right = np.random.default_rng(0).random(1000) < 0.9
    lost = right & (np.random.default_rng(1).random(1000) < 0.98)

    def test_samples_are_paired(self) -> None:
        base, new = result(accuracy=accuracy(self.right.tolist())), result(accuracy=accuracy(self.lost.tolist()))
        found = verdict(base, new, "accuracy < -0.5")
        drop = (int(self.right.sum()) - int(self.lost.sum())) / 1000
        (rule,) = found.rules
        assert found.verdict == "fail"
        assert rule.value == pytest.approx(-drop)
        assert rule.high - rule.low < 0.02

    def test_unpaired_results_decide_less(self) -> None:
        """Newcombe's hybrid score interval of his example, 56/70 against 48/80: 0.0524 to 0.3339."""
        base = result(accuracy=accuracy([True] * 48 + [False] * 32, kept=False))
        new = result(accuracy=accuracy([True] * 56 + [False] * 14, kept=False))
        (rule,) = verdict(base, new, "accuracy < -0.5", force=True).rules
        assert [rule.low, rule.high] == pytest.approx([0.0524, 0.3339], abs=5e-5)

    def test_undecided_says_how_many_samples_would_decide(self) -> None:
        """That number decides: with it, the bound of no loss is within the limit."""
        few = result(accuracy=accuracy(self.right[:200].tolist()))
        (rule,) = verdict(few, few, "accuracy < -0.5").rules
        assert (rule.verdict, rule.counted) == ("undecided", "samples")
        assert rule.needed is not None
        enough = result(accuracy=accuracy([True] * rule.needed))
        assert verdict(enough, enough, "accuracy < -0.5").verdict == "pass"


def test_size_is_exact() -> None:
    base, new = result(size_bytes=1000), result(size_bytes=1011)
    assert verdict(base, new, "size > +1%").verdict == "fail"
    assert verdict(base, new, "size > +1.1%").verdict == "pass"
    assert verdict(base, base, "size > +0%").verdict == "pass"


def test_a_single_load_decides_nothing() -> None:
    base, new = result(load_seconds=(0.1,)), result(load_seconds=(9.0,))
    (rule,) = verdict(base, new, "load > +10%").rules
    assert (rule.verdict, rule.counted) == ("undecided", "loads")
    assert rule.needed == 2


def _elsewhere(made: Result, **changes: object) -> Result:
    return replace(made, machine=replace(made.machine, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (_elsewhere(result(), cpu="Another"), "processor: 'Intel(R) Xeon(R) Processor' and 'Another'"),
        (_elsewhere(result(), cores=8), "cores: '2' and '8'"),
        (_elsewhere(result(), memory_bytes=10**9), "memory of the machine: '16.7 GB' and '1.0 GB'"),
        (replace(result(), model="another"), "model: 'assist-intents' and 'another'"),
        (
            replace(result(), data=replace(result().data, digest="sha256:00")),
            "digest of the data: '4f1c4f1c4f1c4f1c' and '00'",
        ),
        (replace(result(), data=replace(result().data, samples=7)), "samples: '1000' and '7'"),
        (replace(result(), settings=replace(result().settings, threads=1)), "threads of an engine: '2' and '1'"),
        (replace(result(), measure="agreement"), "measure: 'accuracy' and 'agreement'"),
    ],
)
def test_unlike_results_are_refused_unless_forced(new: Result, words: str) -> None:
    with pytest.raises(InputError) as raised:
        compare_results(result(), new, "size > +1%")
    assert words in str(raised.value)
    assert "--force" in str(raised.value)
    forced = compare_results(result(), new, "size > +1%", force=True)
    assert words in "; ".join(fact.words() for fact in forced.unlike)


def test_a_little_more_memory_is_the_same_kind_of_machine() -> None:
    found = compare_results(result(), _elsewhere(result(), memory_bytes=16_800_000_000, system="Linux 7"), "size > +1%")
    assert not found.unlike
    assert "operating system: 'Linux 6.1.0' and 'Linux 7'" in [fact.words() for fact in found.differing]


def test_a_figure_that_one_side_lacks_is_named() -> None:
    with pytest.raises(InputError, match=r"The new side has no 'latency.p50'"):
        compare_results(result(), replace(result(), engines=_without_times()), "latency.p50 > +5%")


def _without_times() -> tuple[EngineResult, ...]:
    return tuple(replace(engine, latency=None) for engine in result().engines)


def test_the_float_baseline_alone_has_no_control() -> None:
    alone = replace(result(), chosen=BASELINE)
    assert any("--rerun" in warning for warning in compare_results(alone, alone, "latency.p50 > +5%").warnings)
