"""Plans that nothing here runs: layers are raised to float16 until the precision alone is within the budget.

What a build of such a target refuses is a graph whose precision alone, computed by this machine's processor, changes
too many predictions of calibration samples. The same figure guides the ladder here. It says nothing of the accuracy of
a plan: that is decided on the device, by `finish` and `bench`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence

from edgewright_benchmarks.engine_result import Interval
from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.building.precision_tolerance import precision_change
from edgewright_compiler.search.facts import Facts
from edgewright_compiler.search.proposals import Ladder, Rung, Screened, next_rung, raised_to, searched_candidate
from edgewright_compiler.search.trace import Try
from edgewright_targets import Candidate


def plans_to_raise(candidates: Sequence[Candidate], failures: Collection[str]) -> list[Candidate]:
    """The candidates in int8 and float16 that a vendor compiles, and that could not be made.

    Args:
        candidates: Those of a target.
        failures: Names of those that could not be made.
    """
    mixed = [one for one in candidates if one.kind.plan and one.recipe.method == "static"]
    return [one for one in mixed if one.recipe.float_type == "float16" and one.name in failures and not one.in_float8()]


def raised_plan(
    graphs: Graphs, base: Candidate, facts_of: Callable[[Candidate], Facts | None], budget: float
) -> Try | None:
    """The candidate with the fewest operations in float16 whose precision alone is within the budget.

    Args:
        graphs: The float graphs.
        base: A candidate in int8 and float16.
        facts_of: Finds the facts of a candidate.
        budget: The largest share of predictions that may change.

    Raises:
        CandidateError: A graph cannot get the precision.
    """
    first = _changed(graphs, base)
    if first is None or first.within(budget):
        return None
    # Errors are found beside float32: rounding to 8 bits is the same there.
    recipe = dataclasses.replace(base.recipe, float_type="float32")
    facts = facts_of(dataclasses.replace(base, recipe=recipe))
    if facts is None or not facts.groups:
        return None
    ladder = Ladder(facts, budget, raised_to(base.recipe))
    seen = {Rung(): first}
    made: dict[Rung, Candidate] = {}
    while (rung := next_rung(ladder, seen)) is not None:
        made[rung] = searched_candidate(base, f"{base.name}-s01", facts, ladder.kept(rung))
        found = _changed(graphs, made[rung])
        if found is None:
            break
        seen[rung] = found
    fine = [rung for rung, one in seen.items() if one.within(budget)]
    if not fine:
        return None
    best = min(fine)
    why = f"Its precision alone is within the budget. {ladder.why(best)}"
    return Try(candidate=made[best], parent=base.name, why=why, facts=facts, raised=ladder.kept(best))


def _changed(graphs: Graphs, candidate: Candidate) -> Screened | None:
    """The share of predictions that the precision of a candidate changes; None where its graph does not run here."""
    found = precision_change(graphs, graphs.quantized(candidate).folders)
    if found.refused or not found.samples:
        return None
    share = found.changed / found.samples
    return Screened(ratio=None, drop=Interval(share, share, share), guide=found.largest)
