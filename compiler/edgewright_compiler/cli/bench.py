"""`edgewright bench`: measure a package on data, write a report."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgewright_compiler.cli.console import bold, print_json, progress, say_warning, wrapped
from edgewright_compiler.cli.options import add_meter, meter_settings
from edgewright_targets import InputError
from edgewright_targets.record import write_record

EPILOG = """\
example:
  edgewright bench intents.ortpackage --data test.csv --report report.html

Data that the build's choice never saw gives the accuracy to quote.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    parser.add_argument("--data", required=True, help="labelled data (.csv, or .npz for named arrays)")
    parser.add_argument("--report", metavar="FILE", help="write a report: .html for people, .md for a pull request")
    parser.add_argument("--output", "-o", metavar="FILE", help="write all raw values as JSON")
    add_meter(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    from edgewright_compiler.sources.failures import needs

    with needs("bench"):
        from edgewright_benchmarks.bench import bench, build_evidence
        from edgewright_benchmarks.result import write_result
    from edgewright_runtime import Package

    for path in (options.report, options.output):
        _check_writable(path)
    if options.report and Path(options.report).suffix not in (".html", ".md"):
        raise InputError(f"'{options.report}': a report ends in .html or .md.")
    result = bench(options.package, options.data, settings=meter_settings(options), progress=progress(options))
    built = build_evidence(Package.open(options.package))
    if options.output:
        write_result(result, Path(options.output))
    if options.report:
        from edgewright_benchmarks.report import render_html, render_markdown

        render = render_html if options.report.endswith(".html") else render_markdown
        Path(options.report).write_text(render(result, built), encoding="utf-8")
    if options.json:
        print_json(write_record(result))
        return 0
    from edgewright_compiler.cli.summary import result_text

    if not options.quiet:
        for warning in result.warnings:
            say_warning(warning)
        print(result_text(result))
        print()
        print(wrapped(result.reason))
    for path in filter(None, (options.report, options.output)):
        print(f"Written: {bold(path)}")
    return 0


def _check_writable(path: str | None) -> None:
    if path is None:
        return
    folder = Path(path).absolute().parent
    if Path(path).is_dir() or not folder.is_dir():
        raise InputError(f"'{path}' cannot be written: there is no folder '{folder}', or it is a folder itself.")
    try:
        with Path(path).open("ab"):
            pass
    except OSError as error:
        raise InputError(f"'{path}' cannot be written: {error.strerror}.") from error
