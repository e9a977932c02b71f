"""Nothing that lies is let in: a bounded part of the fuzz test, and that the fuzz test finds what it looks for."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgewright_targets.host import architecture
from fuzz.bits import unnoticed_flips
from fuzz.cases import PAIRS, Case
from fuzz.report import Result, faults, report
from fuzz.subjects import SUBJECTS

_SEED = 7
_TESTS = Path(__file__).resolve().parents[1]
_SOURCES = _TESTS.parent / "benchmarks" / "sources"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits, descriptors of processes and audits of Linux")


@pytest.mark.slow
def test_every_operator_on_everything(tmp_path: Path) -> None:
    """Each once; any length by hand, see CONTRIBUTING.md."""
    command = [
        sys.executable,
        str(_TESTS / "fuzz" / "run.py"),
        "--seed",
        str(_SEED),
        "--jobs",
        "2",
        "--work",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-4000:]}"
    assert f"{PAIRS:,} cases, 0 faults" in done.stdout


def test_faults_made_on_purpose_are_found(tmp_path: Path) -> None:
    path = os.pathsep.join([str(_TESTS), str(_SOURCES), *(entry for entry in sys.path if entry)])
    environment = os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.on_purpose", tmp_path], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    expected = {
        "accepted": "accepted",
        "refused": "refused",
        "changed": "changed",
        "traceback": "traceback",
        "panic": "traceback",
        "crash": "crash",
        "exit": "crash",
        "spins": "hang",
        "waits": "hang",
        "too much memory": "memory",
        "writes": "outside",
        "removes": "outside",
        "makes": "outside",
        "makes beside": "outside",
        "writes elsewhere": "outside",
        "long message": "text",
        "escape sequence": "text",
    }
    found = json.loads(done.stdout)
    # Only a disk that keeps the time of access shows a read (mount option noatime).
    if _reads_show(tmp_path / "probe"):
        expected["reads"] = "outside"
    else:
        del found["reads"]
    assert found == expected


def _reads_show(path: Path) -> bool:
    path.write_text("x")
    os.utime(path, (0, 1))
    path.read_text()
    return path.stat().st_atime != 0


def test_verify_notices_every_flipped_bit(tmp_path: Path) -> None:
    stored = _TESTS / "data" / "format-1"
    if architecture() != "x86_64":
        pytest.skip("the engine of the stored package is for x86-64")
    assert not unnoticed_flips(Path(shutil.copytree(stored, tmp_path / "p")), count=1000, seed=_SEED)


def test_a_case_follows_from_its_number() -> None:
    first, again = ([Case(_SEED, number) for number in range(PAIRS)] for _ in range(2))
    pairs = [(case.subject, case.operator) for case in first]
    assert pairs == [(case.subject, case.operator) for case in again]
    assert len(set(pairs)) == PAIRS
    assert set(SUBJECTS) == {subject for subject, _ in pairs}
    assert [(c.subject, c.operator) for c in (Case(8, number) for number in range(PAIRS))] != pairs


def test_the_report_counts_and_names_a_case_to_look_at() -> None:
    results = [
        Result(number=0, subject="load", operator="bit flip", kind="accepted", reason=""),
        Result(number=1, subject="load", operator="bit flip", kind="traceback", reason="KeyError at engine.py:9: 'a'"),
        Result(number=2, subject="verify", operator="splice", kind="traceback", reason="KeyError at engine.py:9: 'b'"),
        Result(number=3, subject="verify", operator="splice", kind="refused", reason="PackageError: no"),
    ]
    assert [[result.number for result in group] for group in faults(results).values()] == [[1, 2]]
    text = report(results)
    assert "4 cases, 2 faults of 1 kinds" in text
    assert "--case 1 " in text
