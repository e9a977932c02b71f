"""Bar: the engine that a package chose is faster than ONNX Runtime's float engine, and no accepted one is faster.

The two engines are measured again here, by the meter, each in a process of its own, in turns. That nothing else was
accepted and faster is read from the evidence in the package.
"""

from __future__ import annotations

import argparse
import sys

from _bars import Figure, figure, main
from _package import running_engine, texts
from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.engine_result import EngineResult, Interval
from edgewright_benchmarks.measuring.meter import read_engines
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_runtime import Package
from edgewright_targets import CheckFailedError

LIMIT = 1.0
ROUNDS = 20


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    package = Package.open(options.package)
    # A package for several targets has evidence for each: that of this machine is judged.
    evidence = build_evidence(package, running_engine(package).target)
    chosen, baseline = evidence.chosen, evidence.baseline
    fastest = _fastest(evidence.engines)
    share = _ratio(evidence.engine(chosen)).value / _ratio(fastest).value
    evident = Figure(
        bar="choice",
        compared="chosen / fastest accepted, in the evidence",
        ratio=Interval(share, share, share),
        limit=LIMIT,
        verdict="pass" if share <= LIMIT else "FAIL",
        note=f"fastest accepted: {fastest.name}",
    )
    if chosen == baseline:
        return [evident]
    settings = MeterSettings(rounds=options.rounds or ROUNDS, loads=1)
    readings, _ = read_engines(package.root, [baseline, chosen], texts(options.package), settings, Quiet())
    for name in (baseline, chosen):
        if readings[name].failure is not None:
            raise CheckFailedError(f"'{name}' could not be measured here: {readings[name].failure}")
    ours, theirs = ([list(one) for one in readings[name].seconds] for name in (chosen, baseline))
    return [figure("choice", f"{chosen} / {baseline}", ours, theirs, LIMIT), evident]


def _fastest(engines: tuple[EngineResult, ...]) -> EngineResult:
    return min((one for one in engines if one.status in ("baseline", "accepted")), key=lambda one: _ratio(one).value)


def _ratio(engine: EngineResult) -> Interval:
    if engine.latency is None:
        raise CheckFailedError(f"'{engine.name}' was accepted without a latency.")
    return engine.latency.ratio


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
