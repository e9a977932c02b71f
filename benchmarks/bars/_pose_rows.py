"""Rows of keypoints: what each source is, and what its own library answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

import tiny_poses
from _image_rows import RANDOM, from_transformers
from _row import SAMPLES, Made, Row


def _poses(folder: Path) -> Made:
    data = tiny_poses.write_figures(folder / "figures")
    entries = json.loads(data.read_text(encoding="utf-8"))["annotations"][:SAMPLES]
    samples = [
        {"image": str(data.parent / "images" / f"{entry['image_id'] - 100}.png"), "box": entry["bbox"]}
        for entry in entries
    ]
    return Made(spec=str(tiny_poses.write_checkpoint(folder / "source")), data=data.parent, samples=samples)


def _posed(made: Made) -> list[Any]:
    import torch

    network, images = from_transformers("VitPoseForPoseEstimation", made.spec)
    answers = []
    for sample in made.samples:
        boxes = [[list(map(float, sample["box"]))]]
        with Image.open(sample["image"]) as opened, torch.no_grad():
            outputs = network(**images(opened.convert("RGB"), boxes=boxes, return_tensors="pt"))
        ((found,),) = images.post_process_pose_estimation(outputs, boxes=boxes)
        points = zip(tiny_poses.LABELS, found["keypoints"].tolist(), found["scores"].tolist(), strict=True)
        answers.append(
            [{"keypoints": [{"label": label, "x": x, "y": y, "score": score} for label, (x, y), score in points]}]
        )
    return answers


ROWS = (
    Row(
        name="vitpose",
        task="keypoint-detection",
        weights=RANDOM,
        make=_poses,
        theirs=_posed,
        compared="keypoints",
    ),
)
