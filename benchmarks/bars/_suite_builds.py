"""Builds of the suite's rows: each a process of its own, its outcome kept as JSON, so that nothing is built twice."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from _suite_rows import ROOT, SOURCES, SuiteRow
from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.result import Result
from edgewright_runtime import Package
from edgewright_targets import InputError, host_facts
from edgewright_targets.record import write_record

# What a build says last where it goes wrong.
_LAST = 400


@dataclass(frozen=True, kw_only=True)
class SuiteBuild:
    """What came of the build of a row.

    Attributes:
        row: Its name.
        options: Options that the build had beside those of the row, such as `--search 10m`.
        package: The package folder; empty where the build failed.
        seconds: That the build took, preparations not counted.
        failure: Why there is no package; empty where there is one.
        code: Digest of the project's code that built it.
    """

    row: str
    options: tuple[str, ...]
    package: str
    seconds: float
    failure: str = ""
    code: str = ""

    def result(self) -> Result:
        """The evidence in the package, of its first target."""
        return build_evidence(Package.open(self.package))


@cache
def code_digest() -> str:
    """Tells the code of the rooms from that of before or after a change."""
    digest = hashlib.sha256()
    for room in ("compiler", "runtime", "benchmarks/edgewright_benchmarks", "targets"):
        for file in sorted((ROOT / room).rglob("*")):
            if file.suffix in (".py", ".toml"):
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def environment(root: Path = ROOT) -> dict[str, str]:
    """What processes of a checkout see: its rooms and the sources of the bars."""
    rooms = [str(root / room) for room in ("compiler", "runtime", "benchmarks", "targets", "benchmarks/sources")]
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**kept, "PYTHONPATH": os.pathsep.join([*rooms, str(SOURCES)])}


def prepare(row: SuiteRow) -> None:
    """Make the source and the data of a row, as far as they are not there.

    Raises:
        InputError: One of its commands failed.
    """
    for words in row.prepare:
        # A table that is written anew would be other data to the cache's eyes, and takes time.
        if "--out" in words and (ROOT / words[words.index("--out") + 1]).is_dir():
            continue
        print(f"$ {shlex.join(words)}", file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, check=False, env=environment())
        if done.returncode:
            raise InputError(f"'{row.name}' cannot be prepared: '{shlex.join(words)}' failed.")


def build_command(row: SuiteRow, output: Path, options: Sequence[str]) -> list[str]:
    """The command that builds a row."""
    code = "import sys; from edgewright_cli import main; sys.exit(main())"
    return [sys.executable, "-c", code, "build", *row.build, *options, "-o", str(output)]


def built(row: SuiteRow, results: Path, options: Sequence[str], *, again: bool = False) -> SuiteBuild:
    """The build of a row with these options on this machine: the one that is kept, or a new one.

    Raises:
        InputError: The source or the data cannot be made.
    """
    before = None if again else kept_build(row, results, options)
    if before is not None:
        return before
    prepare(row)
    name, kept = _place(row, results, options)
    print(f"{row.name}: building", file=sys.stderr, flush=True)
    results.mkdir(parents=True, exist_ok=True)
    output = (results / f"{name}.ortpackage").resolve()
    start = time.monotonic()
    done = subprocess.run(
        build_command(row, output, options), cwd=ROOT, check=False, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        text=True, env=environment(),
    )  # fmt: skip
    seconds = time.monotonic() - start
    failure = "" if done.returncode == 0 else done.stderr.strip()[-_LAST:] or f"exit code {done.returncode}"
    found = SuiteBuild(
        row=row.name,
        options=tuple(options),
        package="" if failure else str(output),
        seconds=seconds,
        failure=failure,
        code=code_digest(),
    )
    record = {"words": list(row.build), "build": write_record(found), "machine": write_record(host_facts())}
    kept.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return found


def kept_build(row: SuiteRow, results: Path, options: Sequence[str]) -> SuiteBuild | None:
    """The build of a row with these options that is kept of this machine, if its package is still there."""
    _, kept = _place(row, results, options)
    if not kept.is_file():
        return None
    data: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    found = SuiteBuild(**{**data["build"], "options": tuple(data["build"]["options"])})
    there = data["words"] == list(row.build) and not found.failure and Path(found.package).is_dir()
    return found if there else None


def _place(row: SuiteRow, results: Path, options: Sequence[str]) -> tuple[str, Path]:
    name = "-".join([row.name, *(word.lstrip("-") for word in options)])
    return name, results / f"{name}-{_machine()}.json"


def _machine() -> str:
    """Tells processors apart: what was built on one says nothing about another."""
    facts = host_facts()
    return hashlib.sha256(json.dumps([facts.cpu, facts.cores, sorted(facts.features)]).encode()).hexdigest()[:8]
