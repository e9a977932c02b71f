"""`edgewright compare`: two results, or two packages side by side, with rules that fail a job."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
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
    from edgewright_benchmarks.gate.comparison import GateResult
    from edgewright_benchmarks.result import Result

EPILOG = """\
example:
  edgewright compare baselines/intents.json result.json --fail-on "latency.p50 > +5%, accuracy < -0.5"
  edgewright compare --rerun old.ortpackage new.ortpackage --data test.csv --fail-on "latency.p50 > +5%"

exit codes: 0 every rule passes, 1 a rule fails, 2 wrong use or input
A rule whose interval holds its limit is undecided: it passes with a warning, or fails with --undecided fail.
On machines that others share, trust --rerun.
"""

# Rounds of --rerun, and the most that undecided rules ask for.
# Beside a busy core 120 rounds leave 10 % more work undecided at a limit of 5 %: intervals are as wide as +-4 %.
_ROUNDS, _MOST_ROUNDS = 15, 480


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("base", help="what to compare with: a result of 'bench', or with --rerun a package")
    parser.add_argument("new", help="what to compare: a result of 'bench', or with --rerun a package")
    parser.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="RULES",
        help="when to fail, with commas between rules: 'latency.p50 > +5%%' is relative, 'accuracy < -0.5' a change in "
        "points, 'size > 20MB' a value",
    )
    parser.add_argument(
        "--build-file",
        metavar="FILE",
        help="build file whose gates.fail_on are the rules where --fail-on is not passed (default: edgewright.toml of "
        "this folder, if there is one)",
    )
    parser.add_argument("--only", metavar="NAME", help="of a build file with several models, the rules of this one")
    parser.add_argument(
        "--undecided",
        choices=("pass", "fail"),
        default="pass",
        help="what a rule does that the figures cannot decide (default: pass, with a warning)",
    )
    parser.add_argument(
        "--force", action="store_true", help="compare results although machine, data, settings or model differ"
    )
    add_confidence(parser, "that of the new result, or 95%%")
    outputs = parser.add_argument_group("outputs")
    outputs.add_argument("--markdown", metavar="FILE", help="write Markdown for a pull request")
    outputs.add_argument("--junit", metavar="FILE", help="write JUnit XML, a test case for each rule")
    outputs.add_argument("--gitlab", metavar="FILE", help="write a code-quality report of GitLab")
    outputs.add_argument("--github", action="store_true", help="also print annotations of GitHub Actions")
    rerun = parser.add_argument_group("--rerun", "both packages side by side, in alternating rounds of one run")
    rerun.add_argument("--rerun", action="store_true", help="compare packages and not results")
    rerun.add_argument("--data", help="labelled data (.csv, or .npz for named arrays)")
    add_samples(rerun)
    rerun.add_argument("--threads", type=positive, help="threads of both engines (default: as their packages say)")
    rerun.add_argument("--rounds", type=positive, help=f"first rounds (default: {_ROUNDS})")
    words = f"most rounds where rules on times are undecided (default: {_MOST_ROUNDS})"
    rerun.add_argument("--most-rounds", type=positive, help=words)
    rerun.add_argument(
        "--calls", type=positive, help="calls in a round (default: as many as take a quarter of a second)"
    )


def execute(options: argparse.Namespace) -> int:
    """Run the verb."""
    with needs("bench"):
        check_installed("scipy", *(("sklearn",) if options.rerun else ()))
    findings = Findings()
    for path in (options.markdown, options.junit, options.gitlab):
        with findings.noted():
            check_writable(path)
    with findings.noted():
        options.fail_on, rules_from = _rules(options)
    found = _rerun(options, findings) if options.rerun else _stored(options, findings)
    found = replace(found, rules_from=rules_from)
    _write(found, options)
    if options.json:
        print_json(write_record(found))
    else:
        _show(found, quiet=options.quiet)
        for path in filter(None, (options.markdown, options.junit, options.gitlab)):
            print(f"Written: {bold(path)}")
    for rule in found.rules:
        if rule.verdict == "undecided" and options.undecided == "pass":
            say_warning(f"'{rule.rule}' is undecided and passes. {rule.sentence}")
    return 1 if found.verdict in ("fail", *(("undecided",) if options.undecided == "fail" else ())) else 0


def _rules(options: argparse.Namespace) -> tuple[list[str], str]:
    """The rules of the call, else those of a build file; and where they are from, empty without rules."""
    from edgewright_compiler.build_files.form import BUILD_FILE
    from edgewright_compiler.build_files.gates import read_rules

    if options.fail_on:
        for option, value in (("--build-file", options.build_file), ("--only", options.only)):
            if value is not None:
                raise InputError(f"{option} and --fail-on both say which rules hold.", hint="Pass one of them.")
        return options.fail_on, "command line"
    file = options.build_file or (BUILD_FILE if Path(BUILD_FILE).exists() else None)
    if file is None:
        if options.only is not None:
            raise InputError("--only needs a build file.", hint="Pass --build-file FILE.")
        return [], ""
    rules = read_rules(Path(file), options.only)
    if rules is not None:
        return [rules.text], rules.place
    if options.build_file is None and options.only is None:
        return [], ""
    raise InputError(
        f"'{file}' has no rules{f' for the model {options.only!r}' if options.only else ''}.",
        hint='Write into it [gates] with fail_on = "latency.p50 > +5%", or pass --fail-on.',
    )


def _stored(options: argparse.Namespace, findings: Findings) -> GateResult:
    from edgewright_benchmarks.gate.stored import compare_results

    for name in ("data", "samples", "threads", "rounds", "most_rounds", "calls"):
        if vars(options)[name] is not None:
            option = name.replace("_", "-")
            findings.add(InputError(f"--{option} needs --rerun: results are compared as they were measured."))
    base, new = _results(options, findings)
    return compare_results(
        base,
        new,
        options.fail_on,
        force=options.force,
        confidence=options.confidence,
        sources=(options.base, options.new),
    )


def _results(options: argparse.Namespace, findings: Findings) -> tuple[Result, Result]:
    from edgewright_benchmarks.result_files import read_result

    found = []
    made = (f"--update-baseline {options.base}", f"-o {options.new}")
    for path, role, option in zip((options.base, options.new), ("baseline", "result"), made, strict=True):
        with findings.noted():
            if not Path(path).exists():
                raise InputError(
                    f"There is no {role} '{path}'.",
                    hint=f"Make it with 'edgewright bench PACKAGE --data DATA {option}'.",
                )
            if Path(path).is_dir() or path.endswith((".ortpackage", ".tar")):
                raise InputError(
                    f"'{path}' is not a result of 'bench'.",
                    hint="Packages are compared with --rerun; results are written by 'edgewright bench -o FILE'.",
                )
            found.append(read_result(path))
    findings.raise_any()
    return found[0], found[1]


def _rerun(options: argparse.Namespace, findings: Findings) -> GateResult:
    with needs("bench"):
        from edgewright_benchmarks.data import DataWarning, check_there
        from edgewright_benchmarks.gate.rerun import compare_packages
        from edgewright_benchmarks.measuring.meter_settings import MeterSettings
        from edgewright_benchmarks.statistics.confidence import CONFIDENCE

    for path in (options.base, options.new):
        with findings.noted():
            if path.endswith(".json"):
                raise InputError(
                    f"'{path}' is not a package.", hint="--rerun compares packages; without it results are compared."
                )
            Package.open(path)
    with findings.noted():
        if options.data is None:
            raise InputError("--rerun needs --data.", hint="Pass labelled data that no build chose its engine on.")
        check_there(options.data)
    findings.raise_any()
    rounds = max(2, options.rounds or _ROUNDS)
    settings = MeterSettings(
        rounds=rounds,
        # Who asks for rounds alone has so many.
        most_rounds=options.most_rounds or (0 if options.rounds else _MOST_ROUNDS),
        calls=options.calls or 0,
        threads=options.threads,
        samples=options.samples,
    )
    with spoken_warnings(DataWarning):
        return compare_packages(
            options.base,
            options.new,
            options.data,
            options.fail_on,
            settings=settings,
            confidence=options.confidence or CONFIDENCE,
            progress=progress(options),
        )


def _write_text(path: str | None, text: str) -> None:
    if path is not None:
        write_file(path, lambda aside: aside.write_text(text, encoding="utf-8"))


def _write(found: GateResult, options: argparse.Namespace) -> None:
    """The files that were asked for, and annotations."""
    from edgewright_benchmarks.gate.output.annotations import annotations_from_comparison
    from edgewright_benchmarks.gate.output.code_quality import code_quality_from_comparison
    from edgewright_benchmarks.gate.output.junit import junit_from_comparison
    from edgewright_benchmarks.gate.output.markdown import markdown_from_comparison

    fails = options.undecided == "fail"
    _write_text(options.markdown, markdown_from_comparison(found))
    _write_text(options.junit, junit_from_comparison(found, undecided_fails=fails))
    _write_text(options.gitlab, code_quality_from_comparison(found, undecided_fails=fails))
    if options.github:
        for line in annotations_from_comparison(found, undecided_fails=fails):
            # GitHub reads both streams; with --json standard output is JSON alone.
            print(line, file=sys.stderr if options.json else sys.stdout)


def _show(found: GateResult, *, quiet: bool) -> None:
    from edgewright_benchmarks.gate.rows import change_rows, heading, rules_origin

    if not quiet:
        for warning in found.warnings:
            say_warning(warning)
        for fact in found.unlike:
            say_warning(f"Compared by force, although there differs the {fact.words()}.")
        print(wrapped(heading(found)))
        print()
        header = ("figure", "base", "new", "change", "interval")
        print(table(header, [row.cells for row in change_rows(found)], right=(1, 2, 3), fitted=True))
        print()
        if found.differing:
            print(wrapped(f"Different in the two: {'; '.join(fact.words() for fact in found.differing)}."))
            print()
    if found.rules:
        print(wrapped(rules_origin(found)))
    for rule in found.rules:
        print(wrapped(f"{rule.rule}: {rule.sentence}", "  ", f"{bold(rule.verdict)}  "))
    if found.rules:
        print(f"Verdict: {bold(found.verdict)}")
