"""Train a small YOLO on the pictures of make_data.py and write it as ONNX, with the settings that a build reads.

Example:
    python train.py --data data --out checkpoints/detector
"""

import argparse
import copy
import json
import os
import shutil
from pathlib import Path

# Threads that wait sleep instead of spinning, which spares a machine with other work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

STRIDES = (8, 16)
# Things with a longer side of at least so many pixels are found on the coarser grid.
LARGE = 44
# What Ultralytics' own files say in their metadata: detector.json says it for this one.
SETTINGS = {"head": "anchors", "height": 128, "width": 128, "threshold": 0.5, "overlap": 0.5}


def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A convolution with its norm."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class TinyYolo(nn.Module):
    """An anchor-free detector on two grids, of a quarter of a million parameters.

    In training it gives the logits, boxes and places of both grids, in evaluation [batch, 4 + classes, places]: centre,
    width and height in pixels, then the probability of each class.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(block(3, 16, 2), block(16, 32, 2), block(32, 32), block(32, 64, 2), block(64, 64))
        self.deep = nn.Sequential(block(64, 96, 2), block(96, 96))
        self.up = nn.Sequential(nn.Conv2d(96, 64, 1), nn.Upsample(scale_factor=2))
        self.necks = nn.ModuleList([block(64, 64), block(96, 64)])
        self.classes = nn.ModuleList([nn.Conv2d(64, classes, 1) for _ in STRIDES])
        self.boxes = nn.ModuleList([nn.Conv2d(64, 4, 1) for _ in STRIDES])
        for head in self.classes:
            # Nearly nothing is anywhere, to begin with.
            nn.init.constant_(head.bias, -4.0)

    def forward(self, pictures: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Pictures are [batch, 3, height, width] from 0 to 1."""
        fine = self.stem(pictures)
        coarse = self.deep(fine)
        logits, boxes, places = [], [], []
        for level, features in enumerate((fine + self.up(coarse), coarse)):
            shared = self.necks[level](features)
            stride = STRIDES[level]
            rows, columns = (torch.arange(size, device=pictures.device) + 0.5 for size in shared.shape[2:])
            grid = torch.stack(torch.meshgrid(columns * stride, rows * stride, indexing="xy"), -1).reshape(1, -1, 2)
            # Distances from a place to the left, the top, the right and the bottom of its box.
            distances = (softplus(self.boxes[level](shared)) * stride * 2).flatten(2).transpose(1, 2)
            boxes.append(torch.cat([grid - distances[..., :2], grid + distances[..., 2:]], -1))
            logits.append(self.classes[level](shared).flatten(2).transpose(1, 2))
            places.append(torch.cat([grid, torch.full_like(grid[..., :1], stride)], -1))
        scores, corners = torch.cat(logits, 1), torch.cat(boxes, 1)
        if self.training:
            return scores, corners, torch.cat(places, 1)[0]
        first, second = corners[..., :2], corners[..., 2:]
        return torch.cat([(first + second) / 2, second - first, scores.sigmoid()], -1).transpose(1, 2)


def read_split(folder: Path) -> tuple[Tensor, list[Tensor]]:
    """All pictures of a split as bytes, and of each the class and the corners of its boxes, [boxes, 5]."""
    data = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    pixels = np.stack([np.asarray(Image.open(folder / "images" / one["file_name"])) for one in data["images"]])
    boxes: list[list[list[float]]] = [[] for _ in data["images"]]
    for one in data["annotations"]:
        left, top, width, height = one["bbox"]
        boxes[one["image_id"]].append([one["category_id"] - 1, left, top, left + width, top + height])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2), [torch.tensor(one).reshape(-1, 5) for one in boxes]


def assign(boxes: Tensor, places: Tensor) -> Tensor:
    """The box that each place of the grids is to find, -1 for none: the smallest with its middle near the place."""
    if not len(boxes):
        return torch.full((len(places),), -1)
    corners, stride = boxes[:, 1:], places[:, 2:]
    sides = corners[:, 2:] - corners[:, :2]
    middle = (corners[:, :2] + corners[:, 2:]) / 2
    near = (places[:, None, :2] - middle).abs().amax(-1) <= 1.5 * stride
    near &= (stride == STRIDES[0]) ^ (sides.amax(-1) >= LARGE)
    inside = (places[:, None, :2] > corners[:, :2]).all(-1) & (places[:, None, :2] < corners[:, 2:]).all(-1)
    area = torch.where(near & inside, sides.prod(-1), torch.inf)
    smallest, which = area.min(-1)
    return torch.where(smallest.isfinite(), which, -1)


def areas(found: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """What pairs of boxes have in common, and what they cover together."""
    low, high = torch.maximum(found[:, :2], wanted[:, :2]), torch.minimum(found[:, 2:], wanted[:, 2:])
    common = (high - low).clamp(min=0).prod(-1)
    whole = (found[:, 2:] - found[:, :2]).prod(-1) + (wanted[:, 2:] - wanted[:, :2]).prod(-1) - common
    return common, whole.clamp(min=1e-6)


def overlaps(found: Tensor, wanted: Tensor) -> Tensor:
    """Intersection over union of pairs of boxes."""
    common, whole = areas(found, wanted)
    return common / whole


def overlap_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """1 - GIoU of pairs of boxes (H. Rezatofighi et al., 2019)."""
    common, whole = areas(found, wanted)
    low, high = torch.minimum(found[:, :2], wanted[:, :2]), torch.maximum(found[:, 2:], wanted[:, 2:])
    around = (high - low).prod(-1)
    return 1 - common / whole + (around - whole) / around.clamp(min=1e-6)


def loss_of(model: nn.Module, pixels: Tensor, boxes: list[Tensor]) -> Tensor:
    """Focal loss of the classes (T.-Y. Lin et al., 2017) and the loss of the boxes, both for each thing."""
    logits, corners, places = model(pixels.float() / 255)
    wanted = torch.zeros_like(logits)
    found, right = [], []
    for index, some in enumerate(boxes):
        which = assign(some, places)
        there = which >= 0
        wanted[index, there, some[which[there], 0].long()] = 1
        found.append(corners[index, there])
        right.append(some[which[there], 1:])
    things = max(sum(map(len, found)), 1)
    probability = logits.sigmoid()
    miss = torch.where(wanted > 0, 1 - probability, probability)
    classes = (miss**2 * binary_cross_entropy_with_logits(logits, wanted, reduction="none")).sum()
    return (2 * classes + overlap_loss(torch.cat(found), torch.cat(right)).sum()) / things


def augmented(pixels: Tensor, boxes: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Lighter or darker, other colours, and the whole batch mirrored half of the time."""
    gain = torch.empty(len(pixels), 3, 1, 1).uniform_(0.7, 1.3)
    pixels = (pixels * gain).clamp(0, 255)
    if torch.rand(()) < 0.5:
        width = pixels.shape[-1]
        pixels = pixels.flip(-1)
        boxes = [torch.stack([b[:, 0], width - b[:, 3], b[:, 2], width - b[:, 1], b[:, 4]], -1) for b in boxes]
    return pixels, boxes


def train(model: nn.Module, data: dict[str, tuple[Tensor, list[Tensor]]], arguments: argparse.Namespace) -> None:
    """Train until things are not found better on validation for a few epochs; keep the best epoch."""
    pixels, boxes = data["train"]
    steps = arguments.epochs * (len(pixels) // arguments.batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, arguments.learning_rate, total_steps=max(steps, 2))
    best, best_state, since = -1.0, copy.deepcopy(model.state_dict()), 0
    for epoch in range(arguments.epochs):
        model.train()
        for part in torch.randperm(len(pixels))[: len(pixels) // arguments.batch * arguments.batch].split(
            arguments.batch
        ):
            loss = loss_of(model, *augmented(pixels[part], [boxes[index] for index in part]))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
        found = validate(model, *data["validation"])
        print(f"epoch {epoch + 1}: found on validation {found:.3f}", flush=True)
        best, best_state, since = (
            (found, copy.deepcopy(model.state_dict()), 0) if found > best else (best, best_state, since + 1)
        )
        if since == arguments.patience:
            break
    model.load_state_dict(best_state)


def validate(model: nn.Module, pixels: Tensor, boxes: list[Tensor]) -> float:
    """How well things are found on pictures that are not trained on: of each, the best probability times overlap."""
    model.eval()
    scores = []
    with torch.no_grad():
        for part in torch.arange(len(pixels)).split(100):
            for index, found in zip(part.tolist(), model(pixels[part].float() / 255), strict=True):
                centre, half, chances = found[:2].T, found[2:4].T / 2, found[4:].T
                corners = torch.cat([centre - half, centre + half], 1)
                for kind, *box in boxes[index].tolist():
                    share = overlaps(corners, torch.tensor([box]))
                    scores.append(float((share * chances[:, int(kind)]).max()))
    return sum(scores) / max(len(scores), 1)


def main() -> None:
    """Train, and write the folder that `edgewright build` takes a file of."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of make_data.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for detector.onnx and what belongs to it")
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--patience", type=int, default=6, help="epochs without a better one (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if (arguments.out / "detector.onnx").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    torch.manual_seed(arguments.seed)
    labels = (arguments.data / "labels.txt").read_text(encoding="utf-8").split()
    model = TinyYolo(len(labels))
    train(model, {split: read_split(arguments.data / split) for split in ("train", "validation")}, arguments)
    # Beside the target and renamed at the end: a reader never meets half of it.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    example = torch.zeros(1, 3, SETTINGS["height"], SETTINGS["width"])
    options = {"dynamo": True, "external_data": False, "verbose": False}
    torch.onnx.export(model.eval(), (example,), unfinished / "detector.onnx", **options)
    (unfinished / "detector.json").write_text(json.dumps(SETTINGS, indent=1) + "\n", encoding="utf-8")
    shutil.copyfile(arguments.data / "labels.txt", unfinished / "labels.txt")
    unfinished.rename(arguments.out)
    print(f"written: {arguments.out / 'detector.onnx'}, {sum(map(torch.numel, model.parameters())):,} parameters")


if __name__ == "__main__":
    main()
