"""`edgewright finish`: on the device, make and judge the engines that a build could only compile or describe."""

from __future__ import annotations

import argparse
import dataclasses

from edgewright_cli.console import bold, print_json, progress, wrapped
from edgewright_cli.options import add_confidence, add_device, add_meter, meter_settings, remote_device
from edgewright_targets.installed import check_installed, needs

EPILOG = """\
example:
  edgewright finish intents.ortpackage

  edgewright finish intents.ortpackage --device ssh://pi@kitchen

Run it on the device, or with --device from here. The package stays as it is; what is built and found is kept in the
cache folder of the device, where 'edgewright run' and edgewright_runtime.load find it. A second run there does nothing.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    parser.add_argument("--target", help="only engines for this target")
    add_device(parser, target=False)
    add_confidence(parser, "that of the build")
    add_meter(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    with needs("bench"):
        check_installed("scipy", "sklearn")
        from edgewright_compiler.finish import finish

    remote = remote_device(options, target_alone=True)
    settings = meter_settings(options)
    made = finish(
        options.package,
        target=options.target,
        settings=settings,
        progress=progress(options),
        confidence=options.confidence,
        remote=remote,
    )
    if options.json:
        print_json(dataclasses.asdict(made))
        return 0
    if not options.quiet:
        for found in made.engines:
            print(wrapped(found.reason, "  ", f"{bold(found.engine)}: "))
        for name, reason in made.failures.items():
            print(wrapped(f"Failed: {reason}", "  ", f"{bold(name)}: "))
    known = " There was nothing to do." if made.unchanged else ""
    there = "here" if remote is None else "there"
    print(wrapped(f"{made.first} runs {there}.{known}"))
    return 0
