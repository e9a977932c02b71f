"""Two builds from scratch of the same input: the same bytes, but for the evidence, which is measured anew."""

import subprocess
from pathlib import Path

import pytest

from command import PROGRAM, QUICK, environment

pytestmark = pytest.mark.slow


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _without_evidence(package: Path) -> dict[str, bytes]:
    files = {name: content for name, content in _files(package).items() if "evidence" not in name}
    lines = files["SHA256SUMS"].splitlines()
    assert any(b"evidence" in line for line in lines)
    return files | {"SHA256SUMS": b"\n".join(line for line in lines if b"evidence" not in line)}


@pytest.mark.parametrize("kind", ["checkpoint", "onnx", "torch"])
def test_same_bytes(checkpoint: Path, sources: Path, tmp_path: Path, kind: str) -> None:
    import tiny_torch

    # The weights of the checkpoint are random.
    texts = ("--calibration", sources / "train.csv", "--evaluation", sources / "validation.csv", "--accept-baseline")
    source = {
        "checkpoint": (checkpoint, *texts),
        "onnx": (sources / "external.onnx", "--calibration", sources / "inputs.npz"),
        "torch": (f"{tiny_torch.write_torch_module(tmp_path)}:linear",),
    }[kind]
    # With no drop allowed and few samples only the baseline can ship: what ships must not depend on noise here.
    fixed = ("--max-drop", "0", "--target", sources / "tiny.toml", *QUICK)
    processes = []
    for seed in ("1", "2"):
        words = ("build", *source, "-o", tmp_path / seed / "p.ortpackage", *fixed)
        (tmp_path / seed).mkdir()
        settings = environment(tmp_path / f"cache-{seed}") | {"PYTHONHASHSEED": seed}
        processes.append(
            subprocess.Popen(
                [*PROGRAM, *map(str, words)], env=settings, cwd=tmp_path, stderr=subprocess.PIPE, text=True
            )
        )
    for process in processes:
        _, stderr_text = process.communicate(timeout=900)
        assert process.returncode == 0, stderr_text
    first, second = (_without_evidence(tmp_path / seed / "p.ortpackage") for seed in ("1", "2"))
    assert first == second
    # Engines that did not ship are the same too.
    for stage in ("export", "quantize"):
        one, two = (_files(tmp_path / f"cache-{seed}" / "edgewright" / "stages" / stage) for seed in ("1", "2"))
        assert one == two
        assert any(name.endswith("model.onnx") for name in one)
