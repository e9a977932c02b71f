"""`edgewright verify`: is a package whole, and does it still answer as it did when it was built?"""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from edgewright_compiler.cli.console import print_json, progress, say_warning, spoken_warnings, wrapped
from edgewright_compiler.cli.options import add_device, add_engine, remote_device

EPILOG = """\
example:
  edgewright verify intents.ortpackage
  edgewright verify intents.ortpackage --device ssh://pi@kitchen
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    add_device(parser)
    add_engine(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    report = _here(options) if options.device is None else _there(options)
    if options.json:
        print_json({"ok": True, **report})
        return 0
    if not options.quiet:
        engine, where = report["engine"], report.get("where", "")
        print(
            wrapped(
                f"ok: {report['files']} files have their digests{where}; {report['samples']} golden samples through "
                f"{engine['name']} on {engine['provider']} differ from the float outputs by at most "
                f"{report['difference']:.2g} ({report['tolerance']:.2g} is allowed)."
            )
        )
    return 0


def _here(options: argparse.Namespace) -> dict[str, Any]:
    from edgewright_runtime import verify

    remote_device(options)
    with spoken_warnings():
        return dataclasses.asdict(verify(options.package, engine=options.engine, strict=options.strict))


def _there(options: argparse.Namespace) -> dict[str, Any]:
    from edgewright_compiler.sources.failures import needs

    with needs("bench"):
        from edgewright_benchmarks.devices.verify import verify_on

    remote = remote_device(options)
    assert remote is not None
    report = verify_on(remote, options.package, progress(options), engine=options.engine, strict=options.strict)
    for name, reason in report["engine"]["passed_over"]:
        say_warning(f"{name} was passed over: {reason}")
    return report
