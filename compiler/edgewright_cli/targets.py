"""`edgewright targets`: the known targets, which one this machine is, what can be checked from here, emulators."""

from __future__ import annotations

import argparse
import dataclasses

from edgewright_cli.console import print_json, progress, table, wrapped
from edgewright_cli.target_facts import doctor, show
from edgewright_targets import InputError, Target, host_facts, host_target_name, load_target, target_names
from edgewright_targets.installed import needs

EPILOG = """\
example:
  edgewright targets
  edgewright targets show snapdragon-8-gen-3
  edgewright targets doctor
  edgewright targets prepare aarch64
"""


_ACTIONS = {
    "list": "show the known targets, and which one this machine is",
    "show": "show everything about a target, and how far evidence for it goes from here",
    "doctor": "show what can be checked from this machine, and what is missing",
    "prepare": "fetch the emulator of a target, once; builds do it on their own",
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
        if name == "prepare":
            action.add_argument("name", nargs="?", metavar="NAME", help="architecture or target to emulate")


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    if options.action == "show":
        return show(options.name, json=options.json)
    if options.action == "doctor":
        return doctor(json=options.json)
    if options.action == "prepare":
        return _prepare(options)
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
            "measured" if target.matches_machine() else target.rung,
            target.title,
        )
        for target in targets
    ]
    print(table(("", "target", "rung", "hardware"), rows))
    print()
    here = f"* is this machine (--target host): {facts.cpu}, {facts.cores} cores, {', '.join(facts.features)}."
    if host is None:
        here = f"No target has this machine's architecture ({facts.architecture})."
    print(wrapped(here))
    print(
        wrapped(
            "rung: how far evidence for a target can go from here; what is emulated takes an emulator, which the first"
            " build fetches, and 'edgewright targets prepare NAME' without a build."
        )
    )
    return 0


def _prepare(options: argparse.Namespace) -> int:
    with needs("compiler"):
        from edgewright_compiler.emulators import EMULATORS, emulated_by_provider, emulator_module, needs_gpu
    known = ", ".join(EMULATORS)
    if options.name is None:
        raise InputError(
            "The command does not say which emulator to prepare.", hint=f"There are emulators of: {known}."
        )
    architecture = options.name
    if options.name not in EMULATORS:
        target = load_target(options.name)
        architecture = target.architecture
        own = [candidate.provider for candidate in target.candidates if emulated_by_provider(candidate.provider)]
        # Most targets try a GPU if they have one. One in software answers for those alone that are one.
        own = [provider for provider in own if target.vulkan_gpu or not needs_gpu(provider)]
        if own:
            return _brought_along(target, own[0], options)
    if architecture not in EMULATORS:
        message = f"There is no emulator for target '{options.name}' ({architecture})."
        raise InputError(message, hint=f"There are emulators of: {known}.")
    emulator = emulator_module(architecture).prepare(progress(options))
    if options.json:
        print_json(emulator.about())
    elif not options.quiet:
        for line in emulator.lines():
            print(wrapped(line))
    return 0


def _brought_along(target: Target, provider: str, options: argparse.Namespace) -> int:
    """An emulator that is part of an execution provider is there once that is installed."""
    from edgewright_compiler.emulators import missing_for

    reason = missing_for(target, provider)
    if reason is not None:
        raise InputError(f"Target '{target.name}' cannot be emulated here. {reason}")
    if options.json:
        print_json({"architecture": target.architecture, "provider": provider})
    elif not options.quiet:
        print(wrapped(f"{provider} contains the emulator of {target.name}: there is nothing to prepare."))
    return 0
