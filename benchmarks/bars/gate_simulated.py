"""Bar: on simulated rounds the gate fails at most 5 of 100 equal packages, and finds 90 of 100 slowdowns of 5 %.

Rounds are simulated as an idle machine gives them: a round spreads by 2 %, a call by 5 %, and each third round is
slower by up to 10 % for both sides. `latency.p50 > +0%` has no room: with room, false failures are rarer still.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from _bars import Figure, main
from _gate_shares import share_of
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.gate.change import Pairing
from edgewright_benchmarks.gate.changes import figure_change
from edgewright_benchmarks.gate.figures import FIGURES
from edgewright_benchmarks.gate.rules import parse_rules
from edgewright_benchmarks.gate.verdict import judge_rule
from edgewright_benchmarks.judging.evidence import latency_of
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_runtime.responses import Timed

SERIES, CALLS = 100, 60
ROUNDS = 15


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    rounds = options.rounds or ROUNDS
    figures = []
    for rule in ("latency.p50 > +0%", "latency.p50 > +5%"):
        verdicts = [verdict(rule, 1.0, rounds, seed) for seed in range(options.series)]
        figures.append(share_of("gate simulated", f"equal, {rule}", verdicts, "not fail", most=0.05))
    for slower, rule in ((1.05, "latency.p50 > +0%"), (1.10, "latency.p50 > +5%")):
        verdicts = [verdict(rule, slower, rounds, seed) for seed in range(options.series)]
        compared = f"{slower - 1:.0%} slower, {rule}"
        figures.append(share_of("gate simulated", compared, verdicts, "fail", most=0.1))
    return figures


def verdict(text: str, slower: float, rounds: int, seed: int) -> str:
    """What a rule says of one pair of simulated engines that took turns."""
    random = np.random.default_rng(seed)
    machine = np.where(np.arange(rounds) % 3 == 2, random.uniform(1, 1.1, rounds), 1.0)
    sides = [_readings(factor * machine, random) for factor in (1e-3, 1e-3 * slower)]
    (rule,) = parse_rules(text, FIGURES)
    base, new = (
        EngineResult(
            name="simulated",
            target="",
            provider="",
            precision="",
            rung="measured",
            status="accepted",
            latency=latency_of(side, sides[0], 0.95),
        )
        for side in sides
    )
    change = figure_change(rule.figure, base, new, Pairing(rounds=True, samples=True))
    return judge_rule(rule, change).verdict


def _readings(medians: np.ndarray[tuple[int, ...], np.dtype[np.float64]], random: np.random.Generator) -> Readings:
    spread = random.normal(0, 0.02, (medians.size, 1)) + random.normal(0, 0.05, (medians.size, CALLS))
    values = medians[:, None] * np.exp(spread)
    return Readings(rounds=tuple(Timed(tuple(map(float, row)), 1.0) for row in values))


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this bar."""
    parser.add_argument("--series", type=int, default=SERIES, help="pairs of series (default: %(default)s)")


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], arguments))
