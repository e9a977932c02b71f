"""Train a small VideoMAE on the videos of make_data.py and save an ordinary Hugging Face checkpoint.

Example:
    python train.py --data data --out checkpoints/motions
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

import av
import torch
from torch.nn.functional import cross_entropy
from transformers import VideoMAEConfig, VideoMAEForVideoClassification, VideoMAEImageProcessorPil
from transformers.utils import logging

EDGE, FRAMES = 32, 8
SHAPE = {"image_size": EDGE, "num_frames": FRAMES, "patch_size": 8, "tubelet_size": 4, "hidden_size": 96}
PROCESSOR = {"size": {"shortest_edge": EDGE}, "crop_size": {"height": EDGE, "width": EDGE}}


def read_split(folder: Path, labels: list[str], processor: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """All videos of a split as the processor gives them, frames spread evenly over each; and their classes."""
    pixels, truth = [], []
    for index, label in enumerate(labels):
        for file in sorted((folder / label).glob("*.mp4")):
            with av.open(str(file)) as container:
                frames = [frame.to_image() for frame in container.decode(video=0)]
            chosen = [frames[place * len(frames) // FRAMES] for place in range(FRAMES)]
            pixels.append(processor(chosen, return_tensors="pt")["pixel_values"])
            truth.append(index)
    return torch.cat(pixels), torch.tensor(truth)


def accuracy(model: Any, pixels: torch.Tensor, truth: torch.Tensor) -> float:
    """The share of videos whose best class is theirs."""
    model.eval()
    with torch.no_grad():
        chosen = torch.cat([model(pixel_values=part).logits.argmax(-1) for part in pixels.split(100)])
    return float((chosen == truth).float().mean())


def train(model: Any, data: dict[str, tuple[torch.Tensor, torch.Tensor]], arguments: argparse.Namespace) -> None:
    """Train until the validation accuracy has not risen for three epochs, or is 1; keep the best epoch."""
    pixels, truth = data["train"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.05)
    best, best_state, since = -1.0, copy.deepcopy(model.state_dict()), 0
    for epoch in range(arguments.epochs):
        model.train()
        for part in torch.randperm(len(pixels)).split(arguments.batch):
            loss = cross_entropy(model(pixel_values=pixels[part]).logits, truth[part])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        found = accuracy(model, *data["validation"])
        print(f"epoch {epoch + 1}: validation accuracy {found:.4f}", flush=True)
        best, best_state, since = (
            (found, copy.deepcopy(model.state_dict()), 0) if found > best else (best, best_state, since + 1)
        )
        if since == 3 or best == 1:
            break
    model.load_state_dict(best_state)


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of make_data.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    arguments = parser.parse_args()
    if (arguments.out / "config.json").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    logging.set_verbosity_error()
    torch.manual_seed(7)
    labels = sorted(folder.name for folder in (arguments.data / "train").iterdir())
    processor = VideoMAEImageProcessorPil(**PROCESSOR)
    data = {split: read_split(arguments.data / split, labels, processor) for split in ("train", "validation", "test")}
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    layers = {"num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 192}
    model = VideoMAEForVideoClassification(VideoMAEConfig(**SHAPE, **layers, **names))
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
