"""Token classification from a checkpoint to entities, with the real command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_models
from command import QUICK, Command
from edgewright_runtime import load
from edgewright_runtime.errors import SampleCutWarning

TAGS = ("O", "B-ROOM", "I-ROOM", "B-THING", "I-THING")


def table(path: Path) -> Path:
    """The sentences with made-up tags, as a CSV file or JSON Lines."""
    random = np.random.default_rng(0)
    rows = [(text, [TAGS[i] for i in random.integers(0, 5, len(text.split()))]) for text, _ in tiny_models.sentences()]
    if path.suffix == ".csv":
        path.write_text("text,tags\n" + "".join(f"{text},{' '.join(tags)}\n" for text, tags in rows), encoding="utf-8")
    else:
        lines = [json.dumps({"text": text, "tags": tags}) for text, tags in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_checkpoint(tmp_path_factory.mktemp("tagger") / "slots", "TokenClassification", TAGS)


@pytest.mark.slow
def test_from_a_checkpoint_to_entities(command: Command, tagger: Path, tmp_path: Path) -> None:
    output = command.folder / "slots.ortpackage"
    data = (
        "--calibration",
        table(tmp_path / "train.csv"),
        "--evaluation",
        table(tmp_path / "test.jsonl"),
        "--accept-baseline",
    )
    done = command("build", tagger, *data, "--target", command.target, "-o", output, *QUICK, "-q")
    assert done.code == 0, done.err
    text = "Turn  on the kitchen-light, please"
    done = command("run", output, text, "--engine", "tiny-cpu-fp32", "--json")
    answer = json.loads(done.out)["answers"][0]["entities"]
    assert answer == _by_transformers(tagger, text)
    done = command("bench", output, "--data", tmp_path / "test.jsonl", "--json", *QUICK)
    assert list(json.loads(done.out)["engines"][0]["accuracy"]["metrics"]) == ["entity_f1"]
    assert command("verify", output).code == 0
    with load(output) as model:
        # Longer than the 32 positions of the model: what did not fit has no label, and that is said.
        with pytest.warns(SampleCutWarning, match="longer than the model's 32 tokens"):
            (entities,) = model(["kitchen " * 60])
        assert all(entry["words"][1] < 30 for entry in entities)


def _by_transformers(checkpoint: Path, text: str) -> list[dict[str, Any]]:
    """The class of the first token of each word, put together by hand."""
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    model = AutoModelForTokenClassification.from_pretrained(checkpoint)
    with torch.no_grad():
        scores = model(**tokenizer(text, return_tensors="pt")).logits[0].softmax(-1)
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    words = text.split()
    entities: list[dict[str, Any]] = []
    place = 0
    for index, word in enumerate(words):
        start = text.index(word, place)
        place = start + len(word)
        token = next(i for i, (first, last) in enumerate(offsets) if first == start and last > first)
        label = TAGS[int(scores[token].argmax())]
        score = float(scores[token].max())
        before = entities[-1] if entities else None
        if label == "O":
            continue
        if label[0] == "I" and before and before["label"] == label[2:] and before["words"][1] == index - 1:
            first = before["words"][0]
            count = index - first
            before["score"] = pytest.approx((before["score"].expected * count + score) / (count + 1), abs=1e-4)
            before |= {"text": text[before["start"] : place], "end": place, "words": [first, index]}
        else:
            entities.append(
                {"label": label[2:], "score": pytest.approx(score, abs=1e-4), "text": word}
                | {"start": start, "end": place, "words": [index, index]}
            )
    return entities


def test_tags_that_do_not_fit(command: Command, tagger: Path, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,tags\nplay music,O\n", encoding="utf-8")
    command.refuses_build(tagger, "--evaluation", path, says=["line 2: 1 tags for 2 words", "separated by spaces"])
    path.write_text("text,tags\nplay music,O B-ROM\n", encoding="utf-8")
    command.refuses_build(tagger, "--evaluation", path, says=["line 2: unknown label 'B-ROM'", "'B-ROOM'"])
