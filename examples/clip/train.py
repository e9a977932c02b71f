"""Train a small CLIP on the pictures and captions of make_data.py and save an ordinary Hugging Face checkpoint.

Example:
    python train.py --data data --out checkpoints/clip
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
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer
from transformers.utils import logging

EDGE, LONGEST = 64, 32
START, END = "<|startoftext|>", "<|endoftext|>"
# The words that pipelines for zero-shot classification put around a label.
TEMPLATE = "This is a photo of {}."
Pairs = dict[str, Any]


def read_split(table: Path, count: int | None) -> Pairs:
    """Pixels [pictures, 3, height, width] as bytes, captions, and names of what is seen."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    pictures = []
    for row in rows:
        with Image.open(table.parent / row["image"]) as image:
            pictures.append(np.asarray(image.convert("RGB").resize((EDGE, EDGE), Image.Resampling.BICUBIC)))
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    return {"pixels": pixels, "texts": [row["text"] for row in rows], "names": [row["label"] for row in rows]}


def make_tokenizer(texts: list[str], folder: Path) -> Any:
    """CLIP's kind of tokenizer with the pieces of words of these texts."""
    pieces = Tokenizer(models.BPE(unk_token=END, end_of_word_suffix="</w>"))
    pieces.normalizer = normalizers.Lowercase()  # type: ignore[assignment]
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    trainer: Any = trainers.BpeTrainer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    options = {"vocab_size": 1200, "end_of_word_suffix": "</w>", "initial_alphabet": alphabet, "show_progress": False}
    # CLIP takes words without the spaces between them.
    words = [word for text in texts for word in text.split()]
    pieces.train_from_iterator(words, trainer(**options))
    pieces.model.save(str(folder))
    vocabulary = pieces.get_vocab()
    for token in (*[sign + "</w>" for sign in alphabet], START, END):
        vocabulary.setdefault(token, len(vocabulary))
    lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()[1:]
    merges = [tuple(line.split(" ", 1)) for line in lines]
    for name in ("vocab.json", "merges.txt"):
        (folder / name).unlink()
    tokenizer: Any = CLIPTokenizer
    return tokenizer(vocab=vocabulary, merges=merges, model_max_length=LONGEST)


def make_model(tokenizer: Any) -> Any:
    """A small CLIP: a ViT over 64 patches and two layers over the words."""
    small = {"hidden_size": 128, "intermediate_size": 384, "num_attention_heads": 4}
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config: Any = CLIPConfig(
        text_config={
            **small,
            **ids,
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            "num_hidden_layers": 2,
            "max_position_embeddings": LONGEST,
        },
        vision_config={**small, "num_hidden_layers": 4, "image_size": EDGE, "patch_size": 8},
        projection_dim=128,
    )
    return CLIPModel(config)


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


def recall(model: Any, tokenizer: Any, processor: Any, pairs: Pairs, k: int = 5) -> float:
    """The share of pictures whose caption is among the `k` that fit best, of all captions of the split."""
    model.eval()
    with torch.no_grad():
        feeds = tokenizer(pairs["texts"], padding=True, truncation=True, return_tensors="pt")
        scores = model(pixel_values=scaled(pairs["pixels"].float(), processor), **feeds).logits_per_image
    best = scores.topk(min(k, scores.shape[1]), dim=1).indices
    right = best == torch.arange(len(scores))[:, None]
    return float(right.any(dim=1).float().mean())


def scaled(pixels: torch.Tensor, processor: Any) -> torch.Tensor:
    """What the image processor makes of pictures of the right size."""
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (processor.image_mean, processor.image_std))
    return (pixels.clamp(0, 255) / 255 - mean) / deviation


def train(model: Any, tokenizer: Any, processor: Any, data: dict[str, Pairs], arguments: argparse.Namespace) -> None:
    """Train until the minutes are over, and keep the state that is best on validation."""
    random = torch.Generator().manual_seed(arguments.seed)
    pairs = data["train"]
    count, batch = len(pairs["texts"]), min(arguments.batch, len(pairs["texts"]))
    rounds = arguments.epochs * (count // batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, arguments.learning_rate, total_steps=rounds, pct_start=0.1
    )
    best, best_state, start = -1.0, copy.deepcopy(model.state_dict()), time.process_time()
    for epoch in range(1, arguments.epochs + 1):
        model.train()
        losses = []
        order = torch.randperm(count, generator=random)
        for first in range(0, count - batch + 1, batch):
            part = order[first : first + batch].tolist()
            # A third of the captions names the thing alone, as labels do.
            plain = torch.rand(batch, generator=random) < 1 / 3
            texts = [
                TEMPLATE.format(pairs["names"][index]) if alone else pairs["texts"][index]
                for index, alone in zip(part, plain.tolist(), strict=True)
            ]
            feeds = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
            pictures = scaled(varied(pairs["pixels"][part], random), processor)
            scores = model(pixel_values=pictures, **feeds).logits_per_image
            # Equal captions are equally right.
            same = torch.tensor([[float(one == other) for other in texts] for one in texts])
            rights = same / same.sum(dim=1, keepdim=True)
            loss = (
                torch.nn.functional.cross_entropy(scores, rights) + torch.nn.functional.cross_entropy(scores.T, rights)
            ) / 2
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        if epoch % 4 == 0 or epoch == arguments.epochs:
            found = recall(model, tokenizer, processor, data["validation"])
            seconds = time.process_time() - start
            print(
                f"epoch {epoch}: loss {np.mean(losses):.3f}, validation recall@5 {found:.3f}, {seconds:.0f} s",
                flush=True,
            )
            if found > best:
                best, best_state = found, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)


def main() -> None:
    """Train, test, and leave a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv, validation.csv and test.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=128)
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
    # Train beside the target and rename at the end: a reader never meets half a checkpoint.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    texts = [*data["train"]["texts"], *map(TEMPLATE.format, data["train"]["names"])]
    tokenizer = make_tokenizer(texts, unfinished)
    sizes = {"size": {"height": EDGE, "width": EDGE}, "do_center_crop": False}
    image_processor: Any = CLIPImageProcessorPil
    processor = image_processor(**sizes)
    model = make_model(tokenizer)
    print(f"{sum(weights.numel() for weights in model.parameters()):,} parameters")
    train(model, tokenizer, processor, data, arguments)
    model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    processor.save_pretrained(unfinished)
    unfinished.rename(arguments.out)
    for k in (1, 5):
        print(f"test recall@{k} {recall(model, tokenizer, processor, data['test'], k):.3f}")


if __name__ == "__main__":
    main()
