"""Tiny detectors and pictures for them, made in code: what `tiny_images.py` is for classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

LABELS = ("red", "green", "blue")
# Things are squares of this edge, in pixels.
SQUARE = 24
_COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
_SEED = 7


def write_pictures(folder: Path, *, count: int = 12, seed: int = _SEED) -> Path:
    """Pictures of several sizes with squares of colour on noise, and COCO's file of them; gives the file."""
    random = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in range(count):
        height, width = (int(edge) for edge in random.integers(3, 6, 2) * 32)
        pixels = random.integers(60, 110, (height, width, 3)).astype(np.uint8)
        places = [(x, y) for x in range(0, width - 31, 32) for y in range(0, height - 31, 32)]
        # The last picture has nothing in it: that is data, too.
        for place in random.permutation(len(places))[: 0 if index == count - 1 else int(random.integers(1, 4))]:
            label = LABELS[int(random.integers(len(LABELS)))]
            left, top = (edge + 4 for edge in places[place])
            pixels[top : top + SQUARE, left : left + SQUARE] = _COLOURS[label]
            annotations.append(
                {"id": len(annotations), "image_id": 100 + index, "category_id": 10 + LABELS.index(label)}
                | {"bbox": [left, top, SQUARE, SQUARE], "iscrowd": 0, "area": SQUARE**2}
            )
        Image.fromarray(pixels).save(folder / "images" / f"{index}.png")
        images.append({"id": 100 + index, "file_name": f"{index}.png", "width": width, "height": height})
    categories = [{"id": 10 + index, "name": label} for index, label in enumerate(LABELS)]
    path = folder / "annotations.json"
    data = {"info": {"year": 2026}, "images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return path


def write_checkpoint(folder: Path, family: str) -> Path:
    """A detector of one of `FAMILIES` with its image processor, as `save_pretrained` writes them."""
    import torch
    import transformers

    torch.manual_seed(_SEED)
    name, settings, processor = FAMILIES[family]
    labels = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
    if family != "yolos":
        backbone = "RTDetrResNetConfig" if family == "rt-detr" else "ResNetConfig"
        made = getattr(transformers, backbone)(**_BACKBONE, out_features=settings["stages"])
        settings = {key: value for key, value in settings.items() if key != "stages"}
        settings |= {"backbone_config": made, "backbone": None}
    config = getattr(transformers, f"{name}Config")(**settings, **labels)
    model = getattr(transformers, f"{name}ForObjectDetection")(config)
    for parameter_name, parameter in model.named_parameters():
        if any(part in parameter_name for part in ("detection_tokens", "query_position", "enc_score_head.weight")):
            # Queries that begin alike would all find one box, and of scores that are equal any may be the best.
            torch.nn.init.normal_(parameter, std=3)
    model.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


_BACKBONE: dict[str, Any] = {
    "embedding_size": 8, "hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1], "layer_type": "basic",
}  # fmt: skip
_DETR: dict[str, Any] = {
    "use_timm_backbone": False, "use_pretrained_backbone": False, "d_model": 32, "encoder_layers": 1,
    "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32, "num_queries": 20, "init_xavier_std": 8.0, "stages": ["stage4"],
}  # fmt: skip
_EDGES = {"shortest_edge": 64, "longest_edge": 96}
FAMILIES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "yolos": (
        "Yolos",
        {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
        | {"image_size": [64, 96], "patch_size": 16, "num_detection_tokens": 20, "initializer_range": 0.3},
        {"image_processor_type": "YolosImageProcessor", "size": _EDGES},
    ),
    "detr": ("Detr", _DETR, {"image_processor_type": "DetrImageProcessor", "size": _EDGES}),
    "conditional-detr": (
        "ConditionalDetr",
        _DETR,
        {"image_processor_type": "ConditionalDetrImageProcessor", "size": {"max_height": 70, "max_width": 90}},
    ),
    "rt-detr": (
        "RTDetr",
        {"encoder_in_channels": [8, 16, 16], "encoder_hidden_dim": 32, "d_model": 32, "encoder_ffn_dim": 32}
        | {"decoder_ffn_dim": 32, "num_queries": 20, "decoder_layers": 1, "encoder_attention_heads": 2}
        | {"decoder_attention_heads": 2, "decoder_in_channels": [32, 32, 32], "stages": ["stage2", "stage3", "stage4"]},
        {"image_processor_type": "RTDetrImageProcessor", "size": {"height": 64, "width": 96}, "do_normalize": False},
    ),
}


def write_pictures_of(folder: Path, edge: int, *, count: int, seed: int) -> Path:
    """As `write_pictures`, all of one size: what is beyond a picture is cut off or grey."""
    path = write_pictures(folder, count=count, seed=seed)
    data = json.loads(path.read_text(encoding="utf-8"))
    for entry in data["images"]:
        file = folder / "images" / entry["file_name"]
        with Image.open(file) as picture:
            made = Image.new("RGB", (edge, edge), (85, 85, 85))
            made.paste(picture, (0, 0))
        made.save(file)
        entry |= {"width": edge, "height": edge}
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return path


# A detector that knows: the colour of each square of 32 pixels, and that things are squares in their middle.
SQUARES = f"""
import torch
from torch import nn


class Squares(nn.Module):
    def __init__(self):
        super().__init__()
        self.colours = nn.Conv2d(3, 3, 1)
        with torch.no_grad():
            self.colours.weight.copy_((30 * torch.eye(3) - 10).reshape(3, 3, 1, 1))
            self.colours.bias.fill_(-6)

    def forward(self, images):
        scores = self.colours(nn.functional.avg_pool2d(images, 32)).sigmoid()
        ones = torch.ones_like(scores[:, :1])
        columns, rows = ((ones.cumsum(axis) - 0.5) * 32 for axis in (3, 2))
        return torch.cat([columns, rows, ones * {SQUARE}, ones * {SQUARE}, scores], dim=1).flatten(2)


def any_size():
    return Squares(), torch.zeros(1, 3, 96, 128), {{"head": "anchors"}}


class RawSquares(Squares):
    # The same as YOLOX gives it before its boxes are decoded: offset, logarithm of the size, objectness, scores.

    def forward(self, images):
        found = super().forward(images)
        ones = torch.ones_like(found[:, :1])
        sizes = torch.log(ones * ({SQUARE} / 32))
        return torch.cat([ones / 2, ones / 2, sizes, sizes, ones, found[:, 4:]], dim=1).transpose(1, 2)


def raw():
    return RawSquares(), torch.zeros(1, 3, 96, 128), {{"head": "yolox", "strides": [32]}}


def no_head():
    return Squares(), torch.zeros(1, 3, 96, 128), {{"head": "wings"}}


def wrong_filter():
    return Squares(), torch.zeros(1, 3, 96, 96), {{"head": "anchors", "height": 96, "width": 96, "filter": "soft"}}
"""


def write_yolo(folder: Path, edge: int, metadata: dict[str, str]) -> Path:
    """`SQUARES` as an `.onnx` file of one fixed size, with metadata in it."""
    import onnx_ir
    import torch

    from edgewright_compiler.failures import export_failures

    made: dict[str, Any] = {}
    exec(SQUARES, made)
    folder.mkdir(parents=True, exist_ok=True)
    with export_failures("squares"):
        given = (torch.zeros(1, 3, edge, edge),)
        program: Any = torch.onnx.export(made["Squares"]().eval(), given, dynamo=True, verbose=False)
    program.model.metadata_props.update(metadata)
    onnx_ir.save(program.model, folder / "squares.onnx")
    return folder / "squares.onnx"


def rcnn() -> Any:
    """A source: a Faster R-CNN of torchvision with random weights."""
    import torch
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.rpn import AnchorGenerator
    from torchvision.ops import MultiScaleRoIAlign

    torch.manual_seed(3)
    layers = [torch.nn.Conv2d(3, 16, 3, 2, 1), torch.nn.ReLU(), torch.nn.Conv2d(16, 32, 3, 2, 1), torch.nn.ReLU()]
    backbone: Any = torch.nn.Sequential(*layers)
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
