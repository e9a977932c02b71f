"""The command line of the fuzz test; `run.py` starts it."""

from __future__ import annotations

import argparse
import dataclasses
import gc
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fuzz.cases import PAIRS, Case
from fuzz.report import Result, report
from fuzz.room import Room
from fuzz.seeds import Seeds, make_seeds
from fuzz.subjects import SUBJECTS

# Imported before the first case, so that no case pays for it.
_IMPORTED = (
    "onnx", "onnxruntime", "soundfile", "soxr", "tiny_models", "tokenizers", "torch", "transformers",
    "edgewright_benchmarks.applications.bench_whole", "edgewright_benchmarks.applications.whole_result",
    "edgewright_benchmarks.data", "edgewright_benchmarks.devices.ssh", "edgewright_benchmarks.result_files",
    "edgewright_benchmarks.tasks", "edgewright_benchmarks.devices.workers", "edgewright_cli",
    "edgewright_compiler.applications.prove_whole",
    "edgewright_compiler.sources.declared", "edgewright_compiler.sources.huggingface",
    "edgewright_compiler.sources.onnx_file", "edgewright_compiler.sources.torch_module", "edgewright_compiler.tasks",
    "edgewright_runtime.applications.selftest",
    "edgewright_runtime.archive", "edgewright_runtime.engine", "edgewright_runtime.finished",
    "edgewright_runtime.loading", "edgewright_runtime.selftest", "edgewright_runtime.steps",
)  # fmt: skip


def main() -> int:
    """Run cases; gives 1 where one of them did not end well."""
    parser = argparse.ArgumentParser(description="Mutates packages, sources, data and devices, and looks what happens.")
    parser.add_argument("--cases", type=int, default=PAIRS, help=f"how many (default: each operator once, {PAIRS})")
    parser.add_argument("--seed", type=int, default=7, help="of all random choices (default: 7)")
    parser.add_argument("--case", type=int, help="this one alone, with its traceback; its folder is kept")
    parser.add_argument("--subject", choices=sorted(SUBJECTS), action="append", help="cases of this one only")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once (default: 1)")
    parser.add_argument("--work", type=Path, help="seeds and results are kept there, and a later run goes on")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgewright-fuzz-") as temporary:
        work = (options.work or Path(temporary)).absolute()
        _fix_environment(work)
        seeds = Seeds(work / "seeds")
        if not (seeds.folder / "whole").exists():
            make_seeds(seeds.folder)
            (seeds.folder / "whole").touch()
        for name in _IMPORTED:
            importlib.import_module(name)
        # A collection in a child would touch, and so copy, every object of the libraries: half of a case's time.
        gc.collect()
        gc.freeze()
        if options.case is not None:
            return _one(Case(options.seed, options.case), seeds)
        wanted = [Case(options.seed, number) for number in range(options.cases)]
        if options.subject:
            wanted = [case for case in wanted if case.subject in options.subject]
        results = _all(wanted, seeds, work / f"results-{options.seed}", max(1, options.jobs))
    print(report(results))
    return 0 if all(result.clean for result in results) else 1


def _fix_environment(work: Path) -> None:
    # Threads of libraries do not survive a fork, and seeds must not come from the user's own cache.
    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "XDG_CACHE_HOME": str(work / "cache"),
    }
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)


def _one(case: Case, seeds: Seeds) -> int:
    room = Room(Path(tempfile.mkdtemp(prefix=f"edgewright-fuzz-{case.number}-")))
    result = _result(case, seeds, room)
    print(f"{case.subject} / {case.operator}: {result.kind} {result.reason}\n{result.detail}\nIt is in {room.folder}.")
    return 0 if result.clean else 1


def _result(case: Case, seeds: Seeds, room: Room) -> Result:
    outcome = case.run(seeds, room)
    return Result(
        number=case.number,
        subject=case.subject,
        operator=case.operator,
        kind=outcome.kind,
        reason=outcome.reason,
        detail=outcome.detail,
    )


def _all(wanted: Sequence[Case], seeds: Seeds, folder: Path, jobs: int) -> list[Result]:
    """Run what has no result in the folder yet, in as many processes; each writes one line a case."""
    folder.mkdir(parents=True, exist_ok=True)
    # A number is another case once there is another operator.
    asked = {(case.number, case.subject, case.operator): case for case in wanted}
    done = {(result.number, result.subject, result.operator) for result in _read(folder)}
    waiting = [case for key, case in asked.items() if key not in done]
    children = []
    for job in range(jobs):
        child = os.fork()
        if child == 0:
            try:
                _job(waiting[job::jobs], seeds, folder / f"{job}-of-{jobs}.jsonl", Room(folder / f"room-{job}"))
            except BaseException:  # noqa: BLE001 - a child must never go on as if it were its parent
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        children.append(child)
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    assert not failed, "a process of the fuzz test ended early"
    found = {(result.number, result.subject, result.operator): result for result in _read(folder)}
    return [found[key] for key in asked]


def _job(cases: Sequence[Case], seeds: Seeds, path: Path, room: Room) -> None:
    room.base.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for case in cases:
            file.write(json.dumps(dataclasses.asdict(_result(case, seeds, room))) + "\n")
            file.flush()


def _read(folder: Path) -> list[Result]:
    found = []
    for path in folder.glob("*.jsonl"):
        # A run that was killed may have left half of a line: the case comes again.
        found += [
            Result(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line[-1] == "}"
        ]
    return found
