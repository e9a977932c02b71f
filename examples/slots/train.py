"""Train a small network on Chinese commands and write it as ONNX, with all that stands beside it.

It learns the slots of a command, a tag for each word, or with `--column label` its intent. The data is that of
../intents/make_data.py with --language zh-CN.

Example:
    python train.py --data data --out checkpoints/slots
"""

import argparse
import copy
import csv
import json
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

# Nothing is fetched; and threads that wait sleep instead of spinning, which spares a machine with other work.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from model import LONGEST, Crf, Reader
from seqeval.metrics import f1_score
from sklearn.metrics import accuracy_score
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from edgewright_runtime.steps.text.words import words_of

PAD, UNKNOWN = "[PAD]", "[UNK]"
BATCH = 32
# Characters that training hides, so that the network has seen a character that it does not know.
HIDDEN = 0.03


class Sample(NamedTuple):
    """A text as tokens, the first token of each word, and the right class of each word, or of the text."""

    tokens: list[int]
    firsts: list[int]
    right: list[int]


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with the columns `text`, `label` and `tags`."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def make_tokenizer(texts: Sequence[str]) -> Any:
    """Characters of these texts; of words in Latin letters and of numbers too, as BERT's tokenizer for Chinese."""
    signs = sorted({sign for text in texts for sign in text.lower() if not sign.isspace()})
    inside = [f"##{sign}" for sign in signs if sign.isascii()]
    vocabulary = {token: index for index, token in enumerate((PAD, UNKNOWN, *signs, *inside))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, unk_token=UNKNOWN, model_max_length=LONGEST, padding_side="right"
    )


def sample_of(row: dict[str, str], column: str, tokenizer: Any, classes: dict[str, int]) -> Sample:
    """A row in numbers. A word has the tag of its first token."""
    text = row["text"]
    made = tokenizer(text, truncation=True, max_length=LONGEST, return_offsets_mapping=True)
    begin = {start: token for token, (start, _) in reversed(list(enumerate(made["offset_mapping"])))}
    firsts = [begin[start] for start, _ in words_of(text) if start in begin]
    right = row[column].split() if column == "tags" else [row[column]]
    # Of a text that was cut the end has no tokens.
    kept = right[: len(firsts)] if column == "tags" else right
    return Sample(made["input_ids"], firsts, [classes[name] for name in kept])


def stacked(rows: Sequence[Sequence[int]]) -> Tensor:
    """Rows of numbers as one array, zeros behind the shorter ones."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])


def scores_of(network: Reader, samples: Sequence[Sample]) -> Tensor:
    """Scores of the words of some texts, [texts, words, classes], or of the texts, [texts, classes]."""
    tokens = stacked([sample.tokens for sample in samples])
    if network.training:
        tokens = torch.where(torch.rand(tokens.shape) < HIDDEN, 1, tokens)
    scores: Tensor = network(tokens, torch.tensor([len(sample.tokens) for sample in samples]))
    if network.whole:
        return scores
    firsts = stacked([sample.firsts for sample in samples])
    return scores.gather(1, firsts[:, :, None].expand(-1, -1, scores.shape[2]))


def predicted(network: Reader, crf: Crf, samples: Sequence[Sample]) -> list[list[int]]:
    """The classes of the words of each text, or its own."""
    network.eval()
    found: list[list[int]] = []
    with torch.no_grad():
        for start in range(0, len(samples), BATCH):
            part = samples[start : start + BATCH]
            for sample, scores in zip(part, scores_of(network, part), strict=True):
                found.append([int(scores.argmax())] if network.whole else crf.best(scores[: len(sample.firsts)]))
    return found


def worth(found: Sequence[list[int]], samples: Sequence[Sample], classes: Sequence[str]) -> float:
    """F1 of the slots as seqeval counts it, or the accuracy of the intents."""
    names = [[[classes[index] for index in row] for row in rows] for rows in ([s.right for s in samples], found)]
    if any("-" in name for name in classes):
        return float(f1_score(*names))
    return float(accuracy_score(*([row[0] for row in rows] for rows in names)))


def train(
    network: Reader, crf: Crf, data: dict[str, list[Sample]], classes: Sequence[str], arguments: argparse.Namespace
) -> None:
    """Train for so many epochs, and keep the one that is best on validation."""
    weights = [*network.parameters(), *crf.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=arguments.learning_rate, weight_decay=0.01)
    samples = data["train"]
    steps = arguments.epochs * -(-len(samples) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, arguments.learning_rate, total_steps=max(steps, 2))
    best, best_states, start = -1.0, (), time.monotonic()
    for epoch in range(1, arguments.epochs + 1):
        network.train()
        for part in torch.randperm(len(samples)).split(BATCH):
            chosen = [samples[index] for index in part.tolist()]
            scores, right = scores_of(network, chosen), stacked([sample.right for sample in chosen])
            if network.whole:
                loss = functional.cross_entropy(scores, right[:, 0])
            else:
                loss = crf.loss(scores, right, torch.tensor([len(sample.right) for sample in chosen]))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            schedule.step()
        value = worth(predicted(network, crf, data["validation"]), data["validation"], classes)
        print(f"epoch {epoch}: validation {value:.3f}, {time.monotonic() - start:.0f} s", flush=True)
        if value > best:
            best, best_states = value, tuple(copy.deepcopy(part.state_dict()) for part in (network, crf))
    for part, states in zip((network, crf), best_states, strict=True):
        part.load_state_dict(states)


def write(folder: Path, network: Reader, crf: Crf, tokenizer: Any, classes: Sequence[str]) -> None:
    """The graph, its tokenizer, the names of its classes, and the scores between tags; and the weights, for torch."""
    texts, characters = torch.export.Dim("texts"), torch.export.Dim("characters", min=2, max=LONGEST)
    torch.onnx.export(
        network.eval(),
        (torch.zeros(2, 7, dtype=torch.int64), torch.tensor([7, 5])),
        folder / "model.onnx",
        input_names=["characters", "lengths"],
        output_names=["scores"],
        dynamic_shapes={"characters": {0: texts, 1: characters}, "lengths": {0: texts}},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    tokenizer.save_pretrained(folder)
    config = {"max_position_embeddings": LONGEST, "id2label": dict(enumerate(classes))}
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1), encoding="utf-8")
    if not network.whole:
        # The CRF sees the first token of each word.
        scores = {name: value.tolist() for name, value in crf.state_dict().items()}
        (folder / "crf.json").write_text(json.dumps({**scores, "over": "words"}), encoding="utf-8")
    torch.save({"network": network.state_dict(), "crf": crf.state_dict()}, folder / "weights.pt")


def main() -> None:
    """Train, test, and write the folder that `edgewright build` takes the file of."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.csv, validation.csv and test.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder for model.onnx and what belongs to it")
    parser.add_argument("--column", choices=("tags", "label"), default="tags", help="slots (default) or intents")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if (arguments.out / "model.onnx").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    rows = {split: read_rows(arguments.data / f"{split}.csv") for split in ("train", "validation", "test")}
    column = arguments.column
    # Tags that only validation has are of the same slots.
    names = {name for split in rows.values() for row in split for name in row[column].split()}
    classes = sorted(names, key=lambda name: (name != "O", name))
    numbers = {name: index for index, name in enumerate(classes)}
    tokenizer = make_tokenizer([row["text"] for row in rows["train"]])
    data = {split: [sample_of(row, column, tokenizer, numbers) for row in some] for split, some in rows.items()}
    torch.manual_seed(arguments.seed)
    network, crf = Reader(len(tokenizer), len(classes), whole=column == "label"), Crf(len(classes))
    count = sum(weights.numel() for weights in network.parameters())
    print(f"{count:,} parameters, {len(tokenizer)} characters, {len(classes)} classes")
    train(network, crf, data, classes, arguments)
    # Beside the target and renamed at the end: a reader never meets half of it.
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    write(unfinished, network, crf, tokenizer, classes)
    unfinished.rename(arguments.out)
    value = worth(predicted(network, crf, data["test"]), data["test"], classes)
    print(f"test {'F1' if column == 'tags' else 'accuracy'} {value:.4f}")


if __name__ == "__main__":
    main()
