"""Questions about documents, and what the pipeline of transformers answers."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import tiny_documents
from _row import SAMPLES, Made, Row


def _pages(folder: Path) -> Made:
    data = tiny_documents.write_pages(folder / "pages")
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    samples = [{name: row[name] for name in ("question", "words", "boxes")} for row in rows[:SAMPLES]]
    return Made(spec=str(tiny_documents.write_checkpoint(folder / "source")), data=data, samples=samples)


def _answered(made: Made) -> list[Any]:
    transformers: Any = importlib.import_module("transformers")
    model = transformers.LayoutLMForQuestionAnswering.from_pretrained(made.spec).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(made.spec)
    asked = transformers.DocumentQuestionAnsweringPipeline(model=model, tokenizer=tokenizer)
    answers = []
    for sample in made.samples:
        boxed = list(zip(sample["words"], sample["boxes"], strict=True))
        (found,) = asked({"question": sample["question"], "word_boxes": boxed})
        answers.append(
            {"text": found["answer"], "score": float(found["score"]), "words": [found["start"], found["end"]]}
        )
    return answers


ROWS = (
    Row(
        name="layoutlm",
        task="document-question-answering",
        weights="random weights",
        make=_pages,
        theirs=_answered,
        compared="words",
    ),
)
