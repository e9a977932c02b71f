"""A tiny network that makes pictures twice as large, and small pictures with large ones, made in code."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

# No level lies half way between two others then, where rounding may go either way.
_SHADE = 0.9731
SETTINGS = {"image_processor_type": "ViTImageProcessor", "do_resize": False, "do_normalize": False}


def network() -> Any:
    """Bilinear enlargement behind a convolution that makes all a little darker: what it answers is known."""
    import torch
    from torch import nn

    same = nn.Conv2d(3, 3, 3, padding=1, bias=False)
    with torch.no_grad():
        same.weight.zero_()
        for channel in range(3):
            same.weight[channel, channel, 1, 1] = _SHADE
    return nn.Sequential(same, nn.Upsample(scale_factor=2, mode="bilinear")).eval()


def write_graph(folder: Path) -> Path:
    """An ONNX file for pictures of any size, with the settings of its processor beside it."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "preprocessor_config.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network(),
            (torch.zeros(1, 3, 24, 32),),
            folder / "model.onnx",
            input_names=["pixel_values"],
            output_names=["reconstruction"],
            dynamic_axes={"pixel_values": {2: "height", 3: "width"}},
            dynamo=False,
        )
    return folder / "model.onnx"


def write_pairs(folder: Path, *, count: int = 12, seed: int = 7) -> Path:
    """A folder `images` of small pictures and a folder `targets` of those that they were made from, twice as large."""
    random = np.random.default_rng(seed)
    for name in ("images", "targets"):
        (folder / name).mkdir(parents=True)
    for index in range(count):
        width, height = (int(edge) for edge in random.integers(20, 40, 2))
        coarse = Image.fromarray(random.integers(0, 256, (5, 6, 3)).astype(np.uint8))
        whole = coarse.resize((2 * width, 2 * height), Image.Resampling.BICUBIC)
        whole.save(folder / "targets" / f"{index}.png")
        whole.resize((width, height), Image.Resampling.BOX).save(folder / "images" / f"{index}.png")
    return folder
