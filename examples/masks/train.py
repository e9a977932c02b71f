"""Train the head of model.py on the pictures of make_data.py; the backbone was trained on ImageNet and stays as it is.

Example:
    python train.py --data data --out checkpoints/masks
"""

import argparse
import copy
import json
import os
import shutil
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from model import PROCESSOR, Segmenter
from PIL import Image
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy, interpolate


def read_split(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels as the backbone takes them, and the classes of the pixels."""
    files = sorted((folder / "images").iterdir())
    pixels = torch.from_numpy(np.stack([np.asarray(Image.open(file)) for file in files])).permute(0, 3, 1, 2)
    masks = torch.from_numpy(np.stack([np.asarray(Image.open(folder / "masks" / file.name)) for file in files]))
    return pixels, masks.long()


def prepared(pixels: torch.Tensor) -> torch.Tensor:
    """What PROCESSOR makes of pixels from 0 to 255; the pictures have the right size already."""
    return (pixels / 255 - PROCESSOR["image_mean"][0]) / PROCESSOR["image_std"][0]


def mean_iou(model: Segmenter, pixels: torch.Tensor, masks: torch.Tensor) -> float:
    """Mean intersection over union of the classes."""
    model.eval()
    classes = int(masks.max()) + 1
    table = torch.zeros(classes, classes)
    with torch.no_grad():
        for part, truth in zip(pixels.split(100), masks.split(100), strict=True):
            scores = interpolate(model(prepared(part)), size=truth.shape[1:], mode="bilinear", align_corners=False)
            pairs = truth.flatten() * classes + scores.argmax(1).flatten().clamp(max=classes - 1)
            table += torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    right = table.diagonal()
    return float((right / (table.sum(0) + table.sum(1) - right)).mean())


def train(model: Segmenter, data: dict[str, tuple[torch.Tensor, torch.Tensor]], arguments: argparse.Namespace) -> None:
    """Train until the validation mIoU has not risen for three epochs; keep the best epoch."""
    pixels, masks = data["train"]
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=arguments.learning_rate, weight_decay=0.05)
    best, best_state, since = -1.0, copy.deepcopy(model.state_dict()), 0
    for epoch in range(arguments.epochs):
        model.train()
        for part in torch.randperm(len(pixels)).split(arguments.batch):
            batch, truth = pixels[part], masks[part]
            mirrored = torch.rand(len(part)) < 0.5
            batch[mirrored], truth[mirrored] = batch[mirrored].flip(-1), truth[mirrored].flip(-1)
            scores = interpolate(model(prepared(batch)), size=truth.shape[1:], mode="bilinear", align_corners=False)
            loss = cross_entropy(scores, truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        found = mean_iou(model, *data["validation"])
        print(f"epoch {epoch + 1}: validation mIoU {found:.4f}", flush=True)
        best, best_state, since = (
            (found, copy.deepcopy(model.state_dict()), 0) if found > best else (best, best_state, since + 1)
        )
        if since == 3:
            break
    model.load_state_dict(best_state)


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of make_data.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    arguments = parser.parse_args()
    if arguments.out.is_dir():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    torch.manual_seed(7)
    labels = (arguments.data / "labels.txt").read_text(encoding="utf-8").split()
    data = {split: read_split(arguments.data / split) for split in ("train", "validation", "test")}
    model = Segmenter(len(labels))
    train(model, data, arguments)
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_file(model.state_dict(), unfinished / "model.safetensors")
    (unfinished / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    unfinished.rename(arguments.out)
    print(f"test mIoU {mean_iou(model, *data['test']):.4f}")


if __name__ == "__main__":
    main()
