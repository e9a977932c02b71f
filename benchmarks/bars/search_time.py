"""Bar: a search of 10 minutes finds an engine within 5 % of the best that 40 minutes find.

Rows: EfficientNet-lite0, the segmenter and the DCGAN. The longer search is a build of its own, with a cache of its
own, so that it takes nothing from the shorter one. Then the two engines that ship take turns in one run. Each row is
measured by itself.

    python benchmarks/bars/search_time.py --only masks      # about 50 minutes and the time of two builds
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from _bars import Figure, figure, main
from _package_turns import time_packages
from _suite_builds import built
from _suite_rows import ROOT, ROWS
from edgewright_targets import CheckFailedError

SHORT, LONG = "10m", "40m"
LIMIT = 1.05
ROWS_HERE = ("lite0", "masks", "faces")
ROUNDS = 30


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    figures = []
    for row in ROWS:
        if row.name not in (options.only or ROWS_HERE):
            continue
        found = {}
        for length in (options.short, options.long):
            home = (options.results / f"cache-{row.name}-{length}").resolve()
            os.environ["XDG_CACHE_HOME"] = str(home)
            found[length] = built(row, options.results / "search-time", ("--search", length))
            if found[length].failure:
                raise CheckFailedError(f"'{row.name}' was not built: {found[length].failure}")
        data = ROOT / (row.option("--evaluation") or "")
        sides = {length: Path(one.package) for length, one in found.items()}
        times = time_packages(sides, data, options.rounds or ROUNDS)
        names = " / ".join(one.result().chosen for one in found.values())
        figures.append(figure("search time", row.name, times[options.short], times[options.long], LIMIT, names))
    return figures


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this bar."""
    parser.add_argument("--only", action="append", choices=ROWS_HERE, metavar="ROW", help="only this, by its source")
    parser.add_argument("--short", default=SHORT, metavar="TIME", help="the shorter search (default: %(default)s)")
    parser.add_argument("--long", default=LONG, metavar="TIME", help="the longer search (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=Path("demo/suite-results"), help="where builds are kept")


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], arguments))
