"""Which rule keeps most power where many engines are tried: the table of docs/measuring.md, from simulated searches.

    python benchmarks/several_engines.py --searches 1000

All rules see the same searches. A rule holds where it chooses an engine that truly loses more than the budget in at
most 5 % of them. Of those that hold, the one whose choice is fastest keeps most power.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "sources"))

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.judging.choice import choose, judge
from edgewright_benchmarks.judging.several_engines import speed_order
from simulated_searches import BASELINE, Search, Searches, searches

_BUDGET = Searches().max_drop
_WORLDS = {
    "40 engines, 1,000 samples": Searches(halved=True),
    "40 engines, 3,000 samples": Searches(samples=3000, halved=True),
    "40 engines, 1,000 samples, a poor guide": Searches(disorder=1.0, halved=True),
    "5 engines, 1,000 samples": Searches(engines=5, halved=True),
    "40 engines just above the budget, 1,000 samples": Searches(drops=(1.001, 1.001), halved=True),
}


def _accepted(engines: Sequence[EngineResult]) -> list[EngineResult]:
    judged = [judge(engine, max_drop=_BUDGET, measure="accuracy") for engine in engines[1:]]
    return speed_order([engine for engine in judged if engine.status == "accepted"])


def _each_by_itself(search: Search) -> str:
    accepted = _accepted(search.engines)
    return accepted[0].name if accepted else BASELINE


def _shared(search: Search) -> str:
    return _choice([replace(engine, guide=None) for engine in search.engines])


def _fresh_half(search: Search) -> str:
    """The fastest that passes on the first half is tested on the second; if none does, the one that loses least."""
    first, second = search.halves
    finalists = _accepted(first) or sorted(first[1:], key=_bound)
    return _choice([engine for engine in second if engine.name in (BASELINE, finalists[0].name)])


def _bound(engine: EngineResult) -> float:
    return engine.accuracy.drop.high if engine.accuracy else 1.0


def _fixed_sequence(search: Search) -> str:
    return _choice(search.engines)


def _choice(engines: Sequence[EngineResult]) -> str:
    return choose(engines, BASELINE, max_drop=_BUDGET, measure="accuracy").chosen


_RULES: dict[str, Callable[[Search], str]] = {
    "each at 95 %": _each_by_itself,
    "Holm's correction": _shared,
    "fresh half for the finalist": _fresh_half,
    "fixed sequence": _fixed_sequence,
}


def _row(world: str, rule: str, made: Sequence[Search]) -> str:
    names = [_RULES[rule](search) for search in made]
    wrong = sum(search.drops.get(name, 0.0) > _BUDGET for search, name in zip(made, names, strict=True))
    ratios = [
        engine.latency.ratio.value
        for search, name in zip(made, names, strict=True)
        for engine in search.engines
        if engine.name == name and engine.latency
    ]
    kept = names.count(BASELINE)
    figures = f"{wrong / len(made):.1%} | {kept / len(made):.0%} | {sum(ratios) / len(ratios):.2f}"
    return f"| {world} | {rule} | {figures} |"


def main() -> int:
    """Print the table; gives the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--searches", type=int, default=1000)
    options = parser.parse_args()
    print("| searches | rule | chosen engine loses too much | float ships | latency of the choice |")
    print("| --- | --- | --- | --- | --- |")
    for world, asked in _WORLDS.items():
        made = list(searches(asked, options.searches))
        for rule in _RULES:
            print(_row(world, rule, made), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
