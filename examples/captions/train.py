"""Train a small captioner on the pictures of examples/clip/make_data.py and save an ordinary Hugging Face checkpoint.

Example:
    python train.py --data data --out checkpoints/captioner
"""

import argparse
import copy
import csv
import os
import shutil
import time
from pathlib import Path
from typing import Any

# Nothing is fetched; and threads that wait sleep instead of spinning, which spares a machine with other work.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    GPT2Config,
    PreTrainedTokenizerFast,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTImageProcessorPil,
)
from transformers.utils import logging

EDGE, LONGEST = 64, 16
PAD, START, END, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
# Label of a place that the loss leaves out.
IGNORED = -100
Pairs = dict[str, Any]


def read_split(table: Path, count: int | None) -> Pairs:
    """Pixels [pictures, 3, height, width] as bytes, and captions."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    pictures = []
    for row in rows:
        with Image.open(table.parent / row["image"]) as image:
            pictures.append(np.asarray(image.convert("RGB").resize((EDGE, EDGE), Image.Resampling.BICUBIC)))
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    return {"pixels": pixels, "texts": [row["text"] for row in rows]}


def make_tokenizer(texts: list[str]) -> Any:
    """A tokenizer whose tokens are the words of these texts."""
    words = [PAD, START, END, UNKNOWN, *sorted({word for text in texts for word in text.split()})]
    made = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # type: ignore[assignment]
    names = {"pad_token": PAD, "bos_token": START, "eos_token": END, "unk_token": UNKNOWN}
    tokenizer: Any = PreTrainedTokenizerFast
    return tokenizer(tokenizer_object=made, model_max_length=LONGEST, **names)


def make_model(tokenizer: Any) -> Any:
    """A ViT that sees 64 patches, and a GPT-2 that looks at what it saw while it writes."""
    vision: Any = ViTConfig
    writer: Any = GPT2Config
    pair: Any = VisionEncoderDecoderConfig
    ends = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    small = {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4, "num_attention_heads": 4}
    config = pair.from_encoder_decoder_configs(
        vision(**small, image_size=EDGE, patch_size=8),
        writer(vocab_size=len(tokenizer), n_embd=128, n_inner=384, n_layer=2, n_head=4, n_positions=LONGEST, **ends),
    )
    config.update({**ends, "decoder_start_token_id": tokenizer.bos_token_id})
    model: Any = VisionEncoderDecoderModel(config)
    model.generation_config.update(
        **ends, decoder_start_token_id=tokenizer.bos_token_id, max_new_tokens=LONGEST, do_sample=False
    )
    return model


def labels_of(texts: list[str], tokenizer: Any) -> torch.Tensor:
    """Token ids of captions and their ends, [captions, longest], `IGNORED` where one is shorter than the longest."""
    ids = [torch.tensor([*tokenizer(text).input_ids, tokenizer.eos_token_id]) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=IGNORED)


def varied(pixels: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Pictures mirrored, moved by a few pixels, and a little brighter or darker."""
    count = len(pixels)
    flipped = torch.rand(count, 1, 1, 1, generator=random) < 0.5
    pixels = torch.where(flipped, pixels.flip(3), pixels).float()
    padded = torch.nn.functional.pad(pixels, (4, 4, 4, 4), mode="replicate")
    rows, columns = torch.randint(0, 9, (2, count), generator=random).tolist()
    moved = [
        padded[index, :, row : row + EDGE, column : column + EDGE]
        for index, (row, column) in enumerate(zip(rows, columns, strict=True))
    ]
    return torch.stack(moved) * (0.85 + 0.3 * torch.rand(count, 1, 1, 1, generator=random))


def scaled(pixels: torch.Tensor, processor: Any) -> torch.Tensor:
    """What the image processor makes of pictures of the right size."""
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (processor.image_mean, processor.image_std))
    return (pixels.clamp(0, 255) / 255 - mean) / deviation


def captions(model: Any, tokenizer: Any, processor: Any, pixels: torch.Tensor) -> list[str]:
    """What the model writes about pictures, the likeliest token each time."""
    model.eval()
    written = [model.generate(pixel_values=scaled(part.float(), processor)) for part in pixels.split(128)]
    return [text for tokens in written for text in tokenizer.batch_decode(tokens, skip_special_tokens=True)]


def right(found: list[str], texts: list[str]) -> dict[str, float]:
    """The shares of captions that are right as a whole, in the thing, and in the ground."""
    pairs = [(one.partition(" on "), other.partition(" on ")) for one, other in zip(found, texts, strict=True)]
    parts = {
        "caption": [one == other for one, other in pairs],
        "thing": [one[0] == other[0] for one, other in pairs],
        "ground": [one[2] == other[2] for one, other in pairs],
    }
    return {name: float(np.mean(values)) for name, values in parts.items()}


def train(model: Any, tokenizer: Any, processor: Any, data: dict[str, Pairs], arguments: argparse.Namespace) -> None:
    """Train until no more captions of validation become right for some epochs, and keep the best state."""
    random = torch.Generator().manual_seed(arguments.seed)
    pixels, validation = data["train"]["pixels"], data["validation"]
    labels = labels_of(data["train"]["texts"], tokenizer)
    count, batch = len(pixels), min(arguments.batch, len(pixels))
    rounds = arguments.epochs * (count // batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, arguments.learning_rate, total_steps=rounds, pct_start=0.15
    )
    best, best_state, since, start = -1.0, copy.deepcopy(model.state_dict()), 0, time.process_time()
    for epoch in range(1, arguments.epochs + 1):
        model.train()
        losses = []
        order = torch.randperm(count, generator=random)
        for first in range(0, count - batch + 1, batch):
            part = order[first : first + batch]
            pictures = scaled(varied(pixels[part], random), processor)
            loss = model(pixel_values=pictures, labels=labels[part]).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        found = right(captions(model, tokenizer, processor, validation["pixels"]), validation["texts"])
        seconds = time.process_time() - start
        print(
            f"epoch {epoch}: loss {np.mean(losses):.3f}, validation captions right {found['caption']:.3f} "
            f"(thing {found['thing']:.3f}, ground {found['ground']:.3f}), {seconds:.0f} s",
            flush=True,
        )
        if found["caption"] > best:
            best, best_state, since = found["caption"], copy.deepcopy(model.state_dict()), 0
        else:
            since += 1
        if since == arguments.patience:
            break
    model.load_state_dict(best_state)


def main() -> None:
    """Train, test, and leave a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv, validation.csv and test.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--epochs", type=int, default=16, help="at most")
    parser.add_argument("--patience", type=int, default=4, help="stop after so many epochs that were no better")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--pairs", type=int, help="use so few of each split, to try things out")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()

    if (arguments.out / "config.json").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(arguments.seed)
    data = {
        split: read_split(arguments.data / f"{split}.csv", arguments.pairs) for split in ("train", "validation", "test")
    }
    tokenizer = make_tokenizer(data["train"]["texts"])
    image_processor: Any = ViTImageProcessorPil
    processor = image_processor(size={"height": EDGE, "width": EDGE})
    model = make_model(tokenizer)
    print(f"{sum(weights.numel() for weights in model.parameters()):,} parameters, {len(tokenizer)} words")
    train(model, tokenizer, processor, data, arguments)
    # Written beside the target and renamed at the end: a reader never meets half a checkpoint.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for part in (model, tokenizer, processor):
        part.save_pretrained(unfinished)
    unfinished.rename(arguments.out)
    found = right(captions(model, tokenizer, processor, data["test"]["pixels"]), data["test"]["texts"])
    print("test: " + ", ".join(f"{name} right {share:.3f}" for name, share in found.items()))


if __name__ == "__main__":
    main()
