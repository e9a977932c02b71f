"""Arguments for the options of a call that steps take; see `edgewright_runtime.steps.call_options`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from edgewright_cli.options import positive, share_of_one
from edgewright_runtime.steps.call_options import CALL_OPTIONS

if TYPE_CHECKING:
    from edgewright_runtime.steps.call_options import OptionGroup

# Kind of an option -> how argparse reads it.
_READ: dict[str, dict[str, Any]] = {
    "count": {"type": positive},
    "integer": {"type": int},
    "number": {"type": float},
    "share": {"type": share_of_one},
    "text": {},
    "texts": {"action": "append"},
    "flag": {"action": argparse.BooleanOptionalAction},
}


def add_call_options(parser: argparse.ArgumentParser, *, grouped: bool) -> None:
    """Add an argument for each option whose group has a title of its own in the help, or has none."""
    groups: dict[str, argparse._ArgumentGroup] = {}
    for name, option in CALL_OPTIONS.items():
        title = option.group.title
        if bool(title) is not grouped:
            continue
        if title and title not in groups:
            groups[title] = parser.add_argument_group(title, option.group.description)
        place = groups[title] if title else parser
        # A flag has no value that could be named: argparse takes no `metavar` for one.
        read = _READ[option.kind] | ({"metavar": option.metavar} if option.metavar else {})
        place.add_argument(f"--{name.replace('_', '-')}", help=option.help, **read)


def asked_options(options: argparse.Namespace, group: OptionGroup | None = None) -> dict[str, object]:
    """What was asked for by name, of one group or of all."""
    return {
        name: value
        for name, option in CALL_OPTIONS.items()
        if group in (None, option.group) and (value := getattr(options, name)) is not None
    }
