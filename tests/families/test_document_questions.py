"""Questions about documents: answers as the pipeline of transformers gives them, on pages of several windows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from transformers.pipelines.document_question_answering import DocumentQuestionAnsweringPipeline

import tiny_documents
from command import QUICK, Command
from edgewright_benchmarks.accuracy.documents import anls
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime import Package, SampleError, load
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_serving.packages.served import open_served
from edgewright_serving.requests.inputs import sample_of
from edgewright_serving.requests.refusals import RefusalError
from scoring import score

TASK = find_task("document-question-answering")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pages: do not write into it."""
    return tiny_documents.write_pages(tmp_path_factory.mktemp("pages"), pictures=True)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_pipeline_s_own_answers(command: Command, pages: Path, tmp_path: Path) -> None:
    source = tiny_documents.write_checkpoint(tmp_path / "layoutlm")
    out = command.folder / "pages.ortpackage"
    fixed = ("--target", command.target, "-o", out, *QUICK, "-q", "--accept-baseline")
    done = command("build", source, "--evaluation", pages, *fixed)
    assert done.code == 0, done.err
    package = Package.open(out)
    assert package.manifest.task == TASK.name
    model_of: Any = transformers.LayoutLMForQuestionAnswering
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(source)
    pipeline: Any = DocumentQuestionAnsweringPipeline
    asked = pipeline(model=model_of.from_pretrained(source).eval(), tokenizer=tokenizer)
    several = 0
    with load(out, engine="tiny-cpu-fp32") as model:
        for row in rows(pages):
            sample = {name: row[name] for name in ("question", "words", "boxes")}
            boxed = list(zip(row["words"], row["boxes"], strict=True))
            (theirs,) = asked({"question": row["question"], "word_boxes": boxed})
            found = model(sample)
            assert found["text"] == theirs["answer"]
            assert found["words"] == [theirs["start"], theirs["end"]]
            assert found["score"] == pytest.approx(theirs["score"], rel=1e-3)
            several += len(model.run(sample)["input_ids"]) > 1
        assert several > 3
        with pytest.raises(SampleError, match=r"has 2 words and 1 boxes"):
            model({"question": "what", "words": ["a", "b"], "boxes": [[0, 0, 1, 1]]})
        with pytest.raises(SampleError, match="The question is too long"):
            model({"question": "light " * 60, "words": ["a"], "boxes": [[0, 0, 1, 1]]})
    _served_and_from_a_graph(command, out, source, pages)
    one = rows(pages)[0]
    words = tmp_path / "words.json"
    words.write_text(json.dumps(one["words"]), encoding="utf-8")
    told = command("run", out, f"question={one['question']}", f"words={words}", f"boxes={json.dumps(one['boxes'])}")
    assert told.code == 0, told.err
    told = command("bench", out, "--data", pages, "--json", *QUICK)
    assert list(json.loads(told.out)["engines"][0]["accuracy"]["metrics"]) == ["anls", "exact_match"]
    command.refuses(
        "run", out, "question=what", "words=page", "boxes=[]", says=["neither a list of JSON nor a .json file"]
    )


def _served_and_from_a_graph(command: Command, package: Path, source: Path, pages: Path) -> None:
    """A server takes words and boxes as JSON has them; a graph with its tokenizer beside gives the same answer."""
    (served,) = open_served([str(package)]).values()
    given = {name: rows(pages)[0][name] for name in ("question", "words", "boxes")}
    assert sample_of(served, given) == given
    for name, wrong in (("words", "page"), ("words", []), ("boxes", [[0, 0, 1]]), ("boxes", [1, 2, 3, 4])):
        with pytest.raises(RefusalError, match=f"'{name}' must be a list of 1 to 20,000"):
            sample_of(served, {**given, name: wrong})
    folder = command.folder / "graph"
    folder.mkdir()
    graph = Package.open(package).engine_files("tiny-cpu-fp32")
    for path in (*graph, source / "tokenizer.json", source / "tokenizer_config.json"):
        shutil.copy(path, folder)
    again = command.folder / "graph.ortpackage"
    words = ("--task", TASK.name, "--evaluation", pages, "--target", command.target, "-o", again)
    done = command("build", folder / "model.onnx", *words, *QUICK, "-q", "--accept-baseline")
    assert done.code == 0, done.err
    with load(package, engine="tiny-cpu-fp32") as first, load(again, engine="tiny-cpu-fp32") as second:
        assert first(given) == second(given)


@pytest.mark.parametrize("family", ["layoutlmv3", "lilt"])
def test_tokenizers_that_place_words_themselves(command: Command, pages: Path, tmp_path: Path, family: str) -> None:
    source = tiny_documents.write_checkpoint(tmp_path / family, family)
    out = command.folder / f"{family}.ortpackage"
    done = command(
        "build", source, "--evaluation", pages, "--target", command.target, "-o", out, *QUICK, "-q", "--accept-baseline"
    )
    assert done.code == 0, done.err
    sees = family == "layoutlmv3"
    if sees:
        words = ("question=what", 'words=["a"]', "boxes=[[0, 0, 9, 9]]")
        command.refuses("run", out, *words, says=["image"])
        command.refuses("run", out, "image=none.png", *words, says=["none.png"])
    assert Package.open(out).manifest.pipeline.input == ("image+" if sees else "") + "question+words+boxes"
    network: Any = getattr(transformers, "LayoutLMv3ForQuestionAnswering" if sees else "LiltForQuestionAnswering")
    network = network.from_pretrained(source).eval()
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(source)
    with load(out, engine="tiny-cpu-fp32") as model:
        for row in rows(pages)[:4]:
            sample = {name: row[name] for name in ("question", "words", "boxes")}
            more = {}
            if sees:
                sample["image"] = pages.parent / row["image"]
                processors: Any = transformers.AutoImageProcessor
                images = processors.from_pretrained(source, backend="pil", apply_ocr=False)
                more = dict(images(Image.open(sample["image"]).convert("RGB"), return_tensors="pt"))
            encoded = tokenizer(
                [row["question"]], text_pair=[row["words"]], boxes=[row["boxes"]], truncation="only_second",
                max_length=tiny_documents.POSITIONS, stride=tiny_documents.POSITIONS // 2,
                return_overflowing_tokens=True, padding=True, return_tensors="pt",
            )  # fmt: skip
            encoded.pop("overflow_to_sample_mapping")
            count = len(encoded["input_ids"])
            more = {name: value.repeat(count, 1, 1, 1) for name, value in more.items()}
            with torch.no_grad():
                theirs = network(**encoded, **more)
            values = model.run(sample)
            for name in ("input_ids", "bbox", "attention_mask"):
                assert np.array_equal(values[name], encoded[name].numpy())
            assert np.allclose(values["start_logits"], theirs.start_logits.numpy(), rtol=1e-3, atol=1e-4)
            first, last = values["answer"]["words"]
            assert values["answer"]["text"] == " ".join(row["words"][first : last + 1])


def test_the_figures_are_those_of_the_evaluation_of_docvqa() -> None:
    answers = ["Acme  Corp.", "Monday", "Mon", "", "12.50"]
    truth = [["ACME corp."], ["Friday"], ["Sunday"], ["x"], ["9", "12.5o"]]

    def outputs(texts: list[str]) -> list[Any]:
        return [{"x": np.zeros(1), ANSWER: pack_answer({"text": one, "score": 1.0, "words": [0, 0]})} for one in texts]

    found = score(TASK.labelled, outputs(answers), truth, outputs(answers)).metrics
    assert found["anls"].value == pytest.approx((1 + 0.5 + 0 + 0 + 0.8) / 5)
    assert found["exact_match"].value == pytest.approx(0.2)
    # Half of the letters is enough, less is not.
    assert [anls("abcd", "abxy"), anls("abcde", "abxyz")] == [0.5, 0.0]


def test_data_that_does_not_fit(command: Command, pages: Path, tmp_path: Path) -> None:
    source = tiny_documents.write_checkpoint(tmp_path / "layoutlm")
    good = rows(pages)[0]
    for name, cell, says in (
        ("boxes", [[0, 0, 2000, 10]], ["line 2: The box 1 is", "Divide pixels by the width"]),
        ("boxes", "none", ["line 2: The model takes a box for each word"]),
        ("words", [], ["line 2: The model takes the words of a document"]),
        ("words", [*good["words"], "more"], [f"{len(good['words']) + 1} words and {len(good['boxes'])} boxes"]),
        ("answers", "", ["line 2: the answer is missing"]),
    ):
        data = tmp_path / "bad.jsonl"
        data.write_text("\n".join(map(json.dumps, (good, {**good, name: cell}))), encoding="utf-8")
        command.refuses_build(source, "--evaluation", data, says=says)
