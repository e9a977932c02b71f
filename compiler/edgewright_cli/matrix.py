"""`edgewright matrix`: one package with several versions of ONNX Runtime and other libraries, side by side."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edgewright_cli.console import bold, print_json, progress, say_warning, spoken_warnings, table, wrapped
from edgewright_cli.files import check_writable, write_file
from edgewright_cli.options import add_confidence, add_samples, positive
from edgewright_runtime import Package
from edgewright_targets import InputError
from edgewright_targets.findings import Findings
from edgewright_targets.installed import check_installed, needs
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_benchmarks.matrix.result import MatrixResult

EPILOG = """\
example:
  edgewright matrix intents.ortpackage --onnxruntime 1.30,1.31,1.32 --data test.csv
  edgewright matrix intents.ortpackage --onnxruntime 1.32 --library tokenizers=0.21,0.22 --data test.csv

1.31 is the newest release that begins with these numbers, 1.31.0 is that release alone.
Versions that are not here yet are installed by pip into environments of their own, which are kept for the next time.

exit codes: 0 at least one version ran, 1 none of those installed runs the package, 2 wrong use or input
"""

_ONNXRUNTIME = "onnxruntime"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("package", help="package folder or archive")
    parser.add_argument("--data", required=True, help="labelled data (.csv, or .npz for named arrays)")
    words = "versions of ONNX Runtime, with commas between them"
    parser.add_argument("--onnxruntime", metavar="VERSIONS", help=words)
    words = "versions of another library that the package uses on a device, with commas between them; can be repeated"
    parser.add_argument("--library", action="append", default=[], metavar="NAME=VERSIONS", help=words)
    parser.add_argument("--engine", help="measure this engine (default: the one that runs here; see inspect)")
    add_confidence(parser)
    add_samples(parser)
    parser.add_argument("--threads", type=positive, help="threads of the engine (default: as the package says)")
    words = "rounds in which the environments take turns (default: 15)"
    parser.add_argument("--rounds", type=positive, default=15, help=words)
    words = "calls in a round (default: as many as take a quarter of a second)"
    parser.add_argument("--calls", type=positive, help=words)
    parser.add_argument("--markdown", metavar="FILE", help="write Markdown for a pull request")


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    with needs("bench"):
        check_installed("scipy", "sklearn")
        from edgewright_benchmarks.data import DataWarning, check_there
        from edgewright_benchmarks.matrix.libraries import asked_versions
        from edgewright_benchmarks.matrix.markdown import markdown_from_matrix
        from edgewright_benchmarks.matrix.measure import measure_matrix
        from edgewright_benchmarks.measuring.meter_settings import MeterSettings
        from edgewright_benchmarks.statistics.confidence import CONFIDENCE

    findings = Findings()
    asked: dict[str, str] = {}
    with findings.noted():
        asked = _asked(options)
    for library, versions in asked.items():
        with findings.noted():
            asked_versions(library, versions)
    with findings.noted():
        check_writable(options.markdown)
    with findings.noted():
        Package.open(options.package)
    with findings.noted():
        check_there(options.data)
    findings.raise_any()
    settings = MeterSettings(
        rounds=max(2, options.rounds), calls=options.calls or 0, threads=options.threads, samples=options.samples
    )
    with spoken_warnings(DataWarning):
        found = measure_matrix(
            options.package,
            options.data,
            asked,
            engine=options.engine,
            settings=settings,
            confidence=options.confidence or CONFIDENCE,
            progress=progress(options),
        )
    if options.markdown:
        write_file(options.markdown, lambda path: path.write_text(markdown_from_matrix(found), encoding="utf-8"))
    if options.json:
        print_json(write_record(found))
    else:
        _show(found, options)
    return 0


def _asked(options: argparse.Namespace) -> dict[str, str]:
    """Library to its versions, as they were written."""
    found = {} if options.onnxruntime is None else {_ONNXRUNTIME: options.onnxruntime}
    for text in options.library:
        name, sign, versions = text.partition("=")
        name = name.strip()
        if not sign or not name:
            raise InputError(
                f"--library takes a name and versions, not '{text[:80]}'.", hint="Write --library tokenizers=0.21,0.22."
            )
        if name in found:
            raise InputError(f"Versions of {name} are named twice.", hint="Name all of them with commas between them.")
        # A requirement as pip takes it is as clear.
        found[name] = versions.removeprefix("=")
    if not found:
        raise InputError(
            "No versions are named.", hint="Pass --onnxruntime 1.31,1.32, or --library tokenizers=0.21,0.22."
        )
    return found


def _show(found: MatrixResult, options: argparse.Namespace) -> None:
    from edgewright_benchmarks.matrix.rows import failures, grouped_warnings, heading, matrix_sentences, matrix_table

    if not options.quiet:
        for warning in grouped_warnings(found):
            say_warning(warning)
    print(wrapped(heading(found)))
    print()
    shown = matrix_table(found)
    for number, versions in shown.legend:
        print(wrapped(versions, "    ", f"{number:>2}  "))
    if shown.legend:
        print()
    print(table(shown.header, shown.rows, right=shown.right))
    sentences = matrix_sentences(found)
    missing = failures(found)
    if sentences or missing:
        print()
    for sentence in sentences:
        print(wrapped(sentence, "  "))
    for sentence in missing:
        print(wrapped(sentence, "  ", f"{bold('did not run')}  "))
    if options.markdown:
        print(f"Written: {bold(options.markdown)}")
