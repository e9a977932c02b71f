"""Tiny pose models, and pictures with figures of coloured dots, made in code: what `tiny_detectors.py` is for boxes."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

NAMES = ("nose", "left_wrist", "right_wrist")
# As ViTPose's checkpoints write them.
LABELS = ("Nose", "L_Wrist", "R_Wrist")
HEIGHT, WIDTH = 64, 48
SETTINGS: dict[str, Any] = {
    "image_processor_type": "VitPoseImageProcessor",
    "size": {"height": HEIGHT, "width": WIDTH},
    "image_mean": [0.0, 0.0, 0.0],
    "image_std": [1.0, 1.0, 1.0],
}
_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
_SEED = 7
# A figure has a part of the picture for itself, with room for the border around its box.
_CELL, _RADIUS, _APART = 100, 4, 16


def write_figures(folder: Path, *, count: int = 12, seed: int = _SEED) -> Path:
    """Pictures with one or two figures, and COCO's file of their keypoints; gives the file.

    One point of every third figure is not known, and the last picture has a crowd as well.
    """
    random = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in range(count):
        figures = 1 + index % 2
        size = (_CELL * figures, _CELL)
        picture = Image.fromarray(random.integers(60, 110, (*size[::-1], 3)).astype(np.uint8))
        for figure in range(figures):
            entry = _draw(ImageDraw.Draw(picture), _CELL * figure, random)
            if len(annotations) % 3 == 2:
                entry["keypoints"][3:6], entry["num_keypoints"] = [0, 0, 0], 2
            annotations.append({"id": len(annotations), "image_id": 100 + index, "category_id": 1, **entry})
        picture.save(folder / "images" / f"{index}.png")
        images.append({"id": 100 + index, "file_name": f"{index}.png", "width": size[0], "height": size[1]})
    crowd = {"keypoints": [0] * 9, "num_keypoints": 0, "bbox": [0, 0, 30, 30], "area": 900, "iscrowd": 1}
    annotations.append({"id": len(annotations), "image_id": images[-1]["id"], "category_id": 1, **crowd})
    categories = [{"id": 1, "name": "figure", "keypoints": list(NAMES), "skeleton": [[1, 2], [1, 3]]}]
    path = folder / "annotations.json"
    data = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return path


def _draw(draw: Any, left: int, random: np.random.Generator) -> dict[str, Any]:
    """One figure in its part of the picture, which begins at `left`; gives its annotation."""
    width, height = (int(edge) for edge in random.integers((40, 55), (52, 68)))
    x, y = left + (_CELL - width) // 2, (_CELL - height) // 2
    while True:
        points = random.integers((x + 6, y + 6), (x + width - 6, y + height - 6), (len(NAMES), 2))
        gaps = [np.hypot(*(points[one] - points[other])) for one, other in ((0, 1), (0, 2), (1, 2))]
        if min(gaps) >= _APART:
            break
    for (across, down), colour in zip(points.tolist(), _COLOURS, strict=True):
        draw.ellipse((across - _RADIUS, down - _RADIUS, across + _RADIUS, down + _RADIUS), fill=colour)
    keypoints = [value for point in points.tolist() for value in (*point, 2)]
    box = {"bbox": [x, y, width, height], "area": width * height, "iscrowd": 0}
    return {"keypoints": keypoints, "num_keypoints": len(NAMES), **box}


def colours() -> Any:
    """A module that finds each colour: [n, 3, height, width] to a heatmap for each, a quarter as high and wide."""
    import torch
    from torch import nn

    class Colours(nn.Module):
        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            # What is red is that more than green and blue.
            rest = (pixel_values.sum(1, keepdim=True) - pixel_values) / 2
            found = nn.functional.avg_pool2d(torch.relu(pixel_values - rest), 7, 1, 3)
            size = (HEIGHT // 4, WIDTH // 4)
            return nn.functional.interpolate(found, size=size, mode="bilinear", align_corners=True)

    return Colours().eval()


def write_graph(folder: Path) -> Path:
    """`colours` as an ONNX file, with the settings of its processor and its labels beside it."""
    folder.mkdir()
    (folder / "preprocessor_config.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    (folder / "labels.txt").write_text("\n".join(LABELS), encoding="utf-8")
    return _exported(colours(), (HEIGHT, WIDTH), folder / "model.onnx", "heatmaps")


def write_detector(folder: Path, edge: int = _CELL) -> Path:
    """A detector with points for pictures of one size as an ONNX file, `detector.json` and its labels beside it.

    Each place of its grid stands for a box around it whose points lie at fixed places; what is red is one.
    """
    import torch
    from torch import nn

    class Places(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            red = torch.relu(images[:, :1] - images[:, 1:].amax(1, keepdim=True))
            scores = nn.functional.avg_pool2d(red, 4, 4).flatten(2)
            places = torch.arange(edge // 4, dtype=torch.float32) * 4 + 2
            rows, columns = torch.meshgrid(places, places, indexing="ij")
            x, y = columns.reshape(1, 1, -1), rows.reshape(1, 1, -1)
            sizes = torch.full_like(x, 40.0)
            points = [part for by in (0, -12, 12) for part in (x + by, y + abs(by), torch.ones_like(x))]
            return torch.cat([x, y, sizes, sizes, scores, *points], 1)

    folder.mkdir()
    settings = {"head": "anchors", "height": edge, "width": edge, "keypoints": len(NAMES), "overlap": 0.3}
    (folder / "detector.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "labels.txt").write_text("\n".join(NAMES), encoding="utf-8")
    return _exported(Places().eval(), (edge, edge), folder / "model.onnx", "output0")


def _exported(module: Any, size: tuple[int, int], path: Path, output: str) -> Path:
    import torch

    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.zeros(1, 3, *size),),
            path,
            input_names=["pixels"],
            output_names=[output],
            dynamo=False,
        )
    return path


def write_checkpoint(folder: Path) -> Path:
    """ViTPose with random weights and its image processor, as `save_pretrained` writes them."""
    import torch
    import transformers

    torch.manual_seed(_SEED)
    library: Any = transformers
    backbone = library.VitPoseBackboneConfig(
        image_size=[HEIGHT, WIDTH],
        patch_size=[16, 16],
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        out_indices=[2],
        initializer_range=0.2,
    )
    labels = {"id2label": dict(enumerate(LABELS)), "label2id": {label: index for index, label in enumerate(LABELS)}}
    config = library.VitPoseConfig(backbone_config=backbone, initializer_range=0.2, **labels)
    library.VitPoseForPoseEstimation(config).eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    return folder
