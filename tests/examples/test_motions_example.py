"""The example of moving shapes, shortened: a few videos, one epoch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import run_script

SCRIPTS = Path(__file__).parents[2] / "examples" / "motions"
pytestmark = pytest.mark.slow


def run(script: str, *arguments: object) -> str:
    return run_script(SCRIPTS / script, *arguments).stdout


def test_from_nothing_to_a_checkpoint(tmp_path: Path) -> None:
    import av

    data, out = tmp_path / "motions", tmp_path / "checkpoint"
    run("make_data.py", "--out", data, "--train", 24, "--test", 8)
    counts = {split.name: len(list(split.rglob("*.mp4"))) for split in data.iterdir()}
    assert counts == {"train": 24, "validation": 8, "test": 8}
    assert "nothing to do" in run("make_data.py", "--out", data)
    with av.open(str(next((data / "train" / "left").iterdir()))) as video:
        assert sum(1 for _ in video.decode(video=0)) == 16
    printed = run("train.py", "--data", data, "--out", out, "--epochs", 1)
    assert "epoch 1: validation accuracy" in printed
    assert "test accuracy" in printed
    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    assert list(config["id2label"].values()) == ["down", "left", "right", "up"]
    assert json.loads((out / "preprocessor_config.json").read_text(encoding="utf-8"))["crop_size"]["height"] == 32
