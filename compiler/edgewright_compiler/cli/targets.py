"""`edgewright targets`: the known targets, which one this machine is, and what of them can be checked from here."""

from __future__ import annotations

import argparse
import dataclasses

from edgewright_compiler.cli.console import print_json, table, wrapped
from edgewright_compiler.cli.target_facts import doctor, show
from edgewright_targets import host_facts, host_target_name, load_target, target_names

EPILOG = """\
example:
  edgewright targets
  edgewright targets show snapdragon-8-gen-3
  edgewright targets doctor
"""


_ACTIONS = {
    "list": "show the known targets, and which one this machine is",
    "show": "show everything about a target, and how far evidence for it goes from here",
    "doctor": "show what can be checked from here, and what is missing",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", help="default: list")
    for name, summary in _ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        # Those of the verb may stand behind the action as well; suppressed, so that they do not undo one before it.
        action.add_argument("-q", "--quiet", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if name == "show":
            action.add_argument("name", metavar="TARGET", help="a known target, host, or the path of a target file")


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    if options.action == "show":
        return show(options.name, json=options.json)
    if options.action == "doctor":
        return doctor(json=options.json)
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
