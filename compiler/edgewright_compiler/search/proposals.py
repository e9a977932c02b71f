"""Which engine to try next, from what is known of the groups of a graph and what was seen of the engines so far.

A ladder begins at a candidate that quantizes. First the groups that gain nothing stay in float. Then those that hurt
most for the time they save are raised, so many that what calibration samples show is within the budget: how many is
found by halving, as each group that is raised makes the engine slower and nearer to float. Everything here is pure: the
same facts and the same readings give the same proposals, so that a search that was ended goes on where it was.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from edgewright_benchmarks.engine_result import Interval
from edgewright_compiler.search.facts import Facts, Group, GroupFacts
from edgewright_targets import Candidate, Recipe

# What layers for an NPU of integers are raised to: it runs no float.
WIDE = "16-bit activations"
# Names of groups that a sentence shows.
_SHOWN = 3
# What a group is worth at least: of two groups that save nothing, the one that hurts more is raised first.
_LEAST_WORTH = 1e-12
# A safer engine than the fastest that seems to be within the budget has at most so much of its error.
_SAFER = 0.5
# A profile tells the latency of an engine that was not made yet to about a tenth.
_PROFILE_SLACK = 1.1


@dataclass(frozen=True, kw_only=True)
class Screened:
    """What was seen of an engine on calibration samples, which prove nothing.

    Attributes:
        ratio: Latency over the baseline's, of few rounds; None where it was not timed.
        drop: Of the first metric, or of agreement where they have no ground truth.
        guide: See `EngineResult.guide`.
    """

    ratio: Interval | None
    drop: Interval
    guide: float

    def within(self, budget: float) -> bool:
        """Whether it seems to lose no more than the budget."""
        return self.drop.value <= budget

    def hopeless(self, budget: float) -> bool:
        """Whether it is shown to lose more than the budget."""
        return self.drop.low > budget


@dataclass(frozen=True, order=True)
class Rung:
    """An engine of a ladder.

    Attributes:
        raised: So many groups are raised for accuracy, the first of the order.
        as_fast: Groups that gain nothing stay in float too.
    """

    raised: int = 0
    as_fast: bool = False


@dataclass(frozen=True)
class Ladder:
    """The engines between a candidate and float.

    Attributes:
        facts: What is known of the groups of the candidate.
        budget: The largest drop allowed, as a share.
        precision: The word for what groups are raised to.
    """

    facts: Facts
    budget: float
    precision: str = "float"

    @cached_property
    def idle(self) -> tuple[Group, ...]:
        """Groups whose quantization saves no time."""
        return self.facts.without_gain()

    def order(self, *, as_fast: bool) -> tuple[Group, ...]:
        """The groups that are quantized, those first that hurt most for what they save."""
        left_out = set(self.idle) if as_fast else set()
        quantized = [one for one in self.facts.groups if one.group not in left_out]
        # Stable: groups of which nothing is known keep the order in which they run.
        return tuple(one.group for one in sorted(quantized, key=self._hurt, reverse=True))

    def _hurt(self, one: GroupFacts) -> float:
        worth = max(self.facts.worth(one), _LEAST_WORTH)
        # Errors of groups add in squares. Where none was found, the groups that save least are raised first.
        square = 1.0 if all(other.error is None for other in self.facts.groups) else (one.error or 0.0) ** 2
        return square / worth

    def kept(self, rung: Rung) -> tuple[Group, ...]:
        """The groups that are not quantized."""
        idle = self.idle if rung.as_fast else ()
        return (*idle, *self.order(as_fast=rung.as_fast)[: rung.raised])

    def error(self, rung: Rung) -> float | None:
        """The error to expect; None where none is known."""
        return self.facts.error_without(set(self.kept(rung)))

    def why(self, rung: Rung) -> str:
        """Why it is tried, in a sentence."""
        raised = self.order(as_fast=rung.as_fast)[: rung.raised]
        if not raised:
            return (
                f"{_counted(self.idle, self.facts)} gain nothing in the lower precision and stay in float: "
                f"{_named(self.idle)}."
            )
        kept = f" {_counted(self.idle, self.facts)} that gain nothing stay in float." if rung.as_fast else ""
        return (
            f"{_counted(raised, self.facts)} in {self.precision} that change the outputs most for "
            f"{'the time they save' if self.facts.timed else 'their operations'}: {_named(raised)}.{kept}"
        )


def next_rung(ladder: Ladder, seen: Mapping[Rung, Screened], limit: float | None = None) -> Rung | None:
    """The engine to try next; None where no further one is worth it.

    Args:
        ladder: Which.
        seen: What was seen so far, that of the candidate itself (`Rung()`) among it.
        limit: Ratio of latencies that has to be beaten; None where no speed can be measured.
    """
    as_fast = False
    if ladder.idle:
        first = Rung(as_fast=True)
        if first not in seen:
            return first
        as_fast = not _slower(seen[first], seen[Rung()])
    found = {rung.raised: one for rung, one in seen.items() if rung.as_fast == as_fast}
    end = _end(ladder, found, limit, as_fast=as_fast)
    fine = min((raised for raised, one in found.items() if one.within(ladder.budget)), default=None)
    if fine == 0:
        return None
    upper = end if fine is None else min(fine, end)
    lower = max(raised for raised, one in found.items() if raised < max(upper, 1) and not one.within(ladder.budget))
    if upper - lower > 1:
        return Rung(_between(ladder, found, lower, upper, as_fast=as_fast), as_fast)
    if fine is None or fine >= end or found[fine].drop.high <= ladder.budget:
        return None
    if any(fine < raised < end and one.within(ladder.budget) for raised, one in found.items()):
        # One that is nearer to float was seen on the way.
        return None
    return _safer(ladder, fine, end, as_fast=as_fast)


def _end(ladder: Ladder, found: Mapping[int, Screened], limit: float | None, *, as_fast: bool) -> int:
    """The number of raised groups from which on engines are too slow: more groups in float are never faster."""
    count = len(ladder.order(as_fast=as_fast))
    slow = [raised for raised, one in found.items() if _too_slow(one, limit)]
    first, seconds = found[0].ratio, ladder.facts.seconds_without(set(ladder.kept(Rung(0, as_fast))))
    if limit is not None and first is not None and seconds:
        for raised in range(1, count):
            more = ladder.facts.seconds_without(set(ladder.kept(Rung(raised, as_fast)))) or 0.0
            if first.value * more / seconds > _PROFILE_SLACK * limit:
                slow.append(raised)
                break
    return min(slow, default=count)


def _between(ladder: Ladder, found: Mapping[int, Screened], lower: int, upper: int, *, as_fast: bool) -> int:
    """How many groups to raise, between a number with too much loss and a number that is enough, or too slow."""
    middle = (lower + upper) // 2
    # Twice where the loss is expected to be within the budget, if it goes with the error; then by halving.
    if len(found) > 2:
        return middle
    error, drop = ladder.error(Rung(lower, as_fast)), found[lower].drop.value
    if error is None:
        return middle
    aim = error * ladder.budget / drop
    expected = ((raised, ladder.error(Rung(raised, as_fast))) for raised in range(lower + 1, upper))
    return next((raised for raised, one in expected if one is not None and one <= aim), middle)


def _safer(ladder: Ladder, fine: int, end: int, *, as_fast: bool) -> Rung | None:
    """An engine that stays further below the budget, as calibration samples may be kinder than others."""
    error = ladder.error(Rung(fine, as_fast))
    if error is None:
        return None
    expected = ((raised, ladder.error(Rung(raised, as_fast))) for raised in range(fine + 1, end))
    safer = next((raised for raised, one in expected if one is not None and one <= _SAFER * error), None)
    return None if safer is None else Rung(safer, as_fast)


def _too_slow(one: Screened, limit: float | None) -> bool:
    return limit is not None and one.ratio is not None and one.ratio.value >= limit


def _slower(one: Screened, other: Screened) -> bool:
    """Whether the first is shown to be the slower one."""
    return one.ratio is not None and other.ratio is not None and one.ratio.low > other.ratio.high


def worth_proving(seen: Mapping[Rung, Screened], budget: float) -> list[list[Rung]]:
    """What to measure on the samples that count, in this order, each list at once; calibration samples decide it.

    First the fastest engine that seems to be within the budget, together with the next one that is nearer to float: it
    is there if the fastest is refused, and to add it only then would let the samples that count choose what is tested.
    Then those that may be within the budget, from the nearest to float on.
    """
    made = {rung: one for rung, one in seen.items() if rung != Rung()}
    within = sorted((rung for rung, one in made.items() if one.within(budget)), key=lambda rung: _speed(made[rung]))
    doubtful = [rung for rung, one in made.items() if not one.within(budget) and not one.hopeless(budget)]
    fastest = within[:1]
    nearer = [rung for rung in within[1:] if made[rung].guide < made[within[0]].guide]
    risky = [rung for rung in doubtful if not within or made[rung].guide > made[within[0]].guide]
    return [[*nearer[:1], *fastest], *([rung] for rung in sorted(risky, key=lambda rung: made[rung].guide))]


def _speed(one: Screened) -> float:
    return one.ratio.value if one.ratio is not None else 0.0


def searched_candidate(base: Candidate, name: str, facts: Facts, kept: Collection[Group]) -> Candidate:
    """The candidate with some groups in float, or in what `raised_to` says.

    Args:
        base: What the facts are of.
        name: Of the new one.
        facts: They name the nodes of the groups.
        kept: The groups.
    """
    nodes = facts.excluded(kept)

    def changed(recipe: Recipe, component: str) -> Recipe:
        more = nodes.get(component, ())
        if raised_to(recipe) == WIDE:
            return dataclasses.replace(recipe, wide_nodes=tuple(dict.fromkeys((*recipe.wide_nodes, *more))))
        return dataclasses.replace(recipe, excluded_nodes=tuple(dict.fromkeys((*recipe.excluded_nodes, *more))))

    if raised_to(base.recipe) != "float":
        base = dataclasses.replace(base, precision=f"{base.precision}-mixed")
    components = {one.group.component for one in facts.groups}
    if len(components) == 1 and not base.component_recipes:
        return dataclasses.replace(base, name=name, recipe=changed(base.recipe, next(iter(components))))
    recipes = {
        component: changed(base.component_recipes.get(component, base.recipe), component) for component in components
    }
    return dataclasses.replace(base, name=name, component_recipes={**base.component_recipes, **recipes})


def raised_to(recipe: Recipe) -> str:
    """What layers of this recipe are raised to where they lose too much, as a word for people.

    >>> raised_to(Recipe(method="static"))
    'float'
    """
    if recipe.method == "qnn" and recipe.activation_type == "uint8":
        return WIDE
    return "float" if recipe.float_type == "float32" else recipe.float_type


def _counted(groups: Collection[Group], facts: Facts) -> str:
    return f"{len(groups)} of {len(facts.groups)} layers"


def _named(groups: Collection[Group]) -> str:
    names = [group.name for group in groups]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
