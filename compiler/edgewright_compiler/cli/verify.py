"""`edgewright verify`: is a package whole, and does it still answer as it did when it was built?"""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from edgewright_compiler.cli.console import print_json, progress, spoken_warnings, table, wrapped
from edgewright_compiler.cli.options import add_engine
from edgewright_targets import CheckFailedError, InputError
from edgewright_targets.target import HOST

if TYPE_CHECKING:
    from edgewright_compiler.verify import TargetReport

EPILOG = """\
example:
  edgewright verify intents.ortpackage
  edgewright verify intents.ortpackage --target raspberry-pi-5
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    parser.add_argument(
        "--target",
        default=HOST,
        metavar="TARGET",
        help="check all engines of this target, in its emulator where this machine is another (default: host, the "
        "engine that runs here)",
    )
    add_engine(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    if options.target != HOST:
        return _of_target(options)
    from edgewright_runtime import verify

    with spoken_warnings():
        report = verify(options.package, engine=options.engine, strict=options.strict)
    if options.json:
        print_json({"ok": True, **dataclasses.asdict(report)})
        return 0
    if not options.quiet:
        print(
            wrapped(
                f"ok: {report.files} files have their digests; {report.samples} golden samples through "
                f"{report.engine.name} on {report.engine.provider} differ from the float outputs by at most "
                f"{report.difference:.2g} ({report.tolerance:.2g} is allowed)."
            )
        )
    return 0


def _of_target(options: argparse.Namespace) -> int:
    from edgewright_compiler.sources.failures import needs

    if options.strict:
        raise InputError("--strict is about the engine that runs here; with --target every engine is checked anyway.")
    with needs("compiler"):
        from edgewright_compiler.verify import verify_target
    report = verify_target(options.package, options.target, engine=options.engine, progress=progress(options))
    if options.json:
        engines = [{**dataclasses.asdict(one), "ok": one.ok} for one in report.engines]
        print_json({"ok": report.ok, **dataclasses.asdict(report), "engines": engines})
    elif not options.quiet:
        print(_text(report))
    if not report.ok:
        bad = " ".join(f"{one.name}: {one.note}" for one in report.engines if one.ran and not one.ok)
        raise CheckFailedError(f"Not all engines of {report.target} answer as they did when they were built. {bad}")
    return 0


def _text(report: TargetReport) -> str:
    rows = [
        (
            engine.name,
            engine.rung,
            "-" if engine.difference is None else f"{engine.difference:.2g}",
            f"{engine.tolerance:.2g}",
            ("ok" if engine.ok else "failed") if engine.ran else "not run",
        )
        for engine in report.engines
    ]
    head = (
        f"{report.files} files have their digests. {report.samples} golden samples through the engines of "
        f"{report.target}, on {report.machine.cpu}; the difference is the largest of any output from the float outputs."
    )
    parts = [wrapped(head), "", table(("engine", "rung", "difference", "allowed", ""), rows, right=(2, 3))]
    for engine in report.engines:
        if not engine.ran:
            parts += ["", wrapped(engine.note, "  ", f"{engine.name}: ")]
    return "\n".join(parts)
