"""Question answering from a checkpoint to a part of the context, with the real command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tiny_models
from command import QUICK, Command
from edgewright_runtime import SampleError, load

LONG = " ".join(text for text, _ in tiny_models.sentences())


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = {"labels": ("start", "end")}
    return tiny_models.write_checkpoint(tmp_path_factory.mktemp("answers") / "answers", "QuestionAnswering", **settings)


def questions(path: Path, *, squad: bool = False) -> Path:
    """Questions about the sentences; some contexts are longer than the model reads at once."""
    rows = []
    for number, (text, _) in enumerate(tiny_models.sentences()):
        answers: Any = {"text": [text.split()[0], "light"], "answer_start": [0, 1]} if squad else text.split()[0]
        context = LONG if number % 8 == 0 else text
        rows.append(json.dumps({"question": "turn on what", "context": context, "answers": answers}))
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.mark.slow
def test_from_a_checkpoint_to_an_answer(command: Command, checkpoint: Path, tmp_path: Path) -> None:
    output = command.folder / "answers.ortpackage"
    train, test = questions(tmp_path / "train.jsonl"), questions(tmp_path / "test.jsonl", squad=True)
    data = ("--calibration", train, "--evaluation", test, "--accept-baseline")
    # The export is compared with its source on windows as well: their feeds and logits are the source's own.
    done = command("build", checkpoint, *data, "--target", command.target, "-o", output, *QUICK, "-q")
    assert done.code == 0, done.err
    assert command("verify", output).code == 0
    context = "Switch off the bedroom lamp, please!"
    # The float engine, whichever ships: by readings of this machine that may be the other one, which rounds.
    asked = ("question=what is off?", f"context={context}", "--engine", "tiny-cpu-fp32")
    done = command("run", output, *asked, "--json")
    answer = json.loads(done.out)["answers"][0]["answer"]
    assert answer == _by_hand(checkpoint, "what is off?", context)
    assert context[answer["start"] : answer["end"]] == answer["text"]
    done = command("bench", output, "--data", tmp_path / "test.jsonl", "--json", *QUICK)
    assert list(json.loads(done.out)["engines"][0]["accuracy"]["metrics"]) == ["answer_f1", "exact_match"]
    with load(output) as model:
        long = model({"question": "turn on what", "context": LONG})
        assert LONG[long["start"] : long["end"]] == long["text"]
        windows = model.run({"question": "turn on what", "context": LONG})["input_ids"]
        assert windows.shape[0] > 5
        for question, says in (("light " * 40, "each window needs 24 new tokens"), ("", "non-empty question")):
            with pytest.raises(SampleError, match=says):
                model({"question": question, "context": LONG})
        with pytest.raises(SampleError, match="context is missing"):
            model({"question": "what"})
    listing = ["This model takes question and context", "question=... context=..."]
    command.refuses("run", output, "question=what is off?", says=listing)


def _by_hand(checkpoint: Path, question: str, context: str) -> dict[str, Any]:
    """All spans of the context that are long enough, tried one by one."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    model = AutoModelForQuestionAnswering.from_pretrained(checkpoint)
    encoded = tokenizer(question, context, return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")[0].tolist()
    inside = [index for index, sequence in enumerate(encoded.sequence_ids(0)) if sequence == 1]
    with torch.no_grad():
        found = model(**encoded)
    starts, ends = (logits[0][inside].softmax(-1).tolist() for logits in (found.start_logits, found.end_logits))
    count = len(inside)
    spans = [(starts[i] * ends[j], i, j) for i in range(count) for j in range(i, min(i + 30, count))]
    score, first, last = max(spans)
    start, end = offsets[inside[first]][0], offsets[inside[last]][1]
    return {"text": context[start:end], "score": pytest.approx(score, rel=1e-3), "start": start, "end": end}


def test_data_that_does_not_fit(command: Command, checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"question": "q", "answers": "a"}', encoding="utf-8")
    command.refuses_build(checkpoint, "--evaluation", path, says=["no column 'context'"])
    path.write_text('{"question": "q", "context": "c", "answers": {"text": []}}', encoding="utf-8")
    command.refuses_build(checkpoint, "--evaluation", path, says=["line 1: the answer is missing"])
    path.write_text('{"question": "q", "context": " ", "answers": "a"}', encoding="utf-8")
    command.refuses_build(checkpoint, "--evaluation", path, says=["line 1: the context is empty"])
