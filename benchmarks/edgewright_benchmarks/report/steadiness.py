"""Whether the times of a result were steady, in words: that it was looked for is said too, and not only trouble."""

from __future__ import annotations

from edgewright_benchmarks.report.facts import timed
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.statistics.stability import unsteadiness


def steadiness(result: Result) -> str:
    """What was looked for in the rounds, and what was found; empty where no times were taken in one run.

    A search times its engines in several runs, each of which has warned for itself.
    """
    latencies = {engine.name: engine.alone or engine.latency for engine in result.engines if timed(engine)}
    rounds = {name: latency.rounds for name, latency in latencies.items() if latency is not None and latency.rounds}
    if result.search is not None or not rounds:
        return ""
    own = timed(result.engine(result.baseline))
    busy = own.busy if own is not None else None
    had = "" if busy is None else f" The float baseline had a processor for {min(busy, 1):.0%} of its time."
    found = unsteadiness(rounds, baseline=result.baseline, busy=busy)
    if found:
        warned = all(sentence in result.warnings for sentence in found)
        return f"{'The times were not steady, see the warnings.' if warned else ' '.join(found)}{had}"
    return f"No drift, throttling, second mode, unsteady round or jump of the clock was found.{had}"
