"""Bar: over the suite of sixteen models the engines that ship take a small share of the time of the float engines.

Each row is built plain, or with a search (`--search 10m`), and what its evidence says is joined: the ratio of the
chosen engine to ONNX Runtime's float one, of alternating rounds of one run, with its interval. The geometric mean is
held to the limit of this kind of processor, and so is the number of rows in which another engine than the plain float
one ships. Outcomes are kept as JSON for each processor; the same command goes on where it stopped.

    python benchmarks/bars/suite.py --list                      # the rows: source, data, budget, how many samples
    python benchmarks/bars/suite.py --search 10m --only lite0
    python benchmarks/bars/suite.py --search 10m                # all of them, one after another
    python benchmarks/bars/suite.py --table docs/models.md      # of what was built, without building
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from _bars import Figure, main, verdict
from _suite_builds import built, code_digest, kept_build
from _suite_rows import ROOT, ROWS, SuiteRow
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.report import words
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.statistics.bounds import span
from edgewright_benchmarks.statistics.intervals import least_samples
from edgewright_cli.console import table
from edgewright_targets import host_facts
from edgewright_targets.host import INTEGER_FEATURES

sys.path.insert(0, str(ROOT / "benchmarks"))
from families import put_into

MARKS = ("<!-- suite -->", "<!-- /suite -->")
# Geometric mean over all rows, on a processor whose integer products have sums in 32 bits, and on others.
WITH_INTEGERS, WITHOUT_INTEGERS = 0.50, 0.65
# Rows, of sixteen, in which another engine than the plain float one has to ship.
OTHERS = 12
# Nodes of one reason that a note names.
_NAMED = 3
RESULTS = Path("demo/suite-results")


def limit_here() -> tuple[float, str]:
    """The limit of the geometric mean on this processor, and which processor that is."""
    facts = host_facts()
    found = [name for name in facts.features if name in INTEGER_FEATURES]
    return (WITH_INTEGERS if found else WITHOUT_INTEGERS), f"{facts.cpu}, {', '.join(found) or 'no VNNI and no AMX'}"


def geometric_mean(ratios: Sequence[Interval]) -> Interval:
    """Of the values, with those of the lower and of the upper ends: wider than an interval of the mean would be."""
    ends = ([one.value for one in ratios], [one.low for one in ratios], [one.high for one in ratios])
    return Interval(*(math.exp(sum(map(math.log, some)) / len(some)) for some in ends))


def chosen_ratio(result: Result) -> Interval:
    """The engine that ships against the float one; 1 where that ships itself."""
    latency = result.engine(result.chosen).latency
    return latency.ratio if latency is not None else Interval(1.0, 1.0, 1.0)


def note_of(row: SuiteRow, result: Result) -> str:
    """What ships and on how many samples; where that is the float engine, why nothing else does."""
    said = f"{result.chosen.removeprefix(f'{result.engine(result.chosen).target}-')}, {result.data.samples:,} samples"
    if result.chosen == result.baseline:
        refused = [engine for engine in result.engines if engine.status == "refused"]
        said += f": {' '.join(f'{one.precision}: {one.reasons[-1]}' for one in refused[:2] if one.reasons)}"
        said += _float_nodes(result)
    if result.data.samples < row.samples:
        said += f" (of {row.samples:,} declared)"
    return said


def _float_nodes(result: Result) -> str:
    """Which nodes a search left in float, those of one reason together; empty where nothing was searched."""
    nodes = result.search.float_nodes if result.search is not None else ()
    alike: dict[str, list[str]] = {}
    for node in nodes:
        alike.setdefault(node.reason, []).append(node.node)
    some = [f"{reason}: {', '.join(names[:_NAMED])} of {len(names)}" for reason, names in alike.items()]
    return f" In float, by node: {'; '.join(some)}." if some else ""


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    chosen = [row for row in ROWS if not options.only or row.name in options.only]
    extra = ("--search", options.search) if options.search else ()
    limit, processor = limit_here()
    figures, ratios, others = [], [], 0
    if options.table:
        put_into(options.table, suite_table(options.results, extra, processor), MARKS)
        chosen = [row for row in chosen if kept_build(row, options.results, extra) is not None]
    for row in chosen:
        made = built(row, options.results, extra, again=options.again)
        if made.failure:
            nothing = Interval(math.nan, math.nan, math.nan)
            figures.append(_figure(row.name, nothing, None, "FAIL", f"not built: {made.failure.splitlines()[-1]}"))
            continue
        result = made.result()
        ratio = chosen_ratio(result)
        ratios.append(ratio)
        others += result.chosen != result.baseline
        note = f"{note_of(row, result)}, built in {made.seconds / 60:.1f} minutes"
        if made.code != code_digest():
            note += ", by other code than that of now (--again builds it anew)"
        figures.append(_figure(row.name, ratio, None, "for information", note))
        print(f"{row.name}: {ratio.value:.3f} {note}", file=sys.stderr, flush=True)
    if ratios:
        mean = geometric_mean(ratios)
        of = f"{len(ratios)} of {len(ROWS)} rows"
        whole = len(ratios) == len(ROWS)
        figures.append(
            _figure("geometric mean", mean, limit, verdict(mean, limit) if whole else "not shown", f"{of}; {processor}")
        )
        share = Interval(others / len(ROWS), others / len(ROWS), others / len(ROWS))
        passed = others >= OTHERS
        note = f"{others} of {of}; at least {OTHERS}"
        figures.append(_figure("rows of another engine", share, None, "pass" if passed else "not shown", note))
    return figures


def _figure(compared: str, ratio: Interval, limit: float | None, judged: object, note: str) -> Figure:
    return Figure(bar="suite", compared=compared, ratio=ratio, limit=limit, verdict=judged, note=note)  # type: ignore[arg-type]


def suite_table(results: Path, extra: Sequence[str], processor: str) -> str:
    """The rows that were built here, as Markdown: what ships, how fast it is, and why it is not another engine."""
    headings = ("row", "ships", "latency against float", "lost at most, points", "samples", "built in, minutes")
    lines, reasons = [_line(headings), _line(["---"] * len(headings))], []
    ratios = []
    for row in ROWS:
        made = kept_build(row, results, extra)
        if made is None:
            continue
        result = made.result()
        engine, ratio = result.engine(result.chosen), chosen_ratio(result)
        ratios.append(ratio)
        own = result.chosen == result.baseline
        lost = words.NOTHING if own or engine.accuracy is None else words.points_bound(engine.accuracy.drop.high)
        shown = "1" if own else f"{ratio.value:.2f} ({span(ratio.low, ratio.high, 1, 2)})"
        name = engine.name.removeprefix(f"{engine.target}-")
        counted = f"{result.data.samples:,}{'' if result.data.labelled else ', agreement'}"
        lines.append(_line([row.name, f"`{name}`", shown, lost, counted, f"{made.seconds / 60:.1f}"]))
        if own:
            reasons.append(f"- {row.name}: {note_of(row, result).partition(': ')[2]}")
    if not ratios:
        return "Nothing was built on this machine yet."
    mean = geometric_mean(ratios)
    how = f"with `{' '.join(extra)}`" if extra else "without a search"
    head = (
        f"{len(ratios)} of {len(ROWS)} rows, built {how} on {processor}: geometric mean {mean.value:.2f} "
        f"(of the lower ends {mean.low:.2f}, of the upper ends {mean.high:.2f})."
    )
    return "\n".join([head, "", *lines, *[""] * bool(reasons), *reasons])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def listing() -> str:
    """The rows as a table: what each is, its data, its budget, and how many samples it has and needs."""
    header = ("row", "model", "weights", "source", "evaluation", "budget", "samples", "least")
    cells = [
        (
            row.name,
            row.title,
            row.weights,
            row.source,
            row.option("--evaluation") or words.NOTHING,
            f"{100 * row.max_drop:g} %",
            f"{row.samples:,}",
            f"{least_samples(row.max_drop):,}",
        )
        for row in ROWS
    ]
    return table(header, cells, right=(5, 6, 7))


class _List(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(listing())
        parser.exit()


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this bar."""
    parser.add_argument("--only", action="append", choices=[row.name for row in ROWS], metavar="ROW", help="only this")
    parser.add_argument("--search", metavar="TIME", help="build with a search of this length (default: plain builds)")
    parser.add_argument("--again", action="store_true", help="build anew what was built before")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where outcomes are kept (default: %(default)s)")
    parser.add_argument("--table", type=Path, metavar="DOCUMENT", help="write a table of what was built into this")
    parser.add_argument("--list", action=_List, nargs=0, help="print the rows and the source of each")


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], arguments))
