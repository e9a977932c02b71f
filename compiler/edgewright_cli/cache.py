"""`edgewright cache`: what builds and matrices keep, and how to be rid of it."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from edgewright_cli.console import bold, megabytes, print_json, table, wrapped
from edgewright_targets import InputError
from edgewright_targets.installed import needs
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_benchmarks.matrix.kept import KeptEnvironment
    from edgewright_compiler.cache import CacheEntry, StageCache

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
        return _clear(cache, options)
    if options.older_than is not None:
        raise InputError("--older-than needs the action 'clear': edgewright cache clear --older-than DAYS.")
    from edgewright_benchmarks.matrix.kept import kept_environments

    entries, environments = cache.entries(), kept_environments()
    size = sum(entry.bytes for entry in entries) + sum(one.bytes for one in environments)
    if options.json:
        print_json(
            {
                "folder": str(cache.root),
                "bytes": size,
                "entries": [vars(entry) for entry in entries],
                "environments": [vars(one) | {"folder": str(one.folder), "facts": _facts(one)} for one in environments],
            }
        )
        return 0
    print(f"{cache.root}: {len(entries) + len(environments)} entries, {megabytes(size)}")
    if entries:
        _show_stages(entries)
    if environments:
        print()
        _show_environments(environments)
    return 0


def _clear(cache: StageCache, options: argparse.Namespace) -> int:
    from edgewright_benchmarks.matrix.kept import remove_environments

    seconds = (options.older_than or 0) * _DAY_SECONDS
    count, freed = cache.clear(older_than_seconds=seconds)
    removed = remove_environments(older_than_seconds=seconds)
    count, freed = count + removed.count, freed + removed.bytes
    if options.json:
        print_json({"removed": count, "bytes": freed, "in_use": removed.in_use})
    elif not options.quiet:
        print(f"Removed {count} entries, {megabytes(freed)}, from {cache.root}.")
        if removed.in_use:
            print(f"Environments that 'edgewright matrix' uses just now stay: {removed.in_use}.")
    return 0


def _show_stages(entries: list[CacheEntry]) -> None:
    stages: dict[str, list[int]] = defaultdict(list)
    used: dict[str, float] = {}
    for entry in entries:
        stages[entry.stage].append(entry.bytes)
        used[entry.stage] = entry.used
    rows = [(name, str(len(sizes)), megabytes(sum(sizes)), _day(used[name])) for name, sizes in stages.items()]
    print(table(("stage", "entries", "size", "last used"), rows, right=(1, 2)))


def _show_environments(environments: list[KeptEnvironment]) -> None:
    print(bold("environments of 'edgewright matrix': size, last used, what is in them"))
    for one in environments:
        first = f"{megabytes(one.bytes):>12}  {_day(one.used)}  "
        print(wrapped(_content(one), " " * len(first), first))


def _content(one: KeptEnvironment) -> str:
    from edgewright_benchmarks.matrix.libraries import words_of

    return f"{words_of(one.facts.versions)}, Python {one.facts.python.version}" if one.facts else str(one.folder)


def _facts(one: KeptEnvironment) -> dict[str, object] | None:
    return write_record(one.facts) if one.facts else None


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))
