"""The example of detection, shortened: on drawn shapes in place of the stamps, for a few epochs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from scripts import run_script

SCRIPTS = Path(__file__).parents[2] / "examples" / "detector"
PLACES = ("animals/birds", "plants/flowers", "food/fruit", "town/houses/cartoon", "town/roadsigns")
pytestmark = pytest.mark.slow


def run(script: str, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    return run_script(SCRIPTS / script, *arguments, code=code)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("detector")
    for kind, place in enumerate(PLACES):
        (folder / "stamps" / place).mkdir(parents=True)
        for index in range(6):
            stamp = Image.new("RGBA", (80, 60))
            box = (5 + index, 5, 70, 50)
            ImageDraw.Draw(stamp).regular_polygon((40, 30, 24), 3 + kind, index * 7, (50 * kind, 250 - 50 * kind, 90))
            if kind == 4:
                ImageDraw.Draw(stamp).ellipse(box, fill=(250, 250, 0))
            stamp.save(folder / "stamps" / place / f"{index}.png")
            # Tux Paint's own mirrored copies are no further stamps.
            stamp.save(folder / "stamps" / place / f"{index}_mirror.png")
    arguments = ("--out", folder / "things", "--stamps", folder / "stamps", "--train", 192, "--test", 24)
    printed = run("make_data.py", *arguments).stdout
    assert re.search(r"train +192 pictures of 4 birds, 4 flowers", printed)
    assert re.search(r"test +24 pictures of 1 birds", printed)
    return folder / "things"


def test_the_boxes_are_around_the_things(data: Path) -> None:
    from edgewright_benchmarks.data import read_dataset

    labels = tuple((data / "labels.txt").read_text(encoding="utf-8").split())
    found = read_dataset(data / "train", task="object-detection", input_name="image", class_names=labels)
    assert found.labels is not None
    assert len(found.samples) == 192
    assert {box.label for boxes in found.labels for box in boxes} == set(labels)
    # A lone yellow sign: beside its box there is nothing of its colour.
    alone = next(index for index, boxes in enumerate(found.labels) if [box.label for box in boxes] == ["roadsign"])
    with Image.open(found.samples[alone]) as picture:
        yellow = np.abs(np.asarray(picture).astype(int) - (250, 250, 0)).max(axis=-1) < 40
    left, top, width, height = (int(side) for side in found.labels[alone][0].box)
    assert yellow[top : top + height, left : left + width].mean() > 0.5
    assert "nothing to do" in run("make_data.py", "--out", data).stdout


def test_training_leaves_a_file_that_a_build_takes(data: Path, tmp_path: Path) -> None:
    import onnxruntime

    arguments = ("--data", data, "--out", tmp_path / "checkpoint", "--epochs", 3, "--batch", 8)
    printed = run("train.py", *arguments).stdout
    found = [float(value) for value in re.findall(r"found on validation ([\d.]+)", printed)]
    assert len(found) == 3
    assert max(found) > 0.05
    session = onnxruntime.InferenceSession(tmp_path / "checkpoint" / "detector.onnx")
    (given,) = session.get_inputs()
    outputs = session.run(None, {given.name: np.zeros(given.shape, dtype=np.float32)})
    assert [output.shape for output in outputs] == [(1, 9, 320)]
    settings = json.loads((tmp_path / "checkpoint" / "detector.json").read_text(encoding="utf-8"))
    assert settings["head"] == "anchors"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint"]
