"""The part of `edgewright run` that models have which choose from texts that a call names."""

from __future__ import annotations

import argparse
from typing import Any

# Argument -> how argparse reads it; names are those of transformers' pipelines.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "candidate_labels": {"metavar": "TEXTS", "help": "texts to choose from, commas between them"},
    "hypothesis_template": {"metavar": "TEXT", "help": "a text with {} where a label goes"},
}


def add_candidates(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    group = parser.add_argument_group(
        "zero-shot classification", "by default the labels that the package was built for"
    )
    for name, how in _ARGUMENTS.items():
        group.add_argument(f"--{name.replace('_', '-')}", **how)


def candidate_options(options: argparse.Namespace) -> dict[str, Any]:
    """What was asked for, by the names of the step's options."""
    return {name: value for name in _ARGUMENTS if (value := getattr(options, name)) is not None}
