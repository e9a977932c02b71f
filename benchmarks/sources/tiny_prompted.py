"""Tiny models of masks that a person points at, and pictures of things with their masks, made in code."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

EDGE = 64
_GRID = 4
_SEED = 7
SETTINGS: dict[str, Any] = {
    "image_processor_type": "SamImageProcessor",
    "size": {"longest_edge": EDGE},
    "pad_size": {"height": EDGE, "width": EDGE},
    "mask_size": {"longest_edge": EDGE // _GRID},
    "mask_pad_size": {"height": EDGE // _GRID, "width": EDGE // _GRID},
    "image_mean": [0.0, 0.0, 0.0],
    "image_std": [1.0, 1.0, 1.0],
}


def write_things(folder: Path, *, count: int = 12, seed: int = _SEED) -> Path:
    """Pictures with two bright discs, and a table of which one is meant: by a point, a point beside it too, or a box.

    Gives the table, whose columns are `image`, `points`, `box` and `mask`.
    """
    random = np.random.default_rng(seed)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    rows = []
    for index in range(count):
        size = (int(random.integers(90, 120)), int(random.integers(70, 90)))
        picture = Image.fromarray(random.integers(0, 60, (*size[::-1], 3)).astype(np.uint8))
        radius = int(random.integers(12, 17))
        places = [(size[0] // 4 + int(random.integers(-3, 4)), size[1] // 2), (3 * size[0] // 4, size[1] // 2)]
        for x, y in places:
            ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(230, 230, 230))
        meant, other = places[index % 2], places[1 - index % 2]
        mask = Image.new("L", size)
        x, y = meant
        ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        picture.save(folder / "images" / f"{index}.png")
        mask.save(folder / "masks" / f"{index}.png")
        points = [[*meant]] if index % 3 else [[*meant, 1], [*other, 0]]
        row: dict[str, Any] = {"image": f"images/{index}.png", "points": points, "mask": f"masks/{index}.png"}
        rows.append(row | {"box": [x - radius, y - radius, 2 * radius, 2 * radius] if index % 3 == 1 else None})
    path = folder / "things.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def without_boxes(table: Path) -> Path:
    """The table again, with points alone."""
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        del row["box"]
    path = table.with_name("points.jsonl")
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_checkpoint(folder: Path) -> Path:
    """SAM with random weights and its image processor, as `save_pretrained` writes them."""
    import torch
    import transformers

    library: Any = transformers

    torch.manual_seed(_SEED)
    parts: dict[str, dict[str, Any]] = {
        "vision_config": {
            "hidden_size": 32, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
            "image_size": EDGE, "patch_size": 8, "window_size": 3, "global_attn_indexes": [1], "num_pos_feats": 8,
            "initializer_range": 0.2,
        },
        "prompt_encoder_config": {"hidden_size": 16, "image_size": EDGE, "patch_size": 8, "mask_input_channels": 4},
        "mask_decoder_config": {
            "hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
        },
    }  # fmt: skip
    config = library.SamConfig(**parts, initializer_range=0.2)
    library.SamModel(config).eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    return folder


def write_graphs(folder: Path) -> Path:
    """Two graphs as optimum calls them, which find what is bright near the points that are meant."""
    import torch
    from torch import nn

    cells = EDGE // _GRID

    class Reads(nn.Module):
        def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            read = nn.functional.avg_pool2d(pixel_values, _GRID)
            middles = torch.arange(cells, dtype=torch.float32) * _GRID + _GRID / 2
            rows, columns = torch.meshgrid(middles, middles, indexing="ij")
            # Of the picture, so that no constant is an output.
            return read, torch.stack([columns, rows])[None] + 0 * read[:, :2]

    class Masks(nn.Module):
        def forward(
            self, points: torch.Tensor, labels: torch.Tensor, embeddings: torch.Tensor, places: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            meant = labels[0, 0].float()[:, None]
            middle = (points[0, 0] * meant).sum(0) / meant.sum(0)
            away = (places - middle[None, :, None, None]).pow(2).sum(1, keepdim=True).sqrt()
            bright = embeddings.mean(1, keepdim=True) - 0.5
            reaches = torch.tensor([4.0, 14.0, 60.0])[None, :, None, None]
            masks = bright - torch.relu(away - reaches)
            return torch.tensor([[[0.4, 0.9, 0.6]]]) + 0 * middle.sum(), masks[:, None]

    folder.mkdir()
    config = {"architectures": ["SamModel"], "model_type": "sam"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    pixels, points, labels = torch.zeros(1, 3, EDGE, EDGE), torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2).long()
    read, places = Reads()(pixels)
    outputs = ["image_embeddings", "image_positional_embeddings"]
    free = {"input_points": {2: "points"}, "input_labels": {2: "points"}}
    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Reads().eval(),
            (pixels,),
            folder / "vision_encoder.onnx",
            input_names=["pixel_values"],
            output_names=outputs,
            dynamo=False,
        )
        torch.onnx.export(
            Masks().eval(),
            (points, labels, read, places),
            folder / "prompt_encoder_mask_decoder.onnx",
            input_names=["input_points", "input_labels", *outputs],
            output_names=["iou_scores", "pred_masks"],
            dynamic_axes=free,
            dynamo=False,
        )
    return folder
