"""`edgewright verify`: is a package whole, and does it still answer as it did when it was built?"""

from __future__ import annotations

import argparse
import dataclasses

from edgewright_compiler.cli.console import print_json, spoken_warnings, wrapped
from edgewright_compiler.cli.options import add_engine

EPILOG = """\
example:
  edgewright verify intents.ortpackage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    add_engine(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
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
