"""Tests that need torchvision, in a process of their own: beside a CPU build of torch its wheel needs help to load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from with_torchvision import environment, fetch

HERE = Path(__file__).parent
TESTS = (
    "test_model_libraries.py",
    "test_detection_lists.py",
    "test_detector_heads.py",
    "test_image_processors.py::test_the_other_form_of_transformers_is_within_one_level",
)


@pytest.mark.slow
def test_what_needs_torchvision(tmp_path: Path) -> None:
    if reason := fetch(tmp_path):
        pytest.skip(reason)
    tests = [str(HERE / name) for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "with_torchvision", *tests, "-p", "no:cacheprovider"]
    # What is said where they are missing is seen in other processes.
    command += ["-k", "not not_installed"]
    env = environment(tmp_path)
    env["PYTHONPATH"] = f"{HERE.parents[1] / 'benchmarks' / 'sources'}:{env.get('PYTHONPATH', '')}".rstrip(":")
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parents[1], env=env)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout.splitlines()[-1], done.stdout
    assert "skipped" not in done.stdout, done.stdout
    assert "skipped" not in done.stdout
