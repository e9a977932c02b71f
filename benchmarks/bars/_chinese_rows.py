"""Rows of Chinese commands: slots and intents of home-assistant-intents, by networks that are trained here.

They come as ONNX files whose inputs have names of their own, one of them the lengths of the texts; the tags of a text
are tied by a CRF behind the graph. Beside the package runs the network in torch, with tokens made by hand. No template
of the test is one of the training.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _row import Made, Row
from fetched import CannotFetchError

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
# Of each intent, and how often the network sees them: one or two minutes of a core.
_SIZES = ("--train", "50", "--validation", "15", "--test", "15")
_EPOCHS = "8"
# Runs of Latin letters and of digits are split into characters that know where they stand.
_RUN = re.compile(r"[a-z0-9]+|\S")
_WORD = re.compile(r"[A-Za-z0-9.%]+|\S")


def _made(column: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        if not all(map(importlib.util.find_spec, ("hassil", "home_assistant_intents"))):
            raise CannotFetchError("home-assistant-intents is not installed: pip install edgewright[demo]")
        data, source = folder / "data", folder / "source"
        _run("intents/make_data.py", "--language", "zh-CN", "--out", data, *_SIZES)
        _run("slots/train.py", "--data", data, "--out", source, "--column", column, "--epochs", _EPOCHS)
        with (data / "test.csv").open(encoding="utf-8", newline="") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        return Made(spec=str(source / "model.onnx"), data=data / "test.csv", samples=texts)

    return make


def _run(script: str, *arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, str(_EXAMPLES / script), *map(str, arguments)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{script} failed: {done.stderr.strip().splitlines()[-1]}")


def _scores(made: Made) -> Callable[[str], Any]:
    """The network in torch, from a text to its scores."""
    import torch

    folder = Path(made.spec).parent
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    weights = torch.load(folder / "weights.pt", weights_only=True)["network"]
    classes = len(_classes(made))
    network = _module().Reader(len(vocabulary), classes, whole=not (folder / "crf.json").is_file())
    network.load_state_dict(weights)
    network.eval()

    def scores(text: str) -> Any:
        tokens = [vocabulary.get(token, vocabulary["[UNK]"]) for token, _ in _tokens(text)]
        with torch.no_grad():
            return network(torch.tensor([tokens]), torch.tensor([len(tokens)]))[0]

    return scores


def _module() -> Any:
    spec = importlib.util.spec_from_file_location("slots_model", _EXAMPLES / "slots" / "model.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("examples/slots/model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _classes(made: Made) -> list[str]:
    table = json.loads((Path(made.spec).parent / "config.json").read_text(encoding="utf-8"))["id2label"]
    return [table[str(index)] for index in range(len(table))]


def _tokens(text: str) -> list[tuple[str, int]]:
    """The tokens of a text, and where each begins."""
    return [
        (f"##{sign}" if at else sign, run.start() + at)
        for run in _RUN.finditer(text.lower())
        for at, sign in enumerate(run[0])
    ]


def _slots(made: Made) -> list[Any]:
    import torch

    get_entities: Any = importlib.import_module("seqeval.metrics.sequence_labeling").get_entities
    scores, classes = _scores(made), _classes(made)
    crf = _module().Crf(len(classes))
    crf.load_state_dict(torch.load(Path(made.spec).parent / "weights.pt", weights_only=True)["crf"])
    answers = []
    for text in made.samples:
        spans = [word.span() for word in _WORD.finditer(text)]
        places = [place for _, place in _tokens(text)]
        with torch.no_grad():
            tags = crf.best(scores(text)[[places.index(start) for start, _ in spans]])
        found = []
        for label, first, last in get_entities([classes[tag] for tag in tags]):
            start, end = spans[first][0], spans[last][1]
            words = [int(first), int(last)]
            found.append({"label": label, "text": text[start:end], "start": start, "end": end, "words": words})
        answers.append(found)
    return answers


def _intents(made: Made) -> list[Any]:
    scores, classes = _scores(made), _classes(made)
    shares = [scores(text).softmax(-1) for text in made.samples]
    return [[{"label": classes[int(one.argmax())], "score": float(one.max())}] for one in shares]


ROWS = (
    Row(
        name="chinese-slots",
        task="token-classification",
        weights="trained here on home-assistant-intents, ONNX",
        make=_made("tags"),
        theirs=_slots,
        compared="entities",
    ),
    Row(
        name="chinese-intents",
        task="text-classification",
        weights="trained here on home-assistant-intents, ONNX",
        make=_made("label"),
        theirs=_intents,
        compared="label",
    ),
)
