"""Train a small ResNet or ViT on the pictures of make_data.py and save an ordinary Hugging Face checkpoint.

Example:
    python train.py --data data --model resnet --out checkpoints/fashion-resnet
"""

import argparse
import copy
import os
import shutil
from pathlib import Path
from typing import Any

# Nothing is fetched; and threads that wait sleep instead of spinning, which spares a machine with other work.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import cross_entropy
from transformers import (
    ResNetConfig,
    ResNetForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessorPil,
)
from transformers.utils import logging

EDGE = 28
# Mean and deviation of the pixels of the training set, as shares of white.
PROCESSOR = {"size": {"height": EDGE, "width": EDGE}, "image_mean": [0.286], "image_std": [0.353]}
# The small one answers first in examples/cascade.
RESNETS = {
    "resnet": {"embedding_size": 32, "hidden_sizes": [32, 64, 128], "depths": [2, 2, 2]},
    "small": {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1]},
}


def read_split(folder: Path, labels: list[str], processor: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """All pictures of a split as the processor gives them, and their classes."""
    files = [(file, index) for index, label in enumerate(labels) for file in sorted((folder / label).glob("*.png"))]
    pictures = [Image.fromarray(np.asarray(Image.open(file))) for file, _ in files]
    pixels = processor(pictures, return_tensors="pt")["pixel_values"]
    return pixels, torch.tensor([index for _, index in files])


def make_model(name: str, labels: list[str]) -> Any:
    """A model of some hundred thousand parameters; the small ResNet has some ten thousand."""
    common = {
        "num_channels": 1,
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
    }
    if name == "vit":
        size = {"image_size": EDGE, "patch_size": 4, "hidden_size": 96, "intermediate_size": 192}
        return ViTForImageClassification(ViTConfig(num_hidden_layers=4, num_attention_heads=4, **size, **common))
    shape: dict[str, Any] = RESNETS[name]
    return ResNetForImageClassification(ResNetConfig(layer_type="basic", **shape, **common))


def accuracy(model: Any, pixels: torch.Tensor, truth: torch.Tensor) -> float:
    """The share of pictures whose best class is theirs."""
    model.eval()
    with torch.no_grad():
        chosen = torch.cat([model(part).logits.argmax(-1) for part in pixels.split(500)])
    return float((chosen == truth).float().mean())


def train(model: Any, data: dict[str, tuple[torch.Tensor, torch.Tensor]], arguments: argparse.Namespace) -> None:
    """Train until the validation accuracy has not risen for two epochs; keep the best epoch."""
    pixels, truth = data["train"]
    steps = arguments.epochs * (len(pixels) // arguments.batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, arguments.learning_rate, total_steps=max(steps, 2))
    best, best_state, since = -1.0, copy.deepcopy(model.state_dict()), 0
    for epoch in range(arguments.epochs):
        model.train()
        for part in torch.randperm(len(pixels))[: len(pixels) // arguments.batch * arguments.batch].split(
            arguments.batch
        ):
            batch = pixels[part]
            # A shoe that looks the other way is a shoe: half of the pictures are mirrored.
            mirrored = torch.rand(len(part)) < 0.5
            batch[mirrored] = batch[mirrored].flip(-1)
            loss = cross_entropy(model(batch).logits, truth[part], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        found = accuracy(model, *data["validation"])
        print(f"epoch {epoch + 1}: validation accuracy {found:.4f}", flush=True)
        best, best_state, since = (
            (found, copy.deepcopy(model.state_dict()), 0) if found > best else (best, best_state, since + 1)
        )
        if since == 2:
            break
    model.load_state_dict(best_state)


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of make_data.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--model", choices=(*RESNETS, "vit"), default="resnet")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if (arguments.out / "config.json").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    logging.set_verbosity_error()
    torch.manual_seed(arguments.seed)
    labels = sorted(folder.name for folder in (arguments.data / "train").iterdir())
    processor = ViTImageProcessorPil(**PROCESSOR)
    data = {split: read_split(arguments.data / split, labels, processor) for split in ("train", "validation", "test")}
    model = make_model(arguments.model, labels)
    train(model, data, arguments)
    # Beside the target and renamed at the end: a reader never meets half a checkpoint.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    model.save_pretrained(unfinished)
    processor.save_pretrained(unfinished)
    unfinished.rename(arguments.out)
    print(f"test accuracy {accuracy(model, *data['test']):.4f}")


if __name__ == "__main__":
    main()
