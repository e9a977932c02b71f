"""Faster R-CNN of torchvision, and our suppression against torchvision's.

Run by `test_torchvision.py` where torchvision cannot simply be imported.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tiny_detectors
from command import QUICK, Command
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.boxes import Candidates

pytest.importorskip("torchvision", reason="it runs in a process of its own; see test_torchvision.py")

_MODULE = """
import torch
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign


def net():
    torch.manual_seed(3)
    layers = [torch.nn.Conv2d(3, 16, 3, 2, 1), torch.nn.ReLU(), torch.nn.Conv2d(16, 32, 3, 2, 1), torch.nn.ReLU()]
    backbone = torch.nn.Sequential(*layers)
    backbone.out_channels = 32
    model = FasterRCNN(
        backbone,
        num_classes=4,
        rpn_anchor_generator=AnchorGenerator(sizes=((16, 24, 32),), aspect_ratios=((0.5, 1.0, 2.0),)),
        box_roi_pool=MultiScaleRoIAlign(featmap_names=["0"], output_size=5, sampling_ratio=2),
        min_size=64,
        max_size=128,
        rpn_pre_nms_top_n_test=100,
        rpn_post_nms_top_n_test=50,
    )
    for parameter in model.roi_heads.box_predictor.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    settings = {"head": "boxes", "first_class": 1, "multiple_of": 1, "threshold": 0.3}
    return model.eval(), torch.rand(1, 3, 96, 128), settings
"""


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


def test_faster_rcnn(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of boxes, in pictures of any size: those that torchvision itself finds."""
    import torch

    (tmp_path / "tiny_rcnn.py").write_text(_MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    tiny_detectors.write_pictures(tmp_path / "things", seed=4)
    (tmp_path / "labels.txt").write_text("\n".join(tiny_detectors.LABELS), encoding="utf-8")
    output = command.folder / "out.ortpackage"
    data = ("--calibration", tmp_path / "things", "--evaluation", tmp_path / "things")
    fixed = ("--task", "object-detection", "--labels", tmp_path / "labels.txt", "--target", command.target, "-q")
    done = command("build", "tiny_rcnn:net", *data, *fixed, "-o", output, *QUICK)
    assert done.code == 0, done.err
    assert command("verify", output).code == 0
    found: dict[str, Any] = {}
    exec(_MODULE, found)
    model, _, _ = found["net"]()
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
