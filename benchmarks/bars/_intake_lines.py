"""ONNX files of lines of text out of rapidocr: what they say, and whether they are upside down."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from _intake_source import DATA, LABELS, SPEC, Second, Source, row, writes
from _row import SAMPLES, Made
from fetched import wheel_files
from text_lines import TEXTS

_LINE = (192, 48)
# The text of a line upside down or not; settings for pixels from -1 to 1.
_TURNED = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": _LINE[1], "width": _LINE[0]},
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
}


def ocr(name: str, folder: Path) -> str:
    """A copy of a graph of rapidocr, beside which a person may write."""
    return str(shutil.copyfile(wheel_files("rapidocr") / "rapidocr" / "models" / name, folder / name))


def _turned_lines(folder: Path) -> Made:
    graph = ocr("ch_ppocr_mobile_v2.0_cls_mobile.onnx", folder)
    files = []
    for index, text in enumerate(TEXTS):
        line = Image.new("RGB", _LINE, (240, 240, 240))
        ImageDraw.Draw(line).text((8, 8), text[:20], fill=(30, 30, 30), font=ImageFont.load_default(16))
        for label, made in (("0", line), ("180", line.rotate(180))):
            place = folder / "lines" / label
            place.mkdir(parents=True, exist_ok=True)
            files.append(str(place / f"{index}.png"))
            made.save(files[-1])
    return Made(spec=graph, data=folder / "lines", samples=files[:SAMPLES], labels=("0", "180"))


def _their_turns(made: Made) -> list[Any]:
    """Lines are as large as the graph wants them and grey, so that rapidocr only brings them to -1 to 1."""
    import onnxruntime

    session = onnxruntime.InferenceSession(made.spec, providers=["CPUExecutionProvider"])
    answers = []
    for file in made.samples:
        with Image.open(file) as picture:
            pixels = (np.asarray(picture.convert("RGB"), np.float32)[:, :, ::-1] / 255 - 0.5) / 0.5
        (shares,) = session.run(None, {session.get_inputs()[0].name: pixels.transpose(2, 0, 1)[None].copy()})
        best = int(shares[0].argmax())
        answers.append([{"label": (made.labels or ())[best], "score": float(shares[0, best])}])
    return answers


SOURCES = (
    Source(
        name="ocr-lines",
        kind="ONNX file",
        weights="rapidocr 3.10.0 (PaddleOCR)",
        task="image-to-text",
        make=lambda folder: row("pp-ocr").make(folder),
        first=(SPEC, "--task", "image-to-text", "--evaluation", DATA),
        theirs=lambda made: row("pp-ocr").theirs(made),
        compared="text",
    ),
    Source(
        name="ocr-turned",
        kind="ONNX file",
        weights="rapidocr 3.10.0 (PaddleOCR)",
        task="image-classification",
        make=_turned_lines,
        first=(SPEC, "--task", "image-classification", "--labels", LABELS, "--evaluation", DATA),
        second=Second(
            says="preprocessor_config.json",
            words=(SPEC, "--task", "image-classification", "--labels", LABELS, "--evaluation", DATA),
            before=writes("preprocessor_config.json", _TURNED),
            done="`preprocessor_config.json` with size, mean and deviation",
        ),
        theirs=_their_turns,
        compared="label",
    ),
)
