"""The jobs in docs/ci: their steps run in a bare shell, in a clean clone of a repository with two packages.

One pair of packages is equal, in the other the new package has a planted loss.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
import yaml  # type: ignore[import-untyped] # stubs are another package

import edgewright_runtime
import tiny_models
from command import QUICK, run_apart

CI = Path(__file__).resolve().parents[2] / "docs" / "ci"
SAMPLES = 1000
# Rules on times depend on what else runs here.
RULES = "accuracy < -0.5, size > +10%"


@pytest.fixture(scope="module")
def repository(sources: Path, built_arrays: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of a user: the released package, an equal one, one that lost about two points, and test data."""
    folder = tmp_path_factory.mktemp("repository")
    pixels = np.random.default_rng(7).normal(size=(SAMPLES, 8)).astype(np.float32)
    model = edgewright_runtime.load(built_arrays)
    truth = [int(np.argmax(model({"pixels": row[None]})["scores"])) for row in pixels]
    tiny_models.write_arrays(folder / "test.npz", pixels=pixels, label=np.array(truth))
    graph = ir.load(sources / "perceptron.onnx")
    bias = graph.graph.initializers["b2"]
    assert bias.const_value is not None
    shift = np.array([0.45, 0, 0, 0], dtype=np.float32)
    bias.const_value = ir.tensor(np.asarray(bias.const_value.numpy()) + shift, name="b2")
    ir.save(graph, folder / "worse.onnx")
    made = run_apart(
        "build", folder / "worse.onnx", "--calibration", sources / "inputs.npz", "--target", sources / "tiny.toml",
        "-o", folder / "worse.ortpackage", *QUICK, cache=shared_cache,
    )  # fmt: skip
    assert made.code == 0, made.err
    for name in ("released", "equal"):
        shutil.copytree(built_arrays, folder / f"{name}.ortpackage")
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(folder))
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "packages")):
        subprocess.run([*git, *arguments], check=True)
    return folder


@pytest.fixture
def clone(repository: Path, tmp_path: Path) -> Path:
    subprocess.run(["git", "clone", "-q", str(repository), str(tmp_path / "clone")], check=True)
    return tmp_path / "clone"


@pytest.fixture
def bare(tmp_path: Path, shared_cache: Path) -> dict[str, str]:
    """What the shell of a runner has: a command `edgewright`, and nothing of this session."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "edgewright"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m edgewright_cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "TMPDIR") if name in os.environ}
    return {**kept, "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "XDG_CACHE_HOME": str(shared_cache)}


def job(name: str) -> tuple[dict[str, str], list[str]]:
    """The variables of a job, and its steps without the installation."""
    read: dict[str, Any] = yaml.safe_load((CI / name).read_text(encoding="utf-8"))
    if name == "github.yml":
        made = read["jobs"]["gate"]
        return made["env"], [step["run"] for step in made["steps"] if "run" in step and step["name"] != "install"]
    return read["gate"]["variables"], read["gate"]["script"]


def run(name: str, candidate: str, clone: Path, bare: dict[str, str]) -> Iterator[subprocess.CompletedProcess[str]]:
    variables, steps = job(name)
    names = {"RELEASED": "released.ortpackage", "CANDIDATE": candidate, "DATA": "test.npz", "RULES": RULES}
    assert names.keys() == variables.keys()
    for step in steps:
        env = {**bare, **names, "GITHUB_STEP_SUMMARY": str(clone / "summary.md")}
        yield subprocess.run(["bash", "-e", "-c", step], cwd=clone, env=env, capture_output=True, text=True)


def test_github_fails_on_a_planted_loss(clone: Path, bare: dict[str, str]) -> None:
    gate, summary = run("github.yml", "worse.ortpackage", clone, bare)
    assert gate.returncode == 1, gate.stderr
    assert "::error file=released.ortpackage,title=" in gate.stdout
    assert summary.returncode == 0
    assert "❌ fail | Accuracy changed by" in (clone / "summary.md").read_text(encoding="utf-8")


def test_github_passes_an_equal_package(clone: Path, bare: dict[str, str]) -> None:
    gate, summary = run("github.yml", "equal.ortpackage", clone, bare)
    assert (gate.returncode, summary.returncode) == (0, 0), gate.stderr
    assert "::" not in gate.stdout
    assert "✅" in (clone / "summary.md").read_text(encoding="utf-8")
    assert (clone / "gate.xml").exists()


def test_gitlab_fails_on_a_planted_loss(clone: Path, bare: dict[str, str]) -> None:
    (gate,) = run("gitlab.yml", "worse.ortpackage", clone, bare)
    assert gate.returncode == 1, gate.stderr
    (issue,) = json.loads((clone / "gl-code-quality-report.json").read_text(encoding="utf-8"))
    assert issue["check_name"] == "edgewright/accuracy"


def test_gitlab_passes_an_equal_package(clone: Path, bare: dict[str, str]) -> None:
    (gate,) = run("gitlab.yml", "equal.ortpackage", clone, bare)
    assert gate.returncode == 0, gate.stderr
    assert json.loads((clone / "gl-code-quality-report.json").read_text(encoding="utf-8")) == []
