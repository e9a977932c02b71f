"""`edgewright targets`: the known targets, and which one this machine is."""

from __future__ import annotations

import argparse
import dataclasses

from edgewright_compiler.cli.console import print_json, table, wrapped
from edgewright_targets import host_facts, host_target_name, load_target, target_names

EPILOG = """\
example:
  edgewright targets
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb has no arguments of its own."""


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    host = host_target_name()
    facts = host_facts()
    targets = [load_target(name) for name in target_names()]
    if options.json:
        print_json(
            {
                "host": host,
                "machine": dataclasses.asdict(facts),
                "targets": [dataclasses.asdict(target) for target in targets],
            }
        )
        return 0
    rows = [
        (
            "*" if target.name == host else "",
            target.name,
            "measured" if target.is_here() else target.rung,
            str(len(target.candidates)),
            target.title,
        )
        for target in targets
    ]
    print(table(("", "target", "rung", "candidates", "hardware"), rows, right=(3,)))
    print()
    here = f"* is this machine (--target host): {facts.cpu}, {facts.cores} cores, {', '.join(facts.features)}."
    if host is None:
        here = f"No target has this machine's architecture ({facts.architecture})."
    print(wrapped(here))
    print(wrapped("rung: how far evidence for a target can go from here."))
    return 0
