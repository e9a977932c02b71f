"""A build of one target that searches: the plain build first, then the search, within its bound."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewright_benchmarks.search_trace import SearchTrace
from edgewright_compiler.building.engine_maker import EngineMaker
from edgewright_compiler.building.measured_engines import measured_engines
from edgewright_compiler.building.stage import CandidateError
from edgewright_compiler.building.target_readings import TargetReadings, read_target_readings
from edgewright_compiler.cache import digest_of
from edgewright_compiler.search.budget import SearchBudget
from edgewright_compiler.search.find_facts import find_facts
from edgewright_compiler.search.loop import FactsOf, TargetSearch
from edgewright_compiler.search.plans import plans_to_raise, raised_plan
from edgewright_compiler.search.retiming import confirm_winner, seconds_to_retime
from edgewright_compiler.search.trace import search_trace
from edgewright_compiler.search.tries import Tries
from edgewright_targets import Candidate, InputError

if TYPE_CHECKING:
    from edgewright_benchmarks.engine_result import EngineResult
    from edgewright_compiler.building.candidate_graphs import Graphs
    from edgewright_compiler.building.job import Job
    from edgewright_compiler.building.made_engines import MadeEngines
    from edgewright_compiler.building.search_bound import SearchBound
    from edgewright_compiler.building.stage import Stages
    from edgewright_compiler.search.facts import Facts


@dataclass(frozen=True, kw_only=True)
class SearchedTarget:
    """What a search gives to be judged.

    Attributes:
        job: The build; its target has every candidate that was tried.
        made: The engines that were measured on the samples that count, and why others could not be made.
        measured: Their measurements; that of the plain build is the first.
        unproven: Engines that were seen on calibration samples alone.
        trace: What was done.
        seconds: What the search took.
        engines: How many it tried.
    """

    job: Job
    made: MadeEngines
    measured: Sequence[TargetReadings]
    unproven: Sequence[EngineResult]
    trace: SearchTrace
    seconds: float
    engines: int


def search_target(
    job: Job, stages: Stages, bound: SearchBound, *, ended: bool = False, facts_of: FactsOf | None = None
) -> SearchedTarget:
    """Make and measure what a plain build does, then search.

    Args:
        job: What is built, with the options that were asked for.
        stages: Run the stages.
        bound: How much of the search is this target's.
        ended: A person ended the search at a target before: only the plain build is made.
        facts_of: Finds the facts of a candidate.

    Raises:
        InputError: The bound is shorter than one measurement.
    """
    asked = str(job.options.search)
    maker = EngineMaker(job, stages)
    # What a search adds is not in it: its readings are those of a plain build, and are kept for both.
    plain = job.trying(
        [one for one in job.target.candidates if not one.search_only or job.modes[one.name].runs == "none"]
    )
    made = maker.make(plain)
    first = read_target_readings(measured_engines(stages, plain, made))
    one_proof = 2 * first.seconds / len(first.readings)
    if bound.seconds is not None and bound.seconds < one_proof and not ended:
        raise InputError(
            f"--search {asked} is shorter than one measurement, which takes about {one_proof:.0f} s here.",
            hint="Search for some minutes, such as --search 10m. What was measured so far is kept.",
        )
    _note_change(job, stages)
    tries = Tries(job, stages, maker, made, first)

    def facts(candidate: Candidate) -> Facts | None:
        try:
            found = find_facts(maker.graphs, candidate)
        except CandidateError as error:
            stages.progress.note(f"  {candidate.name}: nothing is known of its layers. {error}")
            return None
        if found.note:
            stages.progress.note(f"  {candidate.name}: {found.note}")
        return found

    budget = SearchBudget(bound, lambda: stages.made, one_proof, seconds_to_retime(first))
    search = TargetSearch(tries=tries, budget=budget, stages=stages, facts_of=facts_of or facts)
    if ended:
        search.ended = "interrupted"
    else:
        search.run()
        if search.ended == "finished":
            _raise_plans(tries, search, maker.graphs, facts_of or facts)
    confirm_winner(tries, stages)
    chosen = tries.choice().chosen
    unproven = tries.unproven()
    # The engines of the plain build, and those that were measured since.
    names = {engine.draft.name for engine in made.engines} | {name for one in tries.measured for name in one.readings}
    kept = tuple(engine for engine in tries.made.engines if engine.draft.name in names)
    # What was not reached, or was interrupted, is not in the evidence.
    known = names | {engine.name for engine in unproven}
    candidates = tries.job.target.candidates
    reached = [one for one in candidates if tries.job.engine_name(one.name) in known or one.name in tries.made.failures]
    return SearchedTarget(
        job=tries.job.trying(reached),
        made=dataclasses.replace(tries.made, engines=kept),
        measured=tries.measured,
        unproven=unproven,
        trace=search_trace(tries.job, search.tried, asked, search.ended, chosen),
        seconds=search.budget.seconds,
        engines=search.budget.engines,
    )


def _raise_plans(tries: Tries, search: TargetSearch, graphs: Graphs, facts_of: FactsOf) -> None:
    """Make plans with layers in float16 where int8 alone loses too much; the device judges them."""
    for base in plans_to_raise(tries.job.target.candidates, tries.made.failures):
        try:
            found = raised_plan(graphs, base, facts_of, tries.job.options.max_drop)
        except CandidateError:
            # It failed for the same reason before, which is in the evidence.
            continue
        if found is not None:
            search.tried[found.candidate.name] = found
            tries.make(found.candidate, base.name)


def _note_change(job: Job, stages: Stages) -> None:
    """Say that a search into the same output was of another source: nothing of it can be used."""
    name = f"searched-{digest_of({'output': str(job.options.output), 'target': job.target.name})}"
    before = stages.note(name)
    if isinstance(before, str) and before != job.source_digest:
        stages.progress.note("The source has changed since it was searched before. The search starts anew.")
    stages.keep_note(name, job.source_digest)
