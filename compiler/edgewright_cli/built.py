"""What builds made, on a terminal and as data: of one build all of it, of several a table at the end."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_cli.console import (
    bold,
    megabytes,
    print_json,
    progress,
    say_error,
    say_warning,
    spoken_warnings,
    table,
    wrapped,
)
from edgewright_runtime import Package
from edgewright_runtime.errors import AudioWarning
from edgewright_runtime.package_files import folder_bytes
from edgewright_runtime.selftest import stored_samples
from edgewright_targets import EdgewrightError
from edgewright_targets.findings import CollectedInputError

if TYPE_CHECKING:
    from edgewright_benchmarks.result import Result
    from edgewright_compiler.build_files.plan import PlannedBuild
    from edgewright_compiler.building.build_options import BuildOptions
    from edgewright_compiler.package_build import Built


@dataclass(frozen=True)
class ShownBuild:
    """A build that ended well: what it made, and the warnings that were shown on the way."""

    built: Built
    shown: frozenset[str]


def run_build(plan: PlannedBuild, options: argparse.Namespace) -> ShownBuild:
    """Build, with warnings for the person who asked."""
    from edgewright_benchmarks.data import DataWarning
    from edgewright_compiler.package_build import build

    # Ours alone: what the frameworks say to their own developers is not for this person.
    with spoken_warnings(AudioWarning) as shown, spoken_warnings(DataWarning):
        built = build(plan.source, plan.options, progress=progress(options))
    return ShownBuild(built, frozenset(shown))


def build_several(plans: Sequence[PlannedBuild], options: argparse.Namespace) -> int:
    """One build after the other; one that fails does not keep the others from being tried. Gives the exit code."""
    found: list[dict[str, object]] = []
    rows, code = [], 0
    for number, plan in enumerate(plans, 1):
        progress(options).note(f"{plan.name} ({number} of {len(plans)})")
        try:
            made = run_build(plan, options)
        except EdgewrightError as error:
            for one in error.errors if isinstance(error, CollectedInputError) else (error,):
                say_error(EdgewrightError(f"{plan.name}: {one.message}", hint=one.hint))
            code = max(code, error.exit_code)
            found.append({"model": plan.name, "error": str(error), "exit_code": error.exit_code})
            rows.append((plan.name, "failed", error.message.splitlines()[0], ""))
            continue
        facts = build_facts(made)
        found.append({"model": plan.name, **facts})
        chosen = ", ".join(result.chosen for result in made.built.results)
        rows.append((plan.name, "up to date" if made.built.unchanged else "built", chosen, megabytes(_size(made))))
        if not options.json:
            show_build(made, plan.options, options)
            print()
    if options.json:
        print_json({"builds": found})
        return code
    width = max(20, 78 - sum(max(len(row[i]) for row in rows) for i in (0, 1, 3)) - 6)
    cut = [(row[0], row[1], row[2] if len(row[2]) <= width else f"{row[2][: width - 3]}...", row[3]) for row in rows]
    print(table(("model", "status", "ships", "size"), cut, right=(3,)))
    return code


def build_facts(made: ShownBuild) -> dict[str, object]:
    """A build as data."""
    built = made.built
    return {
        "package": str(built.package),
        "archive": str(built.archive) if built.archive else None,
        "unchanged": built.unchanged,
        "bytes": _size(made),
        "golden_samples": len(stored_samples(Package.open(built.package))),
        "targets": [_outcome(result) for result in built.results],
    }


def show_build(made: ShownBuild, asked: BuildOptions, options: argparse.Namespace) -> None:
    """Print a build for people: for each target its engines and the choice, then what was written."""
    built, shown = made.built, set(made.shown)
    for result in built.results:
        if not options.quiet:
            from edgewright_cli.summary import result_text

            for warning in result.warnings:
                # Of samples it may be said again, with their number; of several targets the same.
                if not any(warning.endswith(one) for one in shown):
                    say_warning(warning)
                    shown.add(warning)
            print(result_text(result))
            print()
        print(wrapped(result.reason))
        print()
    golden = stored_samples(Package.open(built.package))
    if golden and not options.quiet:
        others = "" if asked.golden else "; --golden DATA replaces them, --no-golden-samples leaves them out"
        stored_from = Path(asked.golden).name if asked.golden else built.results[0].data.name
        print(
            wrapped(f"The package holds {len(golden)} samples of {stored_from}. Whoever gets it can read them{others}.")
        )
        print()
    print(f"{bold(str(built.package))}  {megabytes(_size(made))}")
    if built.archive:
        print(f"{bold(str(built.archive))}  {megabytes(built.archive.stat().st_size)}")


def _size(made: ShownBuild) -> int:
    return folder_bytes(made.built.package)


def _outcome(result: Result) -> dict[str, object]:
    return {
        "target": result.engine(result.chosen).target,
        "chosen": result.chosen,
        "reason": result.reason,
        "max_drop": result.max_drop,
        "confidence": result.confidence,
        "measure": result.measure,
        "engines": [
            {"name": e.name, "status": e.status, "rung": e.rung, "reasons": list(e.reasons)} for e in result.engines
        ],
        "warnings": list(result.warnings),
    }
