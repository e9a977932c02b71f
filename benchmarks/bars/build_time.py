"""Bar: a build without a search takes at most 1.2 of the time that it took in an older checkout.

git worktree add ../before COMMIT
python benchmarks/bars/build_time.py --before ../before --only intents --only fashion

Rows of the suite are built by both checkouts in turns, each time with an empty cache, on the same source and data.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _bars import Figure, alternate, figure, main
from _suite_builds import build_command, environment, prepare
from _suite_rows import ROOT, ROWS, SuiteRow
from edgewright_targets import CheckFailedError

LIMIT = 1.2
ROUNDS = 3
DEFAULT = ("intents", "fashion", "masks")


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    figures = []
    sides = {"after": ROOT, "before": Path(options.before).resolve()}
    for row in ROWS:
        if row.name not in (options.only or DEFAULT):
            continue
        prepare(row)
        found = alternate(
            {name: lambda root=root, row=row: [_seconds(root, row)] for name, root in sides.items()},  # type: ignore[misc]
            options.rounds or ROUNDS,
        )
        figures.append(figure("build time", row.name, found["after"], found["before"], LIMIT))
    return figures


def _seconds(root: Path, row: SuiteRow) -> float:
    """Of one build by a checkout, from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        command = build_command(row, Path(folder) / "model.ortpackage", ())
        start = time.monotonic()
        done = subprocess.run(
            command, cwd=ROOT, check=False, capture_output=True, text=True,
            env=environment(root) | {"XDG_CACHE_HOME": str(Path(folder) / "cache")},
        )  # fmt: skip
        seconds = time.monotonic() - start
    if done.returncode:
        raise CheckFailedError(f"'{root}' does not build '{command[4]}': {done.stderr.strip()[-300:]}")
    return seconds


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this bar."""
    rows = [row.name for row in ROWS]
    parser.add_argument("--before", required=True, help="folder of an older checkout")
    parser.add_argument(
        "--only", action="append", choices=rows, metavar="ROW", help=f"a source (default: {', '.join(DEFAULT)})"
    )


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], arguments))
