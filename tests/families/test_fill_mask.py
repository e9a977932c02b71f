"""Masks from a checkpoint to words, with the real command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_models
from command import QUICK, Command
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime import SampleError, load
from edgewright_runtime.samples import ANSWER, pack_answer
from scoring import score


def table(path: Path) -> Path:
    rows = []
    for text, _ in tiny_models.sentences():
        first, second, *rest = text.split()
        rows.append(f"{first} [MASK] {' '.join(rest)},{second}")
    path.write_text("\n".join(["text,words", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.slow
def test_from_a_checkpoint_to_words(command: Command, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    checkpoint = tiny_models.write_checkpoint(tmp_path / "masks", "MaskedLM")
    output = command.folder / "masks.ortpackage"
    data = (
        "--calibration",
        table(tmp_path / "train.csv"),
        "--evaluation",
        table(tmp_path / "test.csv"),
        "--accept-baseline",
    )
    done = command("build", checkpoint, *data, "--target", command.target, "-o", output, *QUICK, "-q")
    assert done.code == 0, done.err
    assert command("verify", output).code == 0
    done = command("bench", output, "--data", tmp_path / "test.csv", "--json", *QUICK)
    assert list(json.loads(done.out)["engines"][0]["accuracy"]["metrics"]) == ["accuracy"]
    text = "turn [MASK] the [MASK] light"
    tokenizer: Any = AutoTokenizer.from_pretrained(checkpoint)
    feeds = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        scores = AutoModelForMaskedLM.from_pretrained(checkpoint)(**feeds).logits[0].softmax(-1)
    masks = (feeds["input_ids"][0] == tokenizer.mask_token_id).nonzero()[:, 0]
    with load(output, engine="tiny-cpu-fp32") as model:
        tokens = model(text, top_k=3)
        assert [len(mask) for mask in tokens] == [3, 3]
        for mask, place in zip(tokens, masks.tolist(), strict=True):
            best = scores[place].topk(3)
            assert [entry["text"] for entry in mask] == [tokenizer.decode([i]).strip() for i in best.indices.tolist()]
            assert np.allclose([entry["score"] for entry in mask], best.values.numpy(), atol=1e-5)
        with pytest.raises(SampleError, match=r"must have \[MASK\]"):
            model("turn on the light")


def test_the_share_of_texts_whose_masks_are_right() -> None:
    task = find_task("fill-mask")

    def outputs(*texts: tuple[str, ...]) -> list[dict[str, Any]]:
        return [{ANSWER: pack_answer([[{"text": word, "score": 1.0}] for word in text])} for text in texts]

    baseline = outputs(("on",), ("off", "the"))
    found = outputs(("on",), ("off", "a"))
    accuracy = score(task.labelled, found, [("on",), ("off", "the")], baseline)
    assert accuracy.metrics["accuracy"].value == 0.5
    assert accuracy.drop.value == 0.5
    agreement = score(task.unlabelled, found, None, baseline)
    assert agreement.metrics["agreement"].value == 0.5
    assert score(task.unlabelled, baseline, None, baseline).metrics["agreement"].low == 1
