"""`edgewright bench`: measure a package on data, write a report."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_cli.console import bold, print_json, progress, say_warning, spoken_warnings, wrapped
from edgewright_cli.files import check_writable, write_file
from edgewright_cli.options import add_device, add_meter, add_samples, meter_settings, remote_device
from edgewright_runtime import Package
from edgewright_targets import InputError
from edgewright_targets.findings import Findings
from edgewright_targets.installed import check_installed, needs
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_benchmarks.report.quotes import Quote
    from edgewright_benchmarks.result import Result

EPILOG = """\
example:
  edgewright bench intents.ortpackage --data test.csv --report report.html
  edgewright bench intents.ortpackage --device ssh://pi@kitchen --data test.csv --report pi.html

To quote an accuracy, measure it on data that the build did not choose its engine on.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    parser.add_argument("--data", required=True, help="labelled data (.csv, or .npz for named arrays)")
    parser.add_argument("--report", metavar="FILE", help="write a report: .html for people, .md for a pull request")
    parser.add_argument(
        "--quote-samples",
        action="store_true",
        help="quote in the report the samples on which an engine differs from float; whoever gets the report can "
        "read them",
    )
    parser.add_argument("--output", "-o", metavar="FILE", help="write all raw values as JSON")
    add_device(parser)
    add_samples(parser)
    add_meter(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    with needs("bench"):
        # What judges comes last, and is asked for first.
        check_installed("scipy", "sklearn")
        from edgewright_benchmarks.bench import bench, build_evidence, read_samples
        from edgewright_benchmarks.data import DataWarning, check_there
        from edgewright_benchmarks.report.quotes import quotes
        from edgewright_benchmarks.result import write_result

    findings = Findings()
    for path in (options.report, options.output):
        with findings.noted():
            check_writable(path)
    render = remote = None
    with findings.noted():
        render = _renderer(options.report) if options.report else None
    with findings.noted():
        if options.quote_samples and not options.report:
            raise InputError("--quote-samples needs --report.", hint="Pass --report FILE as well.")
    with findings.noted():
        remote = remote_device(options)
    with findings.noted():
        Package.open(options.package)
    with findings.noted():
        check_there(options.data)
    findings.raise_any()
    with spoken_warnings(DataWarning):
        result = bench(
            options.package, options.data, settings=meter_settings(options), progress=progress(options), remote=remote
        )
    built = build_evidence(Package.open(options.package), result.engine(result.chosen).target)
    if options.output:
        write_file(options.output, lambda path: write_result(result, path))
    if render is not None:
        quoted: list[Quote] = []
        if options.quote_samples:
            # They were read, and what is to be said of it was said.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                samples = read_samples(Package.open(options.package), options.data, meter_settings(options)).samples
            quoted = quotes(result, samples)
        page = render(result, built, quoted)
        write_file(options.report, lambda path: path.write_text(page, encoding="utf-8"))
    if options.json:
        print_json(write_record(result))
        return 0
    from edgewright_cli.summary import result_text

    if not options.quiet:
        for warning in result.warnings:
            say_warning(warning)
        print(result_text(result))
        print()
    print(wrapped(result.reason))
    for path in filter(None, (options.report, options.output)):
        print(f"Written: {bold(path)}")
    return 0


def _renderer(path: str) -> Callable[[Result, Result, Sequence[Quote]], str]:
    """What makes the report; found before the measurement, so that a missing library costs no time."""
    suffix = Path(path).suffix
    if suffix not in (".html", ".md"):
        raise InputError(f"'{path}': a report ends in .html or .md.")
    with needs("report"):
        if suffix == ".html":
            import jinja2  # noqa: F401 - the page's own import comes after the measurement

        from edgewright_benchmarks.report import render_html, render_markdown
    return render_html if suffix == ".html" else render_markdown
