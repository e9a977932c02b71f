"""The search of one target: engines are proposed, seen on calibration samples, and measured where they promise much.

    some candidates for searches -> for each candidate that quantizes: facts, and a ladder -> the other candidates, and
    the ladders that begin there -> settings of the winner

At any moment there is a best engine: that of the plain build at the beginning. What orders and proposes engines comes
from calibration samples, costs and latencies; the samples that count only prove.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgewright_benchmarks.statistics.bounds import points_at_most
from edgewright_compiler.cache import digest_of
from edgewright_compiler.search.budget import SearchBudget, SpentError, Work
from edgewright_compiler.search.facts import Facts
from edgewright_compiler.search.proposals import (
    Ladder,
    Rung,
    Screened,
    next_rung,
    raised_to,
    searched_candidate,
    worth_proving,
)
from edgewright_compiler.search.trace import Try
from edgewright_targets import Candidate

if TYPE_CHECKING:
    from edgewright_benchmarks.engine_result import EngineResult
    from edgewright_benchmarks.search_trace import Ended
    from edgewright_compiler.building.stage import Stages
    from edgewright_compiler.search.tries import Tries

# What finds the facts of a candidate; None where it cannot, which it has said.
FactsOf = Callable[[Candidate], Facts | None]
# Methods that make a low precision of which single nodes can be left out.
_LADDERS = ("static", "dynamic", "nncf", "qnn")
# Engines that are screened beside one another, so that an interruption loses few.
_BATCH = 3
# Candidates for searches that are tried before the first ladder.
_FIRST = 2 * _BATCH


@dataclass(kw_only=True)
class TargetSearch:
    """The search of one target; see the module.

    Attributes:
        tries: Makes and measures engines.
        budget: What is left.
        stages: Tell how far it is, and keep what engines took.
        facts_of: Finds the facts of a candidate.
        ended: Why it ended.
        tried: Engines that were tried, by the name of the candidate.
    """

    tries: Tries
    budget: SearchBudget
    stages: Stages
    facts_of: FactsOf
    ended: Ended = "finished"
    tried: dict[str, Try] = field(default_factory=dict)
    _climbed: set[str] = field(default_factory=set, init=False)

    def run(self) -> None:
        """Search until nothing more is worth trying, the bound is reached, or a person ends it."""
        try:
            # Ladders are where most engines are found. They wait for the fastest candidates, and not for the rest.
            # Where no speed is measured there is one ladder, from the candidate that is nearest to float.
            self._try_for_searches(_FIRST if self.tries.timed else None)
            self._climb_all()
            self._try_for_searches()
            self._climb_all()
            self._try_settings()
        except SpentError as spent:
            self.ended = spent.ended
        except KeyboardInterrupt:
            self.ended = "interrupted"
            self.stages.progress.note("Interrupted: the best engine so far ships. Interrupt again to end without it.")

    # What is tried, in its order.

    def _climb_all(self) -> None:
        """The ladders of all candidates that were seen, each once, the fastest first."""
        for base in self._bases() if self.tries.timed else self._untimed_bases():
            if base.name not in self._climbed:
                self._climbed.add(base.name)
                self._climb(base)

    def _try_for_searches(self, most: int | None = None) -> None:
        """The candidates that only a search tries, those first whose like was fast; at most so many of them."""
        waiting = [one for one in self._candidates() if one.search_only and not self._was_tried(one)]
        # What is another candidate with other settings of speed waits for the winner, which may be another engine.
        waiting = [one for one in waiting if not self._is_setting(one)]
        waiting = sorted((one for one in waiting if self._runs(one)), key=self._expected)[:most]
        try:
            for start in range(0, len(waiting), _BATCH):
                batch = waiting[start : start + _BATCH]
                self._screen([Try(candidate=one, parent="", why="The target lists it for searches.") for one in batch])
        except SpentError:
            # The time of one measurement was kept for this.
            self._prove(waiting)
            raise
        self._prove(waiting)

    def _was_tried(self, candidate: Candidate) -> bool:
        return candidate.name in self.tried or self.tries.proven(candidate.name)

    def _is_setting(self, candidate: Candidate) -> bool:
        """Whether it is a candidate of the plain build with other threads or session options."""
        plain = [one for one in self._candidates() if not one.search_only]
        return any(_with_settings_of(candidate, one).repeats(one) for one in plain)

    def _bases(self) -> list[Candidate]:
        """Candidates that quantize node by node, the fastest first."""
        own = {name for name, one in self.tried.items() if one.parent}
        found = [one for one in self._candidates() if one.name not in own and self._runs(one)]
        found = [one for one in found if one.recipe.method in _LADDERS]
        # An NPU of integers has nothing above 16 bits.
        found = [one for one in found if one.recipe.activation_type != "uint16"]
        alive = [one for one in found if one.name not in self.tries.made.failures]
        # What only a search tries is seen by itself first.
        alive = [one for one in alive if not one.search_only or one.name in self.tries.screened]
        # Of engines that differ in settings of speed alone, one is enough: settings are tried last.
        first: dict[object, Candidate] = {}
        for one in sorted(alive, key=self._expected):
            first.setdefault((one.provider, one.engine, one.recipe, tuple(one.component_recipes.items())), one)
        return list(first.values())

    def _untimed_bases(self) -> list[Candidate]:
        """The candidate that is nearest to float, unless one with nothing raised ships already.

        Where no speed is measured, an engine with fewer operations in a high precision is taken for the faster one.
        """
        chosen = self._chosen()
        bases = self._bases()
        if any(self.tries.job.engine_name(one.name) == chosen.name for one in bases):
            return []
        seen = {one.name: self._screen_again(one) for one in bases}
        alive = [(found.guide, one) for one in bases if (found := seen[one.name]) is not None]
        return [one for _, one in sorted(alive, key=lambda pair: pair[0])[:1]]

    def _climb(self, base: Candidate) -> None:
        """The engines between a candidate and float."""
        if not self.tries.timed and self._accepted(base):
            # What comes before it in the order of preference was tried; what comes behind it cannot ship.
            return
        self.budget.most("facts")
        with self.budget.step("facts"):
            facts = self.facts_of(base)
        if facts is None or not facts.groups:
            return
        ladder = Ladder(facts, self.tries.job.options.max_drop, raised_to(base.recipe))
        if len(ladder.idle) == len(facts.groups) or not self._promises(ladder, base):
            # Nothing would be left in the low precision, or what is left is too slow.
            return
        screened = self._screen_again(base)
        if screened is None:
            return
        names = {Rung(): base.name}
        seen = {Rung(): screened}
        try:
            while (rung := next_rung(ladder, seen, self._limit())) is not None:
                name, kept, parent = self._new_name(base), ladder.kept(rung), names[_nearest(rung, names)]
                one = Try(
                    candidate=searched_candidate(base, name, facts, kept),
                    parent=parent,
                    why=ladder.why(rung),
                    facts=facts,
                    idle=ladder.idle if rung.as_fast else (),
                    raised=ladder.order(as_fast=rung.as_fast)[: rung.raised],
                )
                # Behind the one with fewer groups raised: where no speed is measured, this order decides.
                outcome = self._screen([one], beside=parent)[name]
                if isinstance(outcome, str):
                    break
                names[rung], seen[rung] = name, outcome
        except SpentError:
            # The time of one measurement was kept for this.
            self._prove_rungs(ladder, seen, names)
            raise
        self._prove_rungs(ladder, seen, names)

    def _prove_rungs(self, ladder: Ladder, seen: Mapping[Rung, Screened], names: Mapping[Rung, str]) -> None:
        for rungs in worth_proving(seen, ladder.budget):
            self._prove([self.tried[names[rung]].candidate for rung in rungs])

    def _try_settings(self) -> None:
        """The winner with the threads and session options that the target's candidates have."""
        chosen = self._chosen()
        winner = next(one for one in self._candidates() if self.tries.job.engine_name(one.name) == chosen.name)
        new: list[Try] = []
        for other in self._candidates():
            if other.provider != winner.provider or not self._runs(other):
                continue
            name = f"{winner.name}-as-{other.name}"
            changed = dataclasses.replace(_with_settings_of(winner, other), name=name)
            why = f"The best engine so far with the threads and session options of {other.name}."
            known = (*self._candidates(), *(one.candidate for one in new))
            same = next((one for one in known if changed.repeats(one)), None)
            if same is None:
                new.append(Try(candidate=changed, parent=winner.name, why=why))
            elif same.search_only and not self._was_tried(same) and all(same != one.candidate for one in new):
                # It is a candidate of the target that waited for this.
                new.append(Try(candidate=same, parent=winner.name, why=why))
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            self._screen(batch, beside=winner.name)
            self._prove([one.candidate for one in batch])

    # How it is tried.

    def _screen(self, new: Sequence[Try], beside: str = "") -> dict[str, Screened | str]:
        """Make engines and see them on calibration samples: as many of them as the bound allows, or none.

        Raises:
            SpentError: It allows none.
        """
        found: dict[str, Screened | str] = {}
        waiting = list(new)
        while waiting:
            try:
                allowed = waiting[: self._most("screen", [one.candidate for one in waiting])]
            except SpentError:
                if not found:
                    raise
                break
            waiting = waiting[len(allowed) :]
            self.budget.engines += len(allowed)
            for one in allowed:
                self.stages.progress.note(f"Search: {one.candidate.name}. {one.why} {self._standing()}")
            start = self.budget.seconds
            with self.budget.step("screen", len(allowed)):
                found |= self.tries.screen([one.candidate for one in allowed], beside)
            for one in allowed:
                self.tried[one.candidate.name] = one
                self._took(one, "screen", (self.budget.seconds - start) / len(allowed))
        return found

    def _screen_again(self, base: Candidate) -> Screened | None:
        """What a candidate of the plain build does on calibration samples."""
        if base.name not in self.tries.screened:
            self.budget.most("screen")
            with self.budget.step("screen"):
                self.tries.screen([base])
        return self.tries.screened.get(base.name)

    def _prove(self, candidates: Sequence[Candidate]) -> None:
        """Measure those that could ship at once, or as many of them as the bound allows, the fastest first.

        Raises:
            SpentError: It does not allow all of them.
        """
        seen, budget = self.tries.screened, self.tries.job.options.max_drop
        waiting = [one for one in candidates if one.name in seen and not self.tries.proven(one.name)]
        hopeful = [one for one in waiting if not seen[one.name].hopeless(budget) and self.tries.could_win(one.name)]
        while hopeful:
            count = self._most("prove", hopeful)
            if count < len(hopeful):
                hopeful = sorted(hopeful, key=self._expected)
            proven, hopeful = hopeful[:count], hopeful[count:]
            start = self.budget.seconds
            with self.budget.step("prove", len(proven)):
                self.tries.prove(proven)
            for one in proven:
                self._took(self.tried[one.name], "prove", (self.budget.seconds - start) / len(proven))

    def _most(self, work: Work, candidates: Sequence[Candidate]) -> int:
        """How many of these one step has.

        A step that a bound cut is cut at the same place when the search goes on: nothing of it is measured twice.

        Raises:
            SpentError: Not even one.
        """
        identities = [self.tries.identity(one.name) for one in candidates]
        name = f"cut-{digest_of({'work': work, 'engines': identities})}"
        cut = self.stages.note(name)
        count = self.budget.most(work, cut if isinstance(cut, int) else len(candidates))
        if count < len(candidates):
            self.stages.keep_note(name, count)
        return count

    def _took(self, one: Try, work: Work, seconds: float) -> None:
        """Add what a step took; of a step from the cache what it took when it was made."""
        name = f"tried-{digest_of({'engine': self.tries.identity(one.candidate.name), 'work': work})}"
        before = self.stages.note(name)
        if seconds:
            self.stages.keep_note(name, seconds)
        elif isinstance(before, float):
            seconds = before
        one.seconds += seconds

    # What is known.

    def _candidates(self) -> tuple[Candidate, ...]:
        return self.tries.job.target.candidates

    def _runs(self, candidate: Candidate) -> bool:
        return self.tries.job.modes[candidate.name].runs != "none"

    def _chosen(self) -> EngineResult:
        choice = self.tries.choice()
        return next(engine for engine in choice.engines if engine.name == choice.chosen)

    def _accepted(self, candidate: Candidate) -> bool:
        name = self.tries.job.engine_name(candidate.name)
        return any(engine.name == name and engine.status == "accepted" for engine in self.tries.choice().engines)

    def _limit(self) -> float | None:
        """The ratio of latencies that has to be beaten; None where no speed can be measured."""
        if not self.tries.timed:
            return None
        latency = self._chosen().latency
        return 1.0 if latency is None else latency.ratio.value

    def _expected(self, candidate: Candidate) -> float:
        """The ratio of latencies of the candidate, or of one of its kind."""
        results = {engine.name: engine for engine in self.tries.choice().engines}

        def ratio(one: Candidate) -> float | None:
            result = results.get(self.tries.job.engine_name(one.name))
            return None if result is None or result.latency is None else result.latency.ratio.value

        own = ratio(candidate)
        if own is not None:
            return own
        screened = self.tries.screened.get(candidate.name)
        if screened is not None and screened.ratio is not None:
            return screened.ratio.value
        like = [one for one in self._candidates() if one.provider == candidate.provider]
        alike = [one for one in like if one.recipe.method == candidate.recipe.method] or like
        return min((found for one in alike if (found := ratio(one)) is not None), default=1.0)

    def _promises(self, ladder: Ladder, base: Candidate) -> bool:
        """Whether an engine of the ladder can be expected to be faster than the best so far."""
        limit, facts = self._limit(), ladder.facts
        seconds = facts.seconds_without(set(ladder.idle))
        if limit is None or not seconds or not facts.low_seconds:
            return True
        return self._expected(base) * min(1.0, seconds / facts.low_seconds) < limit

    def _new_name(self, base: Candidate) -> str:
        names = {one.name for one in self._candidates()}
        return next(name for number in range(1, 1000) if (name := f"{base.name}-s{number:02}") not in names)

    def _standing(self) -> str:
        """The best so far, and what is left, for people."""
        best = self._chosen()
        name = best.name.removeprefix(f"{best.target}-")
        figures = []
        if best.latency is not None and best.status != "baseline":
            figures.append(f"{best.latency.ratio.value:.2f} times the float latency")
        if best.accuracy is not None and best.status != "baseline":
            figures.append(f"at most {points_at_most(best.accuracy.drop.high)} points lost")
        words = f" ({', '.join(figures)})" if figures else ""
        return f"Best so far: {name}{words}; {self.budget.left()}."


def _nearest(rung: Rung, names: dict[Rung, str]) -> Rung:
    """The engine that was made before with the next fewer groups in float."""
    below = [one for one in names if one.raised <= rung.raised and one != rung and one.as_fast <= rung.as_fast]
    return max(below, key=lambda one: (one.as_fast, one.raised), default=Rung())


def _with_settings_of(candidate: Candidate, other: Candidate) -> Candidate:
    """The candidate with what decides the speed of another one, and nothing of its graph."""
    return dataclasses.replace(
        candidate, session_options=other.session_options, threads=other.threads, fixed_axes=other.fixed_axes
    )
