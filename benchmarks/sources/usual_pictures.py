"""Checkpoints of pictures of architectures that many people bring, small ones; weights are random, of a named seed."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from tiny_images import LABELS

_SEED, _EDGE = 7, 64
# The name of the class, sizes, and the settings of the image processor that its makers publish.
_SQUARE = {"height": _EDGE, "width": _EDGE}
PICTURES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "swin": (
        "SwinForImageClassification",
        {"image_size": _EDGE, "embed_dim": 24, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4}
        | {"initializer_range": 0.2},
        {"image_processor_type": "ViTImageProcessor", "size": _SQUARE},
    ),
    "dinov2": (
        "Dinov2Model",
        {"image_size": 56, "patch_size": 14, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
        | {"initializer_range": 0.2},
        {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": _EDGE}, "resample": 3}
        | {"crop_size": {"height": 56, "width": 56}},
    ),
    "mobilevit": (
        "MobileViTForImageClassification",
        {"image_size": _EDGE, "hidden_sizes": [24, 32, 40], "neck_hidden_sizes": [8, 16, 16, 24, 32, 40, 64]}
        | {"num_attention_heads": 2, "initializer_range": 0.2},
        {"image_processor_type": "MobileViTImageProcessor", "size": {"shortest_edge": 72}, "crop_size": _SQUARE}
        | {"do_flip_channel_order": True},
    ),
    "vit": (
        "ViTForImageClassification",
        {"image_size": _EDGE, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
        | {"intermediate_size": 128, "initializer_range": 0.2},
        {"image_processor_type": "ViTImageProcessor", "size": _SQUARE},
    ),
}


def write_picture_checkpoint(folder: Path, name: str) -> Path:
    """One of `PICTURES` with its image processor."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    architecture, sizes, processor = PICTURES[name]
    labels = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
    config = getattr(transformers, architecture.removesuffix("ForImageClassification").removesuffix("Model") + "Config")
    torch.manual_seed(_SEED)
    net = getattr(transformers, architecture)(config(**sizes, **labels))
    with torch.no_grad():
        # So that norms of batches know the range of what they see.
        net.train()(torch.randn(8, 3, sizes["image_size"], sizes["image_size"]))
    net.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def write_exported(folder: Path, checkpoint: Path) -> Path:
    """A ViT as exporters leave it: `model.onnx` beside `config.json` and the image processor, without the weights."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    folder.mkdir()
    for name in ("config.json", "preprocessor_config.json"):
        (folder / name).write_bytes((checkpoint / name).read_bytes())
    net = transformers.AutoModelForImageClassification.from_pretrained(checkpoint).eval()
    program = torch.onnx.export(
        net,
        (),
        kwargs={"pixel_values": torch.zeros(2, 3, _EDGE, _EDGE)},
        input_names=["pixel_values"],
        output_names=["logits"],
        dynamic_shapes={"pixel_values": {0: torch.export.Dim("batch")}},
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.save(folder / "model.onnx")
    return folder
