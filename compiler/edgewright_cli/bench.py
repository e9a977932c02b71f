"""`edgewright bench`: measure a package on data, write a report."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_cli import bench_application
from edgewright_cli.console import bold, print_json, progress, say_warning, spoken_warnings, wrapped
from edgewright_cli.files import check_writable, write_file
from edgewright_cli.options import (
    add_confidence,
    add_device,
    add_meter,
    add_own,
    add_samples,
    meter_settings,
    own_functions,
    positive,
    remote_device,
    seconds,
    share,
)
from edgewright_cli.report_files import is_page
from edgewright_cli.scenarios import add_scenarios, scenario_settings, scenario_text
from edgewright_runtime import Package
from edgewright_runtime.applications.application import is_application
from edgewright_targets import InputError
from edgewright_targets.findings import Findings
from edgewright_targets.installed import check_installed, needs
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_benchmarks.measuring.meter_settings import MeterSettings
    from edgewright_benchmarks.report.quotes import Quote
    from edgewright_benchmarks.result import Result

# Of `--until`, where no limit is said.
_MOST_ROUNDS = 200

EPILOG = """\
example:
  edgewright bench intents.ortpackage --data test.csv --report report.html
  edgewright bench intents.ortpackage --data test.csv --scenario offline,server --latency-limit 20ms
  edgewright bench intents.ortpackage --device ssh://pi@kitchen --data test.csv --report pi.html
  edgewright bench assistant.ortpackage --data commands.csv --report assistant.html

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
    parser.add_argument(
        "--update-baseline",
        metavar="FILE",
        help="write all raw values as the baseline of 'edgewright compare', and make its folder; says what changed",
    )
    add_confidence(parser, "that of the build")
    add_own(parser)
    add_device(parser)
    add_samples(parser)
    add_meter(parser)
    words = "take more rounds until the interval of every engine's median is within SHARE of it, such as 2%%"
    parser.add_argument("--until", type=share, metavar="SHARE", help=words)
    words = f"with --until: at most so many rounds, whatever the intervals (default: {_MOST_ROUNDS})"
    parser.add_argument("--most-rounds", type=positive, help=words)
    words = "with --until: end the rounds after so long, such as 90s or 5m, whatever the intervals"
    parser.add_argument("--most-time", type=seconds, metavar="TIME", help=words)
    words = "also start each engine in N fresh processes, and take the time to the first answer apart"
    parser.add_argument("--cold-starts", type=positive, default=0, metavar="N", help=words)
    words = "also read the energy of calls where the machine has a sensor: RAPL, Jetson, Raspberry Pi 5, NVML"
    parser.add_argument("--energy", action="store_true", help=words)
    add_scenarios(parser)
    words = "tokens of the prompts after which generated texts are timed (default: 16,64,256 as far as the model goes)"
    parser.add_argument("--prompt-lengths", type=_lengths, metavar="N,N", help=words)


def _lengths(text: str) -> tuple[int, ...]:
    return tuple(positive(part.strip()) for part in text.split(","))


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    if is_application(options.package):
        return bench_application.bench(options)
    with needs("bench"):
        # What judges comes last, and is asked for first.
        check_installed("scipy", "sklearn")
        from edgewright_benchmarks.bench import bench, build_evidence, read_samples
        from edgewright_benchmarks.data import DataWarning, check_there
        from edgewright_benchmarks.report.quotes import quotes
        from edgewright_benchmarks.result_files import write_result

    findings = Findings()
    for path in (options.report, options.output, options.update_baseline):
        with findings.noted():
            check_writable(path, new_folder=path == options.update_baseline)
    render = remote = scenarios = None
    with findings.noted():
        render = _renderer(options.report) if options.report else None
    with findings.noted():
        if options.quote_samples and not options.report:
            raise InputError("--quote-samples needs --report.", hint="Pass --report FILE as well.")
    with findings.noted():
        remote = remote_device(options)
    with findings.noted():
        scenarios = scenario_settings(options)
    with findings.noted():
        limits = (("--most-rounds", options.most_rounds), ("--most-time", options.most_time))
        limit = next((option for option, value in limits if value), None)
        if limit is not None and not options.until:
            raise InputError(f"{limit} needs --until.", hint="Pass --until 2% as well, or --rounds alone.")
    with findings.noted():
        Package.open(options.package)
    with findings.noted():
        check_there(options.data)
    findings.raise_any()
    with spoken_warnings(DataWarning):
        result = bench(
            options.package,
            options.data,
            settings=_settings(options),
            progress=progress(options),
            remote=remote,
            confidence=options.confidence,
            own=own_functions(options),
            scenarios=scenarios,
        )
    built = build_evidence(Package.open(options.package), result.engine(result.chosen).target)
    if options.output:
        write_file(options.output, lambda path: write_result(result, path))
    if render is not None:
        quoted: list[Quote] = []
        if options.quote_samples:
            own = own_functions(options)
            # They were read, and what is to be said of it was said.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)
                samples = read_samples(
                    Package.open(options.package), options.data, meter_settings(options), own
                ).samples
            quoted = quotes(result, samples)
        page = render(result, built, quoted)
        write_file(options.report, lambda path: path.write_text(page, encoding="utf-8"))
    replaced = _baseline_written(options.update_baseline, result)
    if options.json:
        print_json(write_record(result))
    else:
        _show(result, options, replaced)
        if scenarios is not None and result.engine(result.chosen).scenarios:
            print(f"LoadGen's own files: {bold(str(scenarios.logs))}")
    return 0


def _settings(options: argparse.Namespace) -> MeterSettings:
    most = options.most_rounds or _MOST_ROUNDS
    settings = replace(
        meter_settings(options),
        cold_starts=options.cold_starts,
        prompt_lengths=options.prompt_lengths,
        energy=options.energy,
    )
    if not options.until:
        return settings
    return replace(settings, until=options.until, most_rounds=most, most_seconds=options.most_time or 0.0)


def _show(result: Result, options: argparse.Namespace, replaced: str) -> None:
    from edgewright_cli.summary import result_text

    if not options.quiet:
        for warning in result.warnings:
            say_warning(warning)
        print(result_text(result))
        print()
        if (chosen := result.engine(result.chosen)).scenarios:
            print(scenario_text(chosen))
            print()
    print(wrapped(result.reason))
    if replaced:
        print(wrapped(replaced))
    for path in filter(None, (options.report, options.output, options.update_baseline)):
        print(f"Written: {bold(path)}")


def _baseline_written(path: str | None, result: Result) -> str:
    """Write the new baseline, where one was asked for; gives what it changes, as a sentence."""
    from edgewright_benchmarks.result_files import write_result

    if path is None:
        return ""
    replaced = _replaced(path, result) if Path(path).exists() else ""
    Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
    write_file(path, lambda aside: write_result(result, aside))
    return replaced


def _replaced(path: str, result: Result) -> str:
    from edgewright_benchmarks.gate.rows import change_sentence
    from edgewright_benchmarks.gate.stored import compare_results
    from edgewright_benchmarks.result_files import read_result

    try:
        before = compare_results(read_result(path), result)
    except InputError as error:
        return f"The baseline before cannot be compared with it. {error.message}"
    return f"Against the baseline before: {change_sentence(before)}."


def _renderer(path: str) -> Callable[[Result, Result, Sequence[Quote]], str]:
    """What makes the report; found before the measurement."""
    page = is_page(path)
    with needs("report"):
        from edgewright_benchmarks.report import render_html, render_markdown
    return render_html if page else render_markdown
