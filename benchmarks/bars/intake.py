"""Bar: what people bring reaches its natural task with the first or second command, and answers right.

Each source is of another maker: ONNX files and torch code out of ordinary packages, models of timm, torchvision and
transformers by their usual architectures, converted pipelines of scikit-learn. The natural task and what a person types
were written down before it first ran. The command is a real one, in a process of its own, with the candidates of this
machine and a limit of time; a second one is typed only where the refusal of the first says so. Of a package the
answers of the float engine, on what stands for a device, are compared with those of the library called by hand.

Goal: of at least 25 sources 22 of 25 reach a package with their task, and all answer right or are refused in words.

    python benchmarks/bars/intake.py --list                    # the sources: tasks and commands
    python benchmarks/bars/intake.py --only centerface
    python benchmarks/bars/intake.py                           # all; ended and called again, it goes on behind the last
    python benchmarks/bars/intake.py --table docs/models.md    # of what was tried, without trying anything

Every outcome is a line of the file `--results`. Outcomes of other commands than those written down now do not count.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sources"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import _intake_checkpoints
import _intake_graphs
import _intake_libraries
import _intake_lines
import _intake_modules
import _intake_pictures
import _intake_tables
import with_torchvision
from _intake_report import append, as_markdown, goals, kept
from _intake_run import Outcome, run_source, setup_of
from _intake_source import Source
from _suite_builds import code_digest
from edgewright_benchmarks.versions import installed_versions
from edgewright_cli.console import print_json, table
from families import put_into
from fetched import CannotFetchError

SOURCES: tuple[Source, ...] = (
    *_intake_graphs.SOURCES,
    *_intake_lines.SOURCES,
    *_intake_pictures.SOURCES,
    *_intake_modules.SOURCES,
    *_intake_libraries.SOURCES,
    *_intake_checkpoints.SOURCES,
    *_intake_tables.SOURCES,
)
MARKS = ("<!-- intake -->", "<!-- /intake -->")
RESULTS = Path("demo/intake-bar.jsonl")
# Seconds of a command.
LIMIT = 600.0
_TOOLS = ("torch", "transformers", "onnxruntime", "numpy")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 where the goals are met by the sources that were asked for, 1 where not, 2 for wrong use."""
    options = _parser().parse_args(arguments)
    chosen = [source for source in SOURCES if not options.only or source.name in options.only]
    if options.list:
        words = [(one.name, one.kind, one.weights, one.task, " ".join(one.first)) for one in chosen]
        print(table(("source", "kind", "weights", "task", "first command"), words))
        return 0
    found = {} if options.again else kept(options.results, chosen)
    if options.table:
        put_into(options.table, as_markdown(chosen, found), MARKS)
        return 0
    missing = [source for source in chosen if source.name not in found]
    for outcome in _tried(missing, options):
        found[outcome.name] = outcome
    outcomes = [found[source.name] for source in chosen if source.name in found]
    met, said = goals(outcomes)
    if options.json:
        print_json({"sources": [asdict(one) for one in outcomes], "tools": installed_versions(_TOOLS)})
    else:
        print(as_markdown(chosen, found))
        print(f"\n{said}", file=sys.stderr)
    # A slice is too few for the goals: then nothing may be wrong.
    return int(any(one.verdict == "WRONG" for one in outcomes) if options.only else not met)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [source.name for source in SOURCES]
    parser.add_argument("--only", action="append", metavar="NAME", choices=names, help="a source, once for each")
    parser.add_argument("--list", action="store_true", help="print the sources with their tasks and commands")
    parser.add_argument("--again", action="store_true", help="try again what was tried before")
    words = "where outcomes are kept, a line each (default: %(default)s)"
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help=words)
    words = "most seconds of a command (default: %(default)g)"
    parser.add_argument("--limit", type=float, default=LIMIT, metavar="SECONDS", help=words)
    parser.add_argument("--table", type=Path, metavar="DOCUMENT", help="write a table of what was tried into this")
    parser.add_argument("--json", action="store_true", help="print the outcomes as JSON")
    return parser


def _tried(sources: Sequence[Source], options: argparse.Namespace) -> list[Outcome]:
    """Try sources one after another; each outcome is kept as soon as it is there."""
    beside = [one for one in sources if one.torchvision and with_torchvision.FOLDER not in os.environ]
    found = []
    for source in sources:
        if source in beside:
            continue
        outcome = _one(source, options.limit)
        print(f"{source.name}: {outcome.verdict} {outcome.note}", file=sys.stderr, flush=True)
        append(options.results, outcome)
        found.append(outcome)
    return found + (_beside_torchvision(beside, options) if beside else [])


def _one(source: Source, limit: float) -> Outcome:
    with tempfile.TemporaryDirectory(prefix=f"{source.name}-") as scratch:
        try:
            return run_source(source, Path(scratch), limit)
        except CannotFetchError as error:
            return _not_run(source, str(error))
        except ImportError as error:
            return _not_run(source, f"not installed: {error}")
        except Exception as error:  # noqa: BLE001 - a source that breaks is wrong; the others are tried
            traceback.print_exc()
            return replace(_not_run(source, f"{type(error).__name__}: {error}"), verdict="WRONG")


def _not_run(source: Source, why: str) -> Outcome:
    return Outcome(name=source.name, verdict="not run", note=why, setup=setup_of(source), code=code_digest())


def _beside_torchvision(sources: Sequence[Source], options: argparse.Namespace) -> list[Outcome]:
    """The same in a process that has torchvision and timm, which are fetched for it."""
    with tempfile.TemporaryDirectory(prefix="torchvision-") as folder:
        if reason := with_torchvision.fetch(Path(folder)):
            return [_not_run(source, reason) for source in sources]
        names = [word for source in sources for word in ("--only", source.name)]
        settings = ["--again", "--results", str(options.results), "--limit", str(options.limit), "--json"]
        subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), *names, *settings],
            check=False,
            stdout=subprocess.DEVNULL,
            env=with_torchvision.environment(Path(folder)),
        )
    found = kept(options.results, sources)
    return [found.get(one.name) or _not_run(one, "the process beside torchvision gave no outcome") for one in sources]


if __name__ == "__main__":
    sys.exit(main())
