"""The slots example: Chinese commands with tags that fit their words, and a file that is built as it stands."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from edgewright_runtime.steps.text.words import words_of

for needed in ("hassil", "home_assistant_intents"):
    pytest.importorskip(needed)

EXAMPLES = Path(__file__).parents[2] / "examples"
SPLITS = ("train", "validation", "test")


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, str(EXAMPLES / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(folder: Path, split: str) -> list[dict[str, str]]:
    with (folder / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    sizes = ("--train", "10", "--validation", "5", "--test", "5")
    run("intents/make_data.py", "--language", "zh-CN", "--out", folder, *sizes)
    return folder


def test_each_word_has_a_tag(data: Path) -> None:
    for split in SPLITS:
        found = rows(data, split)
        assert list(found[0]) == ["text", "label", "tags"]
        assert all(len(words_of(row["text"])) == len(row["tags"].split()) for row in found)
        assert not [row["text"] for row in found if set(row["text"]) & set("{}<>[]|;")]


def test_a_tag_is_of_what_fills_the_slot(data: Path) -> None:
    """A character of the same sound may stand in it, so not of all."""
    known = json.loads((EXAMPLES / "intents" / "words.zh-CN.json").read_text(encoding="utf-8"))["area"]
    areas = []
    for row in (row for split in SPLITS for row in rows(data, split)):
        spans, tags = words_of(row["text"]), row["tags"].split()
        for first, tag in enumerate(tags):
            if tag == "B-area":
                last = first + next((k for k, more in enumerate(tags[first + 1 :]) if more != "I-area"), len(tags))
                areas.append(row["text"][spans[first][0] : spans[min(last, len(tags) - 1)][1]])
    assert len(areas) > 50
    right = sum(area in known for area in areas) / len(areas)
    assert 0.7 < right < 1


def test_no_sentence_is_in_two_splits_and_every_intent_is_in_all(data: Path) -> None:
    texts = [row["text"] for split in SPLITS for row in rows(data, split)]
    assert len(texts) == len(set(texts))
    intents = [{row["label"] for row in rows(data, split)} for split in SPLITS]
    assert intents[0] == intents[1] == intents[2]
    assert len(intents[0]) >= 35


def model_of_the_example() -> Any:
    spec = importlib.util.spec_from_file_location("slots_model", EXAMPLES / "slots" / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_loss_and_the_best_path_of_a_crf_are_those_over_all_paths() -> None:
    import itertools

    import torch

    torch.manual_seed(1)
    crf = model_of_the_example().Crf(3)
    for part in crf.parameters():
        torch.nn.init.normal_(part)
    scores, counts = torch.randn(2, 4, 3), torch.tensor([4, 2])
    tags = torch.tensor([[0, 2, 1, 1], [2, 0, 0, 0]])
    for part in crf.parameters():
        part.requires_grad_(requires_grad=False)
    expected = []
    for text, count in zip(range(2), counts.tolist(), strict=True):
        worth = {}
        for path in itertools.product(range(3), repeat=count):
            turns = sum(crf.transitions[before, after] for before, after in itertools.pairwise(path))
            steps = sum(scores[text, word, tag] for word, tag in enumerate(path))
            worth[path] = crf.start[path[0]] + steps + turns + crf.end[path[-1]]
        right = worth[tuple(tags[text, :count].tolist())]
        expected.append(torch.logsumexp(torch.stack(list(worth.values())), 0) - right)
        assert tuple(crf.best(scores[text, :count])) == max(worth, key=lambda path: float(worth[path]))
    assert float(crf.loss(scores, tags, counts)) == pytest.approx(float(sum(expected)) / 2, rel=1e-5)


@pytest.mark.slow
def test_what_is_trained_is_a_source_as_it_stands(data: Path, tmp_path: Path) -> None:
    """The tagger; intents are learned by the same script, and are a row of the bar of families."""
    for needed in ("torch", "transformers", "sklearn"):
        pytest.importorskip(needed)
    import torch

    from edgewright_compiler.sources import SourceOptions, open_source

    out = tmp_path / "made"
    said = run("slots/train.py", "--data", data, "--out", out, "--epochs", "1")
    assert "test F1 " in said
    source = open_source(str(out / "model.onnx"), SourceOptions("token-classification"))
    names = {name for split in SPLITS for row in rows(data, split) for name in row["tags"].split()}
    assert set(source.labels) == names
    assert (out / "crf.json").is_file()
    # The length of a text is told to the network, so that it gives the same with others beside it.
    texts = [row["text"] for row in rows(data, "test")[:4]]
    vocabulary = json.loads((out / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    network = model_of_the_example().Reader(len(vocabulary), len(names), whole=False)
    network.load_state_dict(torch.load(out / "weights.pt", weights_only=True)["network"])
    tokenizer = tokenizers.Tokenizer.from_file(str(out / "tokenizer.json"))
    ids = [torch.tensor(tokenizer.encode(text).ids) for text in texts]
    together = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
    with torch.no_grad():
        scores = network.eval()(together, torch.tensor([len(one) for one in ids]))
    for tokens, expected, outputs in zip(ids, scores, source.reference(texts), strict=True):
        assert torch.allclose(torch.tensor(outputs["scores"][0]), expected[: len(tokens)], atol=1e-4)
