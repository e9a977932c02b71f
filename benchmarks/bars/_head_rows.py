"""Rows of classifiers that do not choose one class of several: what each is, and what its own library answers."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiny_models
from _row import SAMPLES, Made, Row

_RANDOM = "random weights"
_TEXTS = [text for text, _ in tiny_models.sentences()]
_NAMES = ("light", "music", "timer")


def _made(folder: Path, right: list[Any], labels: tuple[str, ...], column: str = "label", **settings: Any) -> Made:
    data = folder / "data.jsonl"
    rows = [{"text": text, column: value} for text, value in zip(_TEXTS, right, strict=True)]
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    source = tiny_models.write_checkpoint(folder / "source", labels=labels, **settings)
    return Made(spec=str(source), data=data, samples=_TEXTS[:SAMPLES])


def _number(problem: str | None) -> Callable[[Path], Made]:
    return lambda folder: _made(folder, [len(text) / 40 for text in _TEXTS], ("LABEL_0",), problem_type=problem)


def _one_of_two(folder: Path) -> Made:
    return _made(folder, [int("light" in text) for text in _TEXTS], ("LABEL_0",))


def _several(folder: Path) -> Made:
    right = [[name for name in _NAMES if name in text] for text in _TEXTS]
    return _made(folder, right, _NAMES, "labels", problem_type="multi_label_classification")


def _ranking(folder: Path) -> Made:
    own = {"activation_fn": "torch.nn.modules.linear.Identity", "version": "5.0.0"}
    source = tiny_models.write_checkpoint(folder / "source", labels=("LABEL_0",), sentence_transformers=own)
    samples = [{"query": text, "passages": _TEXTS[index : index + 5]} for index, text in enumerate(_TEXTS[:20])]
    data = folder / "data.jsonl"
    data.write_text("\n".join(json.dumps({**one, "relevance": [1, 0, 0, 0, 0]}) for one in samples), encoding="utf-8")
    return Made(spec=str(source), data=data, samples=samples[:SAMPLES])


def _pipeline(made: Made) -> list[Any]:
    transformers: Any = importlib.import_module("transformers")
    pipe = transformers.pipeline("text-classification", made.spec)
    return [pipe(text) for text in made.samples]


def _ranked(made: Made) -> list[Any]:
    library: Any = importlib.import_module("sentence_transformers")
    model = library.CrossEncoder(made.spec, device="cpu")
    found = [model.rank(one["query"], one["passages"], return_documents=True) for one in made.samples]
    return [
        [{"index": entry["corpus_id"], "score": float(entry["score"]), "text": entry["text"]} for entry in ranking]
        for ranking in found
    ]


ROWS = (
    Row(
        name="bert-text-regression",
        task="text-regression",
        weights=_RANDOM,
        make=_number("regression"),
        theirs=_pipeline,
        compared="number",
    ),
    Row(
        name="bert-one-label",
        task="text-regression",
        weights=_RANDOM,
        make=_number(None),
        theirs=_pipeline,
        compared="number",
    ),
    Row(
        name="bert-binary",
        task="binary-text-classification",
        weights=_RANDOM,
        make=_one_of_two,
        theirs=_pipeline,
        compared="label",
    ),
    Row(
        name="bert-multi-label",
        task="multi-label-text-classification",
        weights=_RANDOM,
        make=_several,
        theirs=_pipeline,
        compared="label",
    ),
    Row(
        name="bert-text-ranking",
        task="text-ranking",
        weights=_RANDOM,
        make=_ranking,
        theirs=_ranked,
        compared="passages",
    ),
)
