"""`edgewright verify`: is a package whole, and does it still answer as it did when it was built?"""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from edgewright_cli import applications
from edgewright_cli.console import print_json, progress, say_warning, spoken_warnings, table, wrapped
from edgewright_cli.options import add_device, add_engine, remote_device
from edgewright_runtime import verify
from edgewright_runtime.applications.application import is_application
from edgewright_runtime.selftest import check_whole
from edgewright_targets import CheckFailedError, InputError
from edgewright_targets.loading import HOST

if TYPE_CHECKING:
    from edgewright_compiler.reach.verify_target import TargetReport

EPILOG = """\
example:
  edgewright verify intents.ortpackage
  edgewright verify intents.ortpackage --target raspberry-pi-5
  edgewright verify intents.ortpackage --device ssh://pi@kitchen
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    parser.add_argument(
        "--target",
        metavar="TARGET",
        help="check all engines of this target, in an emulator if this machine is not the target (default: host, the "
        "engine that runs here); with --device: the engines that run there",
    )
    parser.add_argument(
        "--structure-only",
        action="store_true",
        help="compare the files with their digests and run nothing, for packages without golden samples",
    )
    add_device(parser, target=False)
    add_engine(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    if is_application(options.package):
        return applications.verify(options)
    if options.structure_only:
        return _structure(options)
    if options.device is None and options.target not in (None, HOST):
        return _of_target(options)
    report = _here(options) if options.device is None else _there(options)
    if options.json:
        print_json({"ok": True, **report})
        return 0
    if not options.quiet:
        engine, where = report["engine"], report.get("where", "")
        print(
            wrapped(
                f"ok: {report['files']} files match their digests{where}; {report['samples']} golden samples through "
                f"{engine['name']} on {engine['provider']} differ from the float outputs by at most "
                f"{report['difference']:.2g} ({report['tolerance']:.2g} is allowed)."
            )
        )
    return 0


def _structure(options: argparse.Namespace) -> int:
    if options.device or options.target or options.engine or options.strict:
        raise InputError(
            "--structure-only runs nothing. It cannot be combined with --device, --target, --engine or --strict."
        )
    _, files = check_whole(options.package)
    if options.json:
        print_json({"ok": True, "files": files, "samples": 0})
    elif not options.quiet:
        print(wrapped(f"ok: {files} files match their digests. Nothing was run, so no outputs were compared."))
    return 0


def _here(options: argparse.Namespace) -> dict[str, Any]:
    remote_device(options, target_alone=True)
    with spoken_warnings():
        return dataclasses.asdict(verify(options.package, engine=options.engine, strict=options.strict))


def _there(options: argparse.Namespace) -> dict[str, Any]:
    from edgewright_targets.installed import needs

    with needs("bench"):
        from edgewright_benchmarks.devices.verify import verify_on

    remote = remote_device(options, target_alone=True)
    assert remote is not None
    report = verify_on(remote, options.package, progress(options), engine=options.engine, strict=options.strict)
    for name, reason in report["engine"]["passed_over"]:
        say_warning(f"{name} was skipped: {reason}")
    return report


def _of_target(options: argparse.Namespace) -> int:
    from edgewright_targets.installed import needs

    remote_device(options, target_alone=True)
    if options.strict:
        raise InputError("--strict applies to the engine that runs here. With --target every engine is checked anyway.")
    with needs("compiler"):
        from edgewright_compiler.reach.verify_target import verify_target
    report = verify_target(options.package, options.target, engine=options.engine, progress=progress(options))
    if options.json:
        engines = [{**dataclasses.asdict(one), "ok": one.ok} for one in report.engines]
        print_json({"ok": report.ok, **dataclasses.asdict(report), "engines": engines})
    elif not options.quiet:
        print(_text(report))
    if not report.ok:
        bad = " ".join(f"{one.name}: {one.note}" for one in report.engines if one.ran and not one.ok)
        raise CheckFailedError(
            f"Not all engines of {report.target} give the outputs that they gave when they were built. {bad}"
        )
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
        f"{report.files} files match their digests. {report.samples} golden samples through the engines of "
        f"{report.target}, on {report.machine.cpu}; the difference is the largest of any output from the float outputs."
    )
    parts = [wrapped(head), "", table(("engine", "rung", "difference", "allowed", ""), rows, right=(2, 3))]
    for engine in report.engines:
        if not engine.ran:
            parts += ["", wrapped(engine.note, "  ", f"{engine.name}: ")]
    return "\n".join(parts)
