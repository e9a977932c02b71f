"""Bar: with one busy program beside, the engine chosen with it beside is at least as fast as the one chosen without.

Each row of the suite is built twice: as it is, and with `--beside 1`. The two engines that ship take turns with a busy
program beside. Where both builds ship the same engine, nothing is left to compare, and the ratio is 1.

    python benchmarks/bars/beside_work.py --only intents --only motions
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from _bars import Figure, figure, main
from _package_turns import busy_programs, time_packages
from _suite_builds import built
from _suite_rows import ROOT, ROWS
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_runtime import Package

BESIDE = 1
ROUNDS = 20


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    figures = []
    extra = ("--search", options.search) if options.search else ()
    for row in ROWS:
        if options.only and row.name not in options.only:
            continue
        alone = built(row, options.results, extra)
        beside = built(row, options.results, (*extra, "--beside", str(BESIDE)))
        if failure := alone.failure or beside.failure:
            figures.append(_without(row.name, math.nan, f"not built: {failure.splitlines()[-1]}"))
            continue
        names = [made.result().chosen for made in (beside, alone)]
        if names[0] == names[1] and _same_graph(beside.package, alone.package, names[0]):
            figures.append(_without(row.name, 1.0, f"both ship {names[0]}"))
            continue
        data = ROOT / (row.option("--evaluation") or "")
        with busy_programs(BESIDE):
            sides = {"beside": Path(beside.package), "alone": Path(alone.package)}
            found = time_packages(sides, data, options.rounds or ROUNDS)
        figures.append(_at_least_as_fast(row.name, found["beside"], found["alone"], f"{names[0]} / {names[1]}"))
    return figures


def _same_graph(one: str, other: str, engine: str) -> bool:
    """Whether an engine is the same in two packages: a searched one has the same name however it was made."""
    packages = [Package.open(path) for path in (one, other)]
    return packages[0].manifest.engines[engine] == packages[1].manifest.engines[engine]


def _at_least_as_fast(row: str, ours: list[list[float]], theirs: list[list[float]], note: str) -> Figure:
    # Two engines of one speed have a ratio around 1: what fails is one that is shown to be slower.
    ratio = latency_ratio(ours, theirs)
    shown = figure("beside work", row, ours, theirs, None, f"{note}; lower end at most 1")
    return Figure(
        bar=shown.bar,
        compared=row,
        ratio=ratio,
        limit=1.0,
        verdict="pass" if ratio.low <= 1 else "FAIL",
        note=shown.note,
    )


def _without(row: str, ratio: float, note: str) -> Figure:
    value = Interval(ratio, ratio, ratio)
    verdict = "FAIL" if math.isnan(ratio) else "pass"
    return Figure(bar="beside work", compared=row, ratio=value, limit=1.0, verdict=verdict, note=note)  # type: ignore[arg-type]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this bar."""
    rows = [row.name for row in ROWS]
    parser.add_argument("--only", action="append", choices=rows, metavar="ROW", help="only this, by its source's name")
    parser.add_argument("--search", metavar="TIME", help="build with a search of this length (default: plain builds)")
    parser.add_argument("--results", type=Path, default=Path("demo/suite-results"), help="where builds are kept")


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], arguments))
