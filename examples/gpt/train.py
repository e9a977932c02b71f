"""Train a small GPT on the texts of a CSV file and save an ordinary Hugging Face checkpoint.

The texts are the spoken commands of ../intents/make_data.py, with their labels left aside: any CSV file with a column
`text` will do.

Example:
    python ../intents/make_data.py --out data
    python train.py --data data --out checkpoints/gpt
"""

import argparse
import csv
import math
import os
import shutil
from pathlib import Path
from typing import Any

# Read when the libraries are imported. Nothing is fetched or reported; and threads that wait sleep instead of spinning,
# which on a machine with other work halves the processor time.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    DataCollatorForLanguageModeling,
    EarlyStoppingCallback,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)
from transformers.utils import logging

END = "<end>"
SPLITS = ("train", "validation", "test")
POSITIONS = 64


def read_texts(path: Path) -> list[str]:
    """The column `text` of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def train_tokenizer(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer: every text can be written with it, whatever it was trained on."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token=END, pad_token=END, model_max_length=POSITIONS
    )


def rows(texts: list[str], tokenizer: Any) -> list[dict[str, Any]]:
    """Tokens of each text, the end included: where a command is over is learned as well."""
    encoded = tokenizer([text + END for text in texts], truncation=True, max_length=POSITIONS)
    # The token for padding is also that of the end, which shall be learned: labels are made here and not from tokens.
    return [{"input_ids": ids, "labels": ids} for ids in encoded["input_ids"]]


class Padding(DataCollatorForLanguageModeling):
    """Pads tokens and labels to the longest row; labels of padding count for nothing."""

    def torch_call(self, examples: list[Any]) -> dict[str, Any]:
        """A batch."""
        longest = max(len(example["input_ids"]) for example in examples)

        def padded(name: str, value: int) -> torch.Tensor:
            return torch.tensor([row[name] + [value] * (longest - len(row[name])) for row in examples])

        mask = [[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in examples]
        return {
            "input_ids": padded("input_ids", 0),
            "labels": padded("labels", -100),
            "attention_mask": torch.tensor(mask),
        }


def train(arguments: argparse.Namespace, folder: Path) -> float:
    """Train, leave a checkpoint in `folder`; gives the perplexity on the test split."""
    texts = {split: read_texts(arguments.data / f"{split}.csv") for split in SPLITS}
    tokenizer: Any = train_tokenizer(texts["train"], arguments.vocabulary)
    data: dict[str, Any] = {split: rows(texts[split], tokenizer) for split in SPLITS}
    # The first weights come from the seed as well.
    torch.manual_seed(arguments.seed)
    end = tokenizer.eos_token_id
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=POSITIONS,
        n_layer=arguments.layers,
        n_embd=arguments.width,
        n_head=arguments.width // 32,
        bos_token_id=end,
        eos_token_id=end,
    )
    settings = TrainingArguments(
        output_dir=str(folder / "steps"),
        num_train_epochs=arguments.epochs,
        max_steps=arguments.max_steps,
        learning_rate=arguments.learning_rate,
        per_device_train_batch_size=32,
        per_device_eval_batch_size=128,
        warmup_steps=0.05,
        weight_decay=0.1,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        save_only_model=True,
        load_best_model_at_end=True,
        metric_for_best_model="loss",
        logging_strategy="epoch",
        report_to="none",
        seed=arguments.seed,
        use_cpu=True,
    )
    trainer = Trainer(
        model=GPT2LMHeadModel(config),
        args=settings,
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        data_collator=Padding(tokenizer, mlm=False),
        processing_class=tokenizer,
        callbacks=[EarlyStoppingCallback(early_stopping_patience=2)],
    )
    trainer.train()
    perplexity = math.exp(trainer.evaluate(data["test"])["eval_loss"])
    shutil.rmtree(folder / "steps")
    trainer.save_model(str(folder))
    (folder / "training_args.bin").unlink()
    return perplexity


def main() -> None:
    """Train into a new folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv, validation.csv and test.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=256, help="a multiple of 32")
    parser.add_argument("--vocabulary", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--max-steps", type=int, default=-1, help="stop early, to try things out")
    arguments = parser.parse_args()
    if (arguments.out / "config.json").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    logging.set_verbosity_error()
    logging.disable_progress_bar()  # of saving and loading; the bar of the training stays
    # Train beside the target and rename at the end: a reader never meets half a checkpoint.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    perplexity = train(arguments, unfinished)
    unfinished.rename(arguments.out)
    print(f"test perplexity {perplexity:.2f} a token")


if __name__ == "__main__":
    main()
