"""The table of what was built: family, source, provider, precision, with accuracy, latency ratio and rung.

Reads the evidence inside packages, so nothing is measured here; what was refused or failed has its line like the rest,
and why below. A provider is called without `ExecutionProvider`.

python benchmarks/families.py demo/*.ortpackage                       # prints the table
python benchmarks/families.py demo/*.ortpackage --into docs/models.md # puts it between the marks in a document
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.metrics import metric_title, metric_value
from edgewright_benchmarks.report import words
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import result_from_json
from edgewright_benchmarks.statistics.bounds import span
from edgewright_cli.console import say_error
from edgewright_runtime import Package
from edgewright_targets import EdgewrightError, InputError

BEGIN, END = "<!-- families -->", "<!-- /families -->"
_HEADINGS = (
    "engine", "provider", "precision", "status", "rung", "metric", "lost at most, points", "latency against float",
    "size",
)  # fmt: skip


def families(packages: Iterable[str]) -> str:
    """The tables of packages, by task, as Markdown.

    Raises:
        EdgewrightError: One cannot be read.
    """
    blocks: dict[str, list[str]] = {}
    for path in packages:
        package = Package.open(path)
        for target in package.targets:
            result = result_from_json(package.evidence(target), f"{path}: {target}")
            blocks.setdefault(result.task, []).append(_block(result, package.manifest.source.kind))
    return "\n\n".join(f"### `{task}`\n\n" + "\n\n".join(found) for task, found in sorted(blocks.items()))


def _block(result: Result, source: str) -> str:
    data, machine = result.data, result.machine
    what = "labelled" if data.labelled else "not labelled: agreement with the float engine"
    head = (
        f"**{result.model}** ({source}) for `{result.engine(result.baseline).target}`: {data.samples:,} samples of "
        f"{data.name}, {what}; budget {words.budget(result.max_drop)} points; {machine.cpu}, "
        f"{result.settings.threads} threads."
    )
    rows = [_line(_HEADINGS), _line(["---"] * len(_HEADINGS))]
    return "\n".join(
        [head, "", *rows, *(_line(_cells(engine, result)) for engine in result.engines), *_reasons(result)]
    )


def _reasons(result: Result) -> list[str]:
    """Why engines were refused or failed, those of one reason together."""
    alike: dict[str, list[str]] = {}
    for engine in result.engines:
        if engine.status in ("refused", "failed") and engine.reasons:
            alike.setdefault(" ".join(engine.reasons), []).append(f"`{_short(engine)}`")
    return [""] * bool(alike) + [f"- {', '.join(names)}: {reason}" for reason, names in alike.items()]


def _short(engine: EngineResult) -> str:
    return engine.name.removeprefix(f"{engine.target}-")


def _cells(engine: EngineResult, result: Result) -> Sequence[str]:
    baseline = result.engine(result.baseline)
    status = "ships" if engine.name == result.chosen else engine.status
    metric, lost = words.NOTHING, words.NOTHING
    if engine.accuracy is not None:
        name, value = next(iter(engine.accuracy.metrics.items()))
        metric = f"{metric_title(name, result.measure, first=True)} {metric_value(name, value.value)}"
        if engine.name != result.baseline:
            lost = words.points_bound(engine.accuracy.drop.high)
    ratio = words.NOTHING
    if engine.latency is not None and engine.rung == "measured":
        found = engine.latency.ratio
        ratio = f"{found.value:.2f} ({span(found.low, found.high, 1, 2)})" if engine.name != result.baseline else "1"
    size = words.NOTHING
    if engine.size_bytes and baseline.size_bytes:
        size = f"{engine.size_bytes / baseline.size_bytes:.2f}"
    # A failed engine has no figures, so none that were obtained in some way.
    rung = words.NOTHING if engine.status == "failed" else engine.rung
    provider = engine.provider.removesuffix("ExecutionProvider")
    return [f"`{_short(engine)}`", provider, engine.precision, status, rung, metric, lost, ratio, size]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def put_into(document: Path, text: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Replace what stands between two marks in a document.

    Raises:
        InputError: It has no marks.
    """
    before, begin, rest = document.read_text(encoding="utf-8").partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise InputError(f"'{document}' has no place for the table: {marks[0]} and {marks[1]}, in this order.")
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def main() -> int:
    """Print the table, or put it into a document; the exit code: 0 done, 2 wrong use."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+", metavar="PACKAGE", help="package folders")
    parser.add_argument("--into", type=Path, metavar="DOCUMENT", help=f"a document with {BEGIN} and {END}")
    options = parser.parse_args()
    try:
        text = families(options.packages)
        if options.into:
            put_into(options.into, text)
        else:
            print(text)
    except EdgewrightError as error:
        say_error(error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
