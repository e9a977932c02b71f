"""What a search finds out about a model: what each group of nodes costs in each precision, and what it hurts.

    python benchmarks/bars/search_facts.py demo/checkpoints/intents --calibration demo/data/train.csv \\
        --candidate cpu-int8

A line is a group: what its quantization alone does to the outputs (0.01 is a hundredth of their size), its operations,
its time in float and in the lower precision, and whether it gains nothing. Below are the error of all groups together
beside the root of the sum of their squares, and the times of the whole graph. What was found before comes from the
cache.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path

from edgewright_benchmarks.progress import Terminal
from edgewright_cli.console import print_json, say_error, table
from edgewright_compiler.building.calibration_feeds import CalibrationFeeds
from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.building.exports import export
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.stage import CandidateError, Stages
from edgewright_compiler.cache import StageCache
from edgewright_compiler.search.facts import Facts
from edgewright_compiler.search.find_facts import find_facts
from edgewright_targets import EdgewrightError, InputError, host_facts
from edgewright_targets.errors import nearest
from edgewright_targets.record import write_record


def measure(options: argparse.Namespace, folder: Path) -> Facts:
    """The facts of one candidate.

    Raises:
        EdgewrightError: The source, the data or the candidate is wrong.
    """
    progress = Terminal()
    asked = BuildOptions(
        output=folder / "unused",
        targets=(options.target,),
        calibration=options.calibration,
        task=options.task,
        labels=options.labels,
    )
    job = read_jobs(options.source, asked)[0].placed(progress)
    candidates = {one.name: one for one in job.target.candidates}
    if options.candidate not in candidates:
        raise InputError(
            f"{job.target.name} has no candidate '{options.candidate}'.", hint=nearest(options.candidate, candidates)
        )
    stages = Stages(StageCache(), progress)
    exported = export(stages, job)
    graphs = Graphs(stages, job, CalibrationFeeds(stages, job, as_written=False), exported)
    try:
        return find_facts(graphs, candidates[options.candidate])
    except CandidateError as error:
        raise EdgewrightError(f"{options.candidate} cannot be made from this model. {error}") from error


def _as_table(facts: Facts) -> str:
    idle = facts.without_gain()
    header = ("group", "operators", "error", "operations", "float, us", f"{facts.candidate}, us", "gains nothing")
    rows = [
        (
            one.group.name,
            "+".join(one.group.operators),
            "" if one.error is None else f"{one.error:.4f}",
            f"{one.operations / 1e6:.2f} M",
            _microseconds(one.float_seconds),
            _microseconds(one.low_seconds),
            "x" if one.group in idle else "",
        )
        for one in facts.groups
    ]
    squares = math.sqrt(sum(one.error**2 for one in facts.groups if one.error is not None))
    lines = [table(header, rows), ""]
    if facts.error is not None:
        lines.append(f"error of all groups together {facts.error:.4f}, root of the sum of squares {squares:.4f}")
    if facts.timed:
        whole = [facts.float_seconds, facts.low_seconds, facts.seconds_without(set(idle))]
        lines.append(
            "all nodes {} us in float, {} us quantized, {} us expected with groups that gain nothing in float".format(
                *map(_microseconds, whole)
            )
        )
    return "\n".join([*lines, facts.note] if facts.note else lines)


def _microseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1e6 * seconds:.0f}"


def main() -> int:
    """Parse, find, print; the exit code: 0, or 2 for wrong use."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="checkpoint folder, .onnx file, or package.module:function")
    parser.add_argument("--calibration", required=True, help="samples, as for a build")
    parser.add_argument("--candidate", default="cpu-int8", help="whose recipe and provider (default: %(default)s)")
    parser.add_argument("--target", default="host", help="default: this machine")
    parser.add_argument("--task", help="as for a build")
    parser.add_argument("--labels", help="as for a build")
    parser.add_argument("--json", action="store_true", help="print the facts as JSON")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            facts = measure(options, Path(folder))
    except EdgewrightError as error:
        say_error(error)
        return error.exit_code
    if options.json:
        print_json({"facts": write_record(facts), "machine": write_record(host_facts())})
    else:
        print(_as_table(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
