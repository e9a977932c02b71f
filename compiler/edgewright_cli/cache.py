"""`edgewright cache`: what builds keep, and how to be rid of it."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

from edgewright_cli.console import megabytes, print_json, table
from edgewright_targets import InputError
from edgewright_targets.installed import needs

EPILOG = """\
example:
  edgewright cache
  edgewright cache clear --older-than 30
"""

_DAY_SECONDS = 86400


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("action", nargs="?", choices=("show", "clear"), default="show", help="default: show")
    parser.add_argument("--older-than", type=float, metavar="DAYS", help="clear only what was not used for this long")


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    with needs("compiler"):
        from edgewright_compiler.cache import StageCache
    cache = StageCache()
    if options.action == "clear":
        count, freed = cache.clear(older_than_seconds=(options.older_than or 0) * _DAY_SECONDS)
        if options.json:
            print_json({"removed": count, "bytes": freed})
        elif not options.quiet:
            print(f"Removed {count} entries, {megabytes(freed)}, from {cache.root}.")
        return 0
    if options.older_than is not None:
        raise InputError("--older-than needs the action 'clear': edgewright cache clear --older-than DAYS.")
    entries = cache.entries()
    if options.json:
        listing = [vars(entry) for entry in entries]
        print_json({"folder": str(cache.root), "bytes": sum(e.bytes for e in entries), "entries": listing})
        return 0
    stages: dict[str, list[int]] = defaultdict(list)
    used: dict[str, float] = {}
    for entry in entries:
        stages[entry.stage].append(entry.bytes)
        used[entry.stage] = entry.used
    print(f"{cache.root}: {len(entries)} entries, {megabytes(sum(e.bytes for e in entries))}")
    if entries:
        rows = [
            (name, str(len(sizes)), megabytes(sum(sizes)), time.strftime("%Y-%m-%d", time.localtime(used[name])))
            for name, sizes in stages.items()
        ]
        print(table(("stage", "entries", "size", "last used"), rows, right=(1, 2)))
    return 0
