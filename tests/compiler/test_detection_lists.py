"""Faster R-CNN of torchvision, and our suppression against torchvision's.

Run by `test_torchvision.py` where torchvision cannot simply be imported.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tiny_detectors
from command import QUICK, Command
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.boxes.candidates import Candidates

pytest.importorskip("torchvision", reason="it runs in a process of its own; see test_torchvision.py")


@pytest.mark.parametrize("boxes", [50, 400, 1500])
def test_suppression_is_torchvision_s(boxes: int) -> None:
    """Boxes around places as a detector gives them, with equal scores among them; both of torchvision's ways."""
    import torch
    from torchvision.ops import batched_nms

    random = np.random.default_rng(boxes)
    middles = random.uniform(0, 600, (20, 2))[random.integers(20, size=boxes)] + random.normal(0, 12, (boxes, 2))
    sides = random.uniform(20, 90, (boxes, 2))
    corners = np.concatenate([middles - sides / 2, middles + sides / 2], axis=1).astype(np.float32)
    scores = (random.integers(0, 200, boxes) / 200).astype(np.float32)
    classes = random.integers(0, 4, boxes)
    for overlap in (0.3, 0.5, 0.7):
        kept = batched_nms(*map(torch.from_numpy, (corners, scores, classes)), overlap).numpy()
        kept = kept[scores[kept] > 0.1]
        step = make_free_step(StepSpec("suppress_boxes", {"overlap": overlap, "threshold": 0.1}))
        found = step({"candidates": Candidates(corners, scores, classes)})["candidates"]
        assert len(found.scores) == len(kept) > 5
        # torchvision leaves open which of equal scores comes first.
        mine, theirs = (sorted(map(tuple, one.tolist())) for one in (found.corners, corners[kept]))
        assert mine == theirs


def test_faster_rcnn(command: Command, tmp_path: Path) -> None:
    """Any number of boxes, in pictures of any size: those that torchvision itself finds."""
    import torch

    tiny_detectors.write_pictures(tmp_path / "things", seed=4)
    (tmp_path / "labels.txt").write_text("\n".join(tiny_detectors.LABELS), encoding="utf-8")
    output = command.folder / "out.ortpackage"
    data = ("--calibration", tmp_path / "things", "--evaluation", tmp_path / "things", "--accept-baseline")
    fixed = ("--task", "object-detection", "--labels", tmp_path / "labels.txt", "--target", command.target, "-q")
    done = command("build", "tiny_detectors:rcnn", *data, *fixed, "-o", output, *QUICK)
    assert done.code == 0, done.err
    assert command("verify", output).code == 0
    model, _, _ = tiny_detectors.rcnn()
    for index in range(4):
        file = tmp_path / "things" / "images" / f"{index}.png"
        boxes = json.loads(command("run", output, file, "--json").out)["answers"][0]["boxes"]
        with Image.open(file) as picture, torch.no_grad():
            pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
            theirs = model([pixels])[0]
        there = theirs["scores"] > 0.3
        assert len(boxes) == int(there.sum()) > 0
        assert np.allclose([box["score"] for box in boxes], theirs["scores"][there], atol=1e-4)
        corners = [list(box["box"].values()) for box in boxes]
        assert np.allclose(corners, theirs["boxes"][there], atol=0.01)
        assert [box["label"] for box in boxes] == [tiny_detectors.LABELS[at - 1] for at in theirs["labels"][there]]


def test_the_example_of_faster_rcnn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortened, on drawn things: it learns, and what it leaves is the source that a build takes."""
    import torch

    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    monkeypatch.setenv("FASTER_RCNN", str(tmp_path / "trained"))
    example = importlib.import_module("examples.detector.faster_rcnn")
    tiny_detectors.write_pictures(tmp_path / "data" / "train", count=5, seed=4)
    (tmp_path / "data" / "labels.txt").write_text("\n".join(tiny_detectors.LABELS), encoding="utf-8")
    arguments = ("--data", tmp_path / "data", "--out", tmp_path / "trained", "--batch", 2)
    monkeypatch.setattr(sys, "argv", ["faster_rcnn.py", *map(str, arguments)])
    example.main()
    model, pixels, settings = example.detector()
    fresh = example.network(len(tiny_detectors.LABELS), pretrained=True).eval()
    assert settings["head"] == "boxes"
    kept: list[bool] = []
    learnt: list[bool] = []
    for name, value in model.state_dict().items():
        (kept if name.startswith("backbone.") else learnt).append(torch.equal(value, fresh.state_dict()[name]))
    assert all(kept)
    assert not all(learnt)
    with torch.no_grad():
        assert set(model([pixels[0]])[0]) == {"boxes", "labels", "scores"}
