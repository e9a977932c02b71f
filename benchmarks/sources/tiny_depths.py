"""Tiny depth models, and pictures with their depth, made in code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_SEED = 7
EDGE = 64


def scene(random: np.random.Generator) -> tuple[Image.Image, Any]:
    """A floor that goes away from the camera, and boxes in front of it, the nearer the brighter; depth in metres.

    A strip of the depth is 0, as where a sensor saw nothing.
    """
    height, width = random.integers(60, 90, 2)
    depth = np.repeat(np.linspace(8, 2, height)[:, None], width, axis=1)
    for _ in range(2):
        top, left = random.integers(0, height // 2), random.integers(0, width // 2)
        depth[top : top + random.integers(15, 30), left : left + random.integers(15, 30)] = random.uniform(1, 3)
    shades = np.clip(255 / depth, 0, 255)[..., None] + random.normal(0, 6, (height, width, 3))
    depth[:, :3] = 0
    return Image.fromarray(np.clip(shades, 0, 255).astype(np.uint8)), depth.astype(np.float32)


def write_scenes(folder: Path, *, count: int = 12, seed: int = _SEED) -> Path:
    """A folder `images` and a folder `depths`: every other one as an `.npy` file of metres, the others as TIFF."""
    random = np.random.default_rng(seed)
    for name in ("images", "depths"):
        (folder / name).mkdir(parents=True)
    for index in range(count):
        picture, depth = scene(random)
        picture.save(folder / "images" / f"{index}.png")
        if index % 2:
            np.save(folder / "depths" / f"{index}.npy", depth)
        else:
            Image.fromarray(depth).save(folder / "depths" / f"{index}.tiff")
    return folder


def write_checkpoint(folder: Path, family: str) -> Path:
    """A depth model of one of `FAMILIES` with its image processor, as `save_pretrained` writes them."""
    import torch
    import transformers

    torch.manual_seed(_SEED)
    name, settings, processor = FAMILIES[family]
    if "backbone_config" in settings:
        kind, options = settings["backbone_config"]
        settings = {**settings, "backbone_config": getattr(transformers, f"{kind}Config")(**options)}
    config = getattr(transformers, f"{name}Config")(**settings)
    model = getattr(transformers, f"{name}ForDepthEstimation")(config)
    model.train()(torch.randn(2, 3, 112, 112) if family == "depth-anything" else torch.randn(2, 3, EDGE, EDGE))
    model.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


_SQUARE = {"height": EDGE, "width": EDGE}
_DINO = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 112, "patch_size": 14}
FAMILIES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "dpt": (
        "DPT",
        {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 48}
        | {"image_size": EDGE, "patch_size": 16, "backbone_out_indices": [0, 1, 2, 3], "fusion_hidden_size": 16}
        | {"neck_hidden_sizes": [8, 8, 12, 16], "is_hybrid": False, "initializer_range": 0.2},
        {"image_processor_type": "DPTImageProcessor", "size": _SQUARE, "keep_aspect_ratio": False},
    ),
    "depth-anything": (
        "DepthAnything",
        {"backbone_config": ("Dinov2", _DINO | {"out_indices": [1, 2, 3, 4], "reshape_hidden_states": False})}
        | {"reassemble_hidden_size": 32, "neck_hidden_sizes": [8, 8, 12, 16], "fusion_hidden_size": 16}
        | {"head_hidden_size": 8, "initializer_range": 0.2},
        {"image_processor_type": "DPTImageProcessor", "size": {"height": 112, "width": 112}}
        | {"keep_aspect_ratio": True, "ensure_multiple_of": 14},
    ),
    "glpn": (
        "GLPN",
        {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "decoder_hidden_size": 16}
        | {"num_attention_heads": [1, 2, 2, 4], "initializer_range": 0.2, "max_depth": 10},
        {"image_processor_type": "GLPNImageProcessor", "size_divisor": 32},
    ),
}
