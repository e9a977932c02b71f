"""Bar: answers of the same engine on this machine and on an emulated 64-bit Arm processor.

    python benchmarks/bars/emulated_agreement.py demo/checkpoints/intents --calibration demo/data/train.csv \\
        --data demo/data/test.csv --samples 200 --cpu cortex-a76

Each line is one engine: samples that differ at all, those whose answer changes class, the largest absolute difference
of any output, and the processor time of the emulator as a share of what 2 cores have in the ten minutes that 200
samples of all engines may take. Processor time, because other work on this machine does not lengthen it. Differences
of each sample are in the JSON output.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edgewright_benchmarks.devices.engine_worker import Place
from edgewright_benchmarks.judging.native_comparison import compare_with_native
from edgewright_benchmarks.measuring.emulated_answers import answer_engines
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.progress import Progress, Terminal
from edgewright_cli.console import print_json, say_error, table
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.emulators import emulator_module
from edgewright_targets import EdgewrightError, host_facts
from edgewright_targets.record import write_record

_ALLOWED_SECONDS_A_SAMPLE = 2 * 600 / 200


def _answers(package: Path, engine: str, samples: Sequence[Any], place: Place, progress: Progress) -> list[Prediction]:
    readings = answer_engines(package, {engine: place}, samples, f"{engine}: answering", progress)[engine]
    if readings.failure is not None:
        raise EdgewrightError(f"'{engine}' did not answer: {readings.failure}")
    return list(readings.predictions)


def _spent() -> float:
    """Processor time of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    progress = Terminal()
    emulator = emulator_module("aarch64").prepare(progress)
    build = BuildOptions(
        output=folder / "unused",
        targets=("aarch64",),
        calibration=options.calibration,
        evaluation=options.data,
        emulated_samples=options.samples,
    )
    (job,) = read_jobs(options.source, build)
    # The same graphs under this machine's name: an engine of another architecture is refused, as it should be.
    own = dataclasses.replace(job.target, architecture=host_facts().architecture)
    names = draft_package(job, folder / "arm", StageCache(), progress)
    draft_package(dataclasses.replace(job, target=own), folder / "here", StageCache(), progress)
    samples = job.evaluation.samples
    place = Place(emulator.command(options.cpu))
    lines = []
    for name in names:
        if options.engine and not name.endswith(options.engine):
            continue
        here = _answers(folder / "here", name, samples, Place(), progress)
        start = _spent()
        there = _answers(folder / "arm", name, samples, place, progress)
        seconds = _spent() - start
        found = compare_with_native(there, here, host_facts().architecture)
        lines.append(
            {
                "engine": name,
                "cpu": options.cpu,
                **write_record(found),
                "share_of_time": seconds / (_ALLOWED_SECONDS_A_SAMPLE * len(samples)),
            }
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source")
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--cpu", default="cortex-a76")
    parser.add_argument("--engine", help="only engines whose names end so")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        with TemporaryDirectory() as name:
            lines = measure(options, Path(name))
    except EdgewrightError as error:
        say_error(error)
        return error.exit_code
    if options.json:
        print_json({"lines": lines})
    rows = [
        (
            line["engine"],
            line["cpu"],
            str(line["samples"]),
            str(line["differing"]),
            str(line["changed"]),
            f"{line['largest']:.1e}",
            f"{line['share_of_time']:.2f}",
        )
        for line in lines
    ]
    header = ("engine", "emulated", "samples", "differ", "changed", "largest difference", "share of the time allowed")
    print(table(header, rows, right=(2, 3, 4, 5, 6)), file=sys.stderr if options.json else sys.stdout)
    share = sum(line["share_of_time"] for line in lines)
    print(f"{share:.2f} of the time allowed for all of them together", file=sys.stderr)
    return 0 if share <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
