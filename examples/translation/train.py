"""Train a small Marian on the texts of make_data.py and save an ordinary Hugging Face checkpoint with its tokenizer.

Example:
    python train.py --data data --out checkpoints/stamps
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
from sacrebleu.metrics.chrf import CHRF
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import MarianConfig, MarianMTModel, PreTrainedTokenizerFast
from transformers.utils import logging

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
VOCABULARY = 1500
LONGEST = 64
BATCH = 64
Pair = tuple[str, str]


def read_split(table: Path) -> list[Pair]:
    """Texts and translations of a table."""
    with table.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["translation"]) for row in csv.DictReader(file)]


def make_tokenizer(pairs: list[Pair]) -> Any:
    """Pieces of words of both languages, an end token behind each text."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=[PAD, END, UNKNOWN], unk_token=UNKNOWN, show_progress=False
    )
    made.train_from_iterator([text for pair in pairs for text in pair], trainer)
    made.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, unk_token=UNKNOWN, model_max_length=LONGEST
    )


def make_model(tokenizer: Any) -> Any:
    """A small Marian; its encoder, its decoder and its last layer share one embedding."""
    config = MarianConfig(
        vocab_size=len(tokenizer),
        d_model=96,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=192,
        decoder_ffn_dim=192,
        max_position_embeddings=LONGEST,
        dropout=0.1,
        activation_function="swish",
        scale_embedding=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
    )
    model: Any = MarianMTModel(config)
    # As Marian's models are published: two beams, and padding is never written.
    model.generation_config.update(num_beams=2, max_length=LONGEST, bad_words_ids=[[tokenizer.pad_token_id]])
    return model


def feeds_of(tokenizer: Any, texts: list[str]) -> dict[str, Any]:
    """A batch of texts as tokens with their mask."""
    made = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    return {name: made[name] for name in ("input_ids", "attention_mask")}


def translate(model: Any, tokenizer: Any, texts: list[str], **options: Any) -> list[str]:
    """What the model writes."""
    model.eval()
    found: list[str] = []
    for start in range(0, len(texts), BATCH):
        feeds = feeds_of(tokenizer, texts[start : start + BATCH])
        with torch.no_grad():
            found += tokenizer.batch_decode(model.generate(**feeds, **options), skip_special_tokens=True)
    return found


def chrf(pairs: list[Pair], written: list[str]) -> float:
    """ChrF of the whole split, 0 to 100."""
    return float(CHRF().corpus_score(written, [[right for _, right in pairs]]).score)


def train(model: Any, tokenizer: Any, data: dict[str, list[Pair]], arguments: argparse.Namespace) -> None:
    """Train until chrF on validation no longer rises, and keep the state that was best on it."""
    random = np.random.default_rng(arguments.seed)
    pairs = data["train"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.01)
    best, best_epoch, best_state = -1.0, 0, copy.deepcopy(model.state_dict())
    start = time.monotonic()
    for epoch in range(1, arguments.epochs + 1):
        model.train()
        for group in optimizer.param_groups:
            # Up in the first three epochs, then slowly down.
            group["lr"] = arguments.learning_rate * min(epoch / 3, 1.02 - epoch / arguments.epochs)
        # Texts of like length together: less padding.
        keys = [len(text) * random.uniform(0.8, 1.2) for text, _ in pairs]
        order = np.argsort(keys)
        parts = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
        losses = []
        for part in random.permutation(len(parts)):
            chosen = [pairs[index] for index in parts[part]]
            feeds = feeds_of(tokenizer, [text for text, _ in chosen])
            right = feeds_of(tokenizer, [translated for _, translated in chosen])
            labels = right["input_ids"].masked_fill(right["attention_mask"] == 0, -100)
            loss = model(**feeds, labels=labels).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(float(loss.detach()))
        if epoch % 3 and epoch != arguments.epochs:
            continue
        written = translate(model, tokenizer, [text for text, _ in data["validation"]], num_beams=1)
        value = chrf(data["validation"], written)
        seconds = time.monotonic() - start
        print(f"epoch {epoch}: loss {np.mean(losses):.3f}, validation chrF {value:.1f}, {seconds:.0f} s", flush=True)
        if value > best:
            best, best_epoch, best_state = value, epoch, copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= arguments.patience:
            print(f"no better for {arguments.patience} epochs: epoch {best_epoch} is kept")
            break
    model.load_state_dict(best_state)


def main() -> None:
    """Train, test, and leave a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv, validation.csv and test.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--epochs", type=int, default=36, help="at most so many (default: %(default)s)")
    parser.add_argument("--patience", type=int, default=9, help="end after so many that are no better")
    parser.add_argument("--texts", type=int, help="use so few of each split, to try things out")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()

    if (arguments.out / "config.json").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(arguments.seed)
    splits = ("train", "validation", "test")
    data = {split: read_split(arguments.data / f"{split}.csv")[: arguments.texts] for split in splits}
    tokenizer = make_tokenizer(data["train"])
    model = make_model(tokenizer)
    print(f"{sum(weights.numel() for weights in model.parameters()):,} parameters")
    train(model, tokenizer, data, arguments)
    written = translate(model, tokenizer, [text for text, _ in data["test"]])
    # Save beside the target and rename at the end: a reader never meets half a checkpoint.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    unfinished.rename(arguments.out)
    for (text, _), translated in list(zip(data["test"], written, strict=True))[:4]:
        print(f"  {text}  ->  {translated}")
    print(f"test chrF {chrf(data['test'], written):.1f}")


if __name__ == "__main__":
    main()
