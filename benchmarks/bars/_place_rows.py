"""Rows of models that are told a place in a picture: what each source is, and what its own library answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

import tiny_poses
import tiny_prompted
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


def _things(folder: Path) -> Made:
    table = tiny_prompted.write_things(folder / "things")
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()][:SAMPLES]
    named = ({key: row[key] for key in ("image", "points", "box") if row[key] is not None} for row in rows)
    samples = [one | {"image": str(table.parent / one["image"])} for one in named]
    return Made(spec=str(tiny_prompted.write_checkpoint(folder / "source")), data=table, samples=samples)


def _masked(made: Made) -> list[Any]:
    import torch
    import transformers

    network, images = from_transformers("SamModel", made.spec)
    whole: Any = transformers.SamProcessor
    processor = whole(images)
    answers = []
    for sample in made.samples:
        points = {"input_points": [[point[:2] for point in sample["points"]]]}
        kinds = {"input_labels": [[point[2] if len(point) > 2 else 1 for point in sample["points"]]]}
        boxes = {}
        if "box" in sample:
            left, top, width, height = sample["box"]
            boxes = {"input_boxes": [[[left, top, left + width, top + height]]]}
        with Image.open(sample["image"]) as opened:
            fed = processor(opened.convert("RGB"), return_tensors="pt", **points, **kinds, **boxes)
        sizes = [fed.pop(name) for name in ("original_sizes", "reshaped_input_sizes")]
        with torch.no_grad():
            outputs = network(**{name: one.float() if one.is_floating_point() else one for name, one in fed.items()})
        (masks,) = images.post_process_masks(outputs.pred_masks, *sizes)
        scores = outputs.iou_scores.reshape(-1)
        order = scores.argsort(descending=True, stable=True).tolist()
        answers.append(
            [{"score": float(scores[place]), "mask": masks[0, place].numpy().astype("uint8")} for place in order]
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
    Row(
        name="sam",
        task="mask-generation",
        weights=RANDOM,
        make=_things,
        theirs=_masked,
        compared="masks",
        unlike=2e-3,
    ),
)
