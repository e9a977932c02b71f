"""Proposals of a search on planted facts: which engines it asks for, and at which one it ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

import pytest

from edgewright_benchmarks.engine_result import Interval
from edgewright_compiler.search.facts import Facts, Group, GroupFacts
from edgewright_compiler.search.proposals import Ladder, Rung, Screened, next_rung, searched_candidate, worth_proving
from edgewright_targets import Candidate, Recipe

BUDGET = 0.01
GROUPS = 60


def planted(errors: Sequence[float | None], low: Sequence[float | None], float_seconds: float = 1.0) -> Facts:
    """Facts of groups with these errors, and seconds in the low precision."""
    groups = tuple(
        GroupFacts(
            group=Group(name=f"conv{number}", component="model", nodes=(f"conv{number}",), operators=("Conv",)),
            float_seconds=None if seconds is None else float_seconds,
            low_seconds=seconds,
            error=error,
            operations=1.0,
        )
        for number, (error, seconds) in enumerate(zip(errors, low, strict=True))
    )
    timed = [seconds for seconds in low if seconds is not None]
    known = [error for error in errors if error is not None]
    return Facts(
        candidate="cpu-int8",
        groups=groups,
        float_seconds=float_seconds * len(groups) if timed else None,
        low_seconds=sum(timed) if timed else None,
        error=math.sqrt(sum(error**2 for error in known)) if known else None,
    )


def fixed(value: float) -> Interval:
    return Interval(value, value, value)


def climbed(
    facts: Facts, drop: Callable[[Collection[Group]], float], *, limit: float | None = 1.0, timed: bool = True
) -> tuple[Ladder, dict[Rung, Screened]]:
    """All that a search sees on a ladder whose engines lose what `drop` says for the groups that stay in float."""
    ladder = Ladder(facts, BUDGET)

    def screened(rung: Rung) -> Screened:
        kept = set(ladder.kept(rung))
        seconds = facts.seconds_without(kept)
        ratio = None if seconds is None or facts.float_seconds is None else fixed(seconds / facts.float_seconds)
        return Screened(ratio=ratio if timed else None, drop=fixed(drop(kept)), guide=0.0)

    seen = {Rung(): screened(Rung())}
    while (rung := next_rung(ladder, seen, limit)) is not None:
        assert rung not in seen
        assert len(seen) < 2 * GROUPS
        seen[rung] = screened(rung)
    return ladder, seen


def best(ladder: Ladder, seen: dict[Rung, Screened]) -> tuple[Group, ...]:
    """What stays in float in the fastest engine within the budget."""
    fine = {rung: one for rung, one in seen.items() if one.within(BUDGET)}
    return ladder.kept(min(fine, key=lambda rung: (fine[rung].ratio or fixed(1.0)).value))


RUINED = (7, 19, 41)


def loses_by_ruin(kept: Collection[Group]) -> float:
    names = {group.name for group in kept}
    return 0.2 * sum(f"conv{number}" not in names for number in RUINED)


def test_three_ruined_layers_end_in_float_and_the_rest_in_int8() -> None:
    errors = [0.8 if number in RUINED else 0.002 for number in range(GROUPS)]
    ladder, seen = climbed(planted(errors, [0.5] * GROUPS), loses_by_ruin)
    assert {group.name for group in best(ladder, seen)} == {f"conv{number}" for number in RUINED}
    assert len(seen) < 20


def test_layers_that_are_slower_in_int8_end_in_float_and_the_rest_in_int8() -> None:
    low = [0.5 if number % 2 else 1.6 for number in range(GROUPS)]
    ladder, seen = climbed(planted([0.001] * GROUPS, low), lambda _: 0.0)
    assert {group.name for group in best(ladder, seen)} == {f"conv{number}" for number in range(0, GROUPS, 2)}
    assert len(seen) < 20


def test_both_at_once() -> None:
    errors = [0.8 if number in RUINED else 0.002 for number in range(GROUPS)]
    low = [0.5 if number % 2 else 1.6 for number in range(GROUPS)]
    ladder, seen = climbed(planted(errors, low), loses_by_ruin)
    expected = {f"conv{number}" for number in (*range(0, GROUPS, 2), *RUINED)}
    assert {group.name for group in best(ladder, seen)} == expected
    assert len(seen) < 20


@pytest.mark.parametrize("needed", range(1, GROUPS, 7))
def test_the_least_number_of_layers_is_found_by_halving(needed: int) -> None:
    """However many are needed, and although the errors say little."""
    errors = [1.0 - number / 1000 for number in range(GROUPS)]
    ladder, seen = climbed(planted(errors, [0.5] * GROUPS), lambda kept: 0.0 if len(kept) >= needed else 0.05)
    assert len(best(ladder, seen)) == needed
    assert len(seen) < 20


def test_of_two_layers_that_hurt_alike_the_one_that_saves_less_is_raised() -> None:
    ladder = Ladder(planted([0.5, 0.5, 0.1], [0.9, 0.5, 0.5]), BUDGET)
    assert [group.name for group in ladder.order(as_fast=False)] == ["conv0", "conv1", "conv2"]


def test_a_candidate_within_the_budget_needs_no_proposal() -> None:
    _, seen = climbed(planted([0.1] * 5, [0.5] * 5), lambda _: 0.0)
    assert list(seen) == [Rung()]


def test_nothing_slower_than_what_is_there_is_tried() -> None:
    """An engine of 0.6 times the float latency is there; ten groups of sixty in float take more."""
    facts = planted([0.5] * GROUPS, [0.5] * GROUPS)
    _, seen = climbed(facts, lambda kept: 0.0 if len(kept) > 40 else 0.05, limit=0.6)
    # Twelve groups in float are as slow as that; what a profile says of one more may be wrong by a tenth.
    assert not any(one.within(BUDGET) for one in seen.values())
    assert max(rung.raised for rung in seen) <= 19
    assert len(seen) < 8


def test_a_profile_that_was_wrong_is_not_believed() -> None:
    """What stays in float as it gains nothing makes the engine slower: the next engines quantize it again."""
    facts = planted(
        [0.8 if number == 3 else 0.001 for number in range(10)], [1.2 if number < 5 else 0.5 for number in range(10)]
    )
    ladder = Ladder(facts, BUDGET)
    seen = {
        Rung(): Screened(ratio=fixed(0.5), drop=fixed(0.2), guide=0.5),
        Rung(as_fast=True): Screened(ratio=fixed(0.7), drop=fixed(0.2), guide=0.5),
    }
    rung = next_rung(ladder, seen, 1.0)
    assert rung is not None
    assert not rung.as_fast
    assert rung.raised >= 1


def test_without_a_profile_the_search_goes_by_operations() -> None:
    errors = [0.8 if number in RUINED else 0.002 for number in range(GROUPS)]
    ladder, seen = climbed(planted(errors, [None] * GROUPS), loses_by_ruin, limit=None, timed=False)
    fewest = min((rung for rung, one in seen.items() if one.within(BUDGET)), key=lambda rung: rung.raised)
    assert {group.name for group in ladder.kept(fewest)} == {f"conv{number}" for number in RUINED}


def test_without_errors_it_still_ends() -> None:
    ladder, seen = climbed(planted([None] * GROUPS, [0.5] * GROUPS), lambda kept: 0.0 if len(kept) >= 20 else 0.1)
    assert len(best(ladder, seen)) == 20


def test_a_safer_engine_is_tried_where_calibration_samples_leave_doubt() -> None:
    facts = planted([1.0 - number / 100 for number in range(20)], [0.5] * 20)
    ladder = Ladder(facts, BUDGET)
    doubt = Screened(ratio=fixed(0.7), drop=Interval(0.005, 0.0, 0.03), guide=0.1)
    lossy = Screened(ratio=fixed(0.5), drop=fixed(0.1), guide=0.3)
    seen = {Rung(): lossy, Rung(7): lossy, Rung(8): doubt}
    safer = next_rung(ladder, seen, 1.0)
    assert safer is not None
    assert safer.raised > 8
    error, before = ladder.error(safer), ladder.error(Rung(8))
    assert error is not None
    assert before is not None
    assert error <= before / 2
    between = {**seen, Rung(safer.raised - 1): doubt}
    assert next_rung(ladder, between, 1.0) is None
    sure = {**seen, Rung(8): Screened(ratio=fixed(0.7), drop=fixed(0.005), guide=0.1)}
    assert next_rung(ladder, sure, 1.0) is None


def test_what_is_measured_follows_from_calibration_samples_alone() -> None:
    lossy, doubt, fine = fixed(0.2), Interval(0.012, 0.001, 0.03), fixed(0.004)
    seen = {
        Rung(0): Screened(ratio=fixed(0.4), drop=lossy, guide=0.8),
        Rung(1): Screened(ratio=fixed(0.45), drop=lossy, guide=0.5),
        Rung(2): Screened(ratio=fixed(0.5), drop=doubt, guide=0.06),
        Rung(3): Screened(ratio=fixed(0.55), drop=fine, guide=0.05),
        Rung(5): Screened(ratio=fixed(0.6), drop=fine, guide=0.04),
        Rung(8): Screened(ratio=fixed(0.7), drop=fine, guide=0.02),
    }
    # The fastest that seems good enough, the next nearer one beside it; then what may be; never what is shown to lose.
    assert worth_proving(seen, BUDGET) == [[Rung(5), Rung(3)], [Rung(2)]]
    assert worth_proving({Rung(0): seen[Rung(0)], Rung(2): seen[Rung(2)]}, BUDGET) == [[], [Rung(2)]]


def test_a_candidate_gets_the_nodes_by_component() -> None:
    groups = [
        GroupFacts(
            group=Group(name="a", component=component, nodes=("a", "a/relu"), operators=("Conv", "Relu")), error=0.1
        )
        for component in ("encoder", "decoder")
    ]
    facts = Facts(candidate="cpu-int8", groups=tuple(groups))
    base = Candidate(
        name="cpu-int8",
        provider="CPUExecutionProvider",
        precision="int8",
        recipe=Recipe(method="static", excluded_nodes=("kept",)),
        component_recipes={"decoder": Recipe(method="dynamic")},
    )
    made = searched_candidate(base, "cpu-int8-s01", facts, [groups[1].group])
    assert made.name == "cpu-int8-s01"
    assert made.component_recipes["encoder"].excluded_nodes == ("kept",)
    assert made.component_recipes["decoder"] == Recipe(method="dynamic", excluded_nodes=("a", "a/relu"))


def test_a_sentence_says_what_stays_in_float() -> None:
    errors = [0.8 if number in RUINED else 0.002 for number in range(GROUPS)]
    low = [0.5 if number % 2 else 1.6 for number in range(GROUPS)]
    ladder = Ladder(planted(errors, low), BUDGET)
    assert ladder.why(Rung(as_fast=True)).startswith("30 of 60 layers gain nothing in the lower precision")
    assert "3 of 60 layers in float" in ladder.why(Rung(3, as_fast=True))
    assert "conv7, conv19, conv41" in ladder.why(Rung(3, as_fast=True))
