"""Tiny segmentation models and pictures with masks for them, made in code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

LABELS = ("background", "red", "green", "blue")
_COLOURS = ((0, 0, 0), (230, 40, 40), (40, 230, 40), (40, 40, 230))
_SEED = 7
EDGE = 64


def scene(random: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """Coloured rectangles on noise, of a size that differs from picture to picture, and the mask of their classes."""
    height, width = random.integers(50, 90, 2)
    pixels = random.integers(0, 90, (height, width, 3)).astype(np.uint8)
    mask = np.zeros((height, width), dtype=np.uint8)
    for index in random.permutation([1, 2, 3])[:2]:
        top, left = random.integers(0, height // 2), random.integers(0, width // 2)
        bottom, right = top + random.integers(15, 30), left + random.integers(15, 30)
        pixels[top:bottom, left:right] = _COLOURS[index]
        mask[top:bottom, left:right] = index
    return Image.fromarray(pixels), Image.fromarray(mask)


def write_scenes(folder: Path, *, count: int = 12, seed: int = _SEED) -> Path:
    """A folder `images` and a folder `masks`, the second with a palette."""
    random = np.random.default_rng(seed)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for index in range(count):
        picture, mask = scene(random)
        picture.save(folder / "images" / f"{index}.png")
        mask.putpalette([value for colour in _COLOURS for value in colour])
        mask.save(folder / "masks" / f"{index}.png")
    return folder


def write_checkpoint(folder: Path, family: str) -> Path:
    """A segmentation model of one of `FAMILIES` with its image processor, as `save_pretrained` writes them."""
    import torch
    import transformers

    torch.manual_seed(_SEED)
    name, settings, processor = FAMILIES[family]
    labels = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
    if "backbone_config" in settings:
        kind, options = settings["backbone_config"]
        settings = {**settings, "backbone_config": getattr(transformers, f"{kind}Config")(**options)}
    config = getattr(transformers, f"{name}Config")(**settings, **labels)
    model = getattr(transformers, f"{name}ForSemanticSegmentation")(config)
    model.train()(torch.randn(4, 3, EDGE, EDGE))
    model.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


_SQUARE = {"height": EDGE, "width": EDGE}
_RESNET = {"embedding_size": 8, "hidden_sizes": [8, 12, 16, 24], "depths": [1, 1, 1, 1], "layer_type": "basic"}
FAMILIES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "segformer": (
        "Segformer",
        {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "decoder_hidden_size": 16}
        | {"num_attention_heads": [1, 2, 2, 4], "initializer_range": 0.2},
        {"image_processor_type": "SegformerImageProcessor", "size": _SQUARE, "do_reduce_labels": False},
    ),
    "mobilevit": (
        "MobileViT",
        {"hidden_sizes": [16, 20, 24], "neck_hidden_sizes": [8, 8, 12, 16, 20, 24, 32], "num_attention_heads": 2}
        | {"image_size": EDGE, "aspp_out_channels": 16, "atrous_rates": [2, 3, 4]},
        {"image_processor_type": "MobileViTImageProcessor", "size": {"shortest_edge": 72}, "crop_size": _SQUARE},
    ),
    "upernet": (
        "UperNet",
        {"backbone_config": ("ResNet", _RESNET | {"out_features": ["stage1", "stage2", "stage3", "stage4"]})}
        | {"hidden_size": 16, "auxiliary_channels": 8, "auxiliary_in_channels": 16, "pool_scales": [1, 2]},
        {"image_processor_type": "SegformerImageProcessor", "size": _SQUARE, "do_reduce_labels": False},
    ),
    "dpt": (
        "DPT",
        {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 48}
        | {"image_size": EDGE, "patch_size": 16, "backbone_out_indices": [0, 1, 2, 3], "fusion_hidden_size": 16}
        | {"neck_hidden_sizes": [8, 8, 12, 16], "is_hybrid": False, "initializer_range": 0.2},
        {"image_processor_type": "DPTImageProcessor", "size": _SQUARE, "keep_aspect_ratio": False},
    ),
}
