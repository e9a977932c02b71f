"""Labels of texts that are named when it is asked: a model of language inference, beside transformers itself."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

import tiny_models
from command import QUICK, Command
from edgewright_runtime import Package, SampleError, load
from tables import table

# Of a model with random weights; what is compared is the way to its scores.
_NLI = ("contradiction", "neutral", "entailment")
_LABELS = ("music", "light", "time")
_TEXTS = ("turn on the hall light", "play some music now", "what time is it")


@pytest.fixture(scope="module")
def inference(sources: Path) -> Path:
    """A checkpoint with the classes of natural language inference: do not write into it."""
    return tiny_models.write_checkpoint(sources / "inference", labels=_NLI)


def test_labels_are_those_of_the_pipeline(command: Command, inference: Path, tmp_path: Path) -> None:
    transformers: Any = importlib.import_module("transformers")
    rows = [(text, label) for text in _TEXTS for label in _LABELS]
    data = table(tmp_path / "asked.csv", ("text", "label"), rows)
    names = tmp_path / "labels.txt"
    names.write_text("\n".join(_LABELS), encoding="utf-8")
    out = command.folder / "asked.ortpackage"
    fixed = ("--task", "zero-shot-classification", "--labels", names, "--target", command.target, "-o", out, *QUICK)
    done = command("build", inference, "--evaluation", data, "--accept-baseline", *fixed)
    assert done.code == 0, done.err
    assert Package.open(out).manifest.labels == _LABELS
    pipeline = transformers.pipeline("zero-shot-classification", model=str(inference), device="cpu")
    others = ["kitchen", "weather", "music", "alarm"]
    with load(out) as model:
        for asked, template in ((list(_LABELS), "This example is {}."), (others, "It is about {}.")):
            for text in _TEXTS:
                found = model(text, candidate_labels=asked, hypothesis_template=template)
                expected = pipeline(text, candidate_labels=asked, hypothesis_template=template)
                assert [one["label"] for one in found] == expected["labels"]
                assert [one["score"] for one in found] == pytest.approx(expected["scores"], abs=1e-4)
        with pytest.raises(SampleError, match=r"must have .\{\}. where the label goes"):
            model(_TEXTS[0], hypothesis_template="no place")
    told = command("run", out, _TEXTS[0], "--candidate-labels", "kitchen, weather", "--json")
    assert {one["label"] for one in json.loads(told.out)["answers"][0]["labels"]} == {"kitchen", "weather"}


def test_a_model_without_entailment_is_refused(command: Command, checkpoint: Path, sources: Path) -> None:
    fixed = ("--task", "zero-shot-classification", "--labels", sources / "labels.txt")
    says = ["none of its classes", "says that a text follows from another", "natural language inference"]
    command.refuses_build(checkpoint, "--evaluation", sources / "validation.csv", *fixed, says=says)
    fixed = ("--task", "zero-shot-classification", "--evaluation", sources / "validation.csv")
    command.refuses_build(sources / "perceptron.onnx", *fixed, says=["needs a tokenizer"])
