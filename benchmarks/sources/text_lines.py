"""Pictures of lines of text, a tiny graph that reads stripes of colour as letters, and PP-OCR's graph with its steps.

Those steps are written down here once more, from rapidocr's code and in fractions, to compare with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from fetched import wheel_files
from tables import table

TEXTS = (
    "Invoice 2026-0417", "Total: 1,284.50 EUR", "Keep in a cool, dry place", "Exit 14B", "Serial no. X7-99-QK",
    "The quick brown fox", "jumps over the lazy dog", "Gate 23, boarding 18:45", "Net weight 750 g (26 oz)",
    "Do not open while hot!", "support@example.org", "Room 404: please knock before you enter and close the door again",
)  # fmt: skip
# What the stripes of the tiny graph stand for: grey and black are the blank, white the space.
CHARACTERS = ("r", "g", "b")
COLOURS = {"r": (255, 0, 0), "g": (0, 255, 0), "b": (0, 0, 255), " ": (255, 255, 255), "-": (127, 127, 127)}
STRIPE = 16


def pp_ocr() -> Path:
    """The graph of rapidocr's wheel.

    Raises:
        CannotFetchError: It cannot be fetched.
    """
    return wheel_files("rapidocr") / "rapidocr" / "models" / "PP-OCRv6_rec_small.onnx"


def write_lines(folder: Path, texts: Sequence[str] = TEXTS) -> Path:
    """Pictures of `texts` in several sizes and colours, blurred, and `lines.csv` with what they say."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{index}.png" for index in range(len(texts))]
    for index, text in enumerate(texts):
        size = 18 + 3 * (index % 7)
        font = ImageFont.load_default(size)
        left, top, right, bottom = font.getbbox(text)
        ink, paper = [((20, 20, 60), (240, 238, 225)), ((250, 250, 250), (40, 90, 60))][index % 2]
        picture = Image.new("RGB", (int(right - left) + size, int(bottom - top) + size // 2), paper)
        ImageDraw.Draw(picture).text((size // 2 - left, size // 4 - top), text, fill=ink, font=font)
        picture.filter(ImageFilter.GaussianBlur(0.8)).save(folder / names[index])
    return _table(folder, names, texts)


def write_stripes(folder: Path, texts: Sequence[str]) -> Path:
    """Pictures for the tiny graph, and `lines.csv`; `-` in a text is a stripe without a letter, and
    letters side by side are one."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, text in enumerate(texts):
        stripes = np.repeat(np.array([COLOURS[one] for one in text], np.uint8), STRIPE, axis=0)
        Image.fromarray(np.repeat(stripes[None], 48, axis=0)).save(folder / f"{index}.png")
    lines = ["".join(one for one, _ in groupby(text) if one != "-") for text in texts]
    return _table(folder, [f"{index}.png" for index in range(len(texts))], lines)


def _table(folder: Path, names: Sequence[str], texts: Sequence[str]) -> Path:
    return table(folder / "lines.csv", ("image", "text"), zip(names, texts, strict=True))


def write_tiny(path: Path, metadata: dict[str, str], width: int | None = None, channels: int = 3) -> Path:
    """A graph from [batch, 3, 48, width] in BGR to the probabilities of a blank, `CHARACTERS` and a space."""
    import onnx_ir

    def weight(name: str, rows: Any) -> onnx_ir.Value:
        array = np.array(rows, np.float32)
        shape, kind = onnx_ir.Shape(array.shape), onnx_ir.TensorType(onnx_ir.DataType.FLOAT)
        return onnx_ir.Value(name=name, shape=shape, type=kind, const_value=onnx_ir.tensor(array, name=name))

    # Columns: blank, r, g, b, space; rows: blue, green, red.
    weights = weight("weights", [[0, -4, -4, 4, 4], [0, -4, 4, -4, 4], [0, 4, -4, -4, 4]])
    bias = weight("bias", [6, 0, 0, 0, -2])
    kind = onnx_ir.TensorType(onnx_ir.DataType.FLOAT)
    lines = onnx_ir.Value(name="x", shape=onnx_ir.Shape(["b", channels, 48, width or "w"]), type=kind)
    nodes = [onnx_ir.node("AveragePool", [lines], {"kernel_shape": [48, 8], "strides": [48, 8]})]
    for operator, more, attributes in (
        ("Squeeze", (), {"axes": [2]}),
        ("Transpose", (), {"perm": [0, 2, 1]}),
        ("MatMul", (weights,), {}),
        ("Add", (bias,), {}),
        ("Softmax", (), {"axis": 2}),
    ):
        nodes.append(onnx_ir.node(operator, [nodes[-1].outputs[0], *more], attributes))
    for node in nodes:
        node.outputs[0].name = node.op_type.lower()
    made = nodes[-1].outputs[0]
    made.shape, made.type = onnx_ir.Shape(["b", "t", 5]), kind
    graph = onnx_ir.Graph(
        [lines], [made], nodes=nodes, initializers=[weights, bias], name="stripes", opset_imports={"": 11}
    )
    onnx_ir.save(onnx_ir.Model(graph, ir_version=6, metadata_props=metadata), path)
    return path


def their_feeds(picture: Image.Image, height: int = 48, least: int = 320) -> Any:
    """`resize_norm_img` of rapidocr for one line, [1, 3, height, width]."""
    pixels: Any = np.asarray(picture.convert("RGB"), np.float64)[:, :, ::-1]
    ratio = picture.width / picture.height
    room = int(height * max(least / height, ratio))
    width = min(room, math.ceil(height * ratio))
    for axis, new in ((0, height), (1, width)):
        old = pixels.shape[axis]
        places = (np.arange(new) + 0.5) * old / new - 0.5
        pixels = np.apply_along_axis(partial(np.interp, places, np.arange(old)), axis, pixels)
    made = np.zeros((1, 3, height, room), np.float32)
    made[0, :, :, :width] = (np.rint(pixels).transpose(2, 0, 1) / 255 - 0.5) / 0.5
    return made


def their_texts(graph: Path, files: Sequence[str | Path]) -> list[str]:
    """What rapidocr's steps make of pictures with a graph, in a session of ONNX Runtime's defaults."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    characters = ["blank", *session.get_modelmeta().custom_metadata_map["character"].splitlines(), " "]
    texts = []
    for file in files:
        with Image.open(file) as picture:
            (scores,) = session.run(None, {session.get_inputs()[0].name: their_feeds(picture)})
        indices = scores[0].argmax(axis=1)
        kept = np.ones(len(indices), dtype=bool)
        kept[1:] = indices[1:] != indices[:-1]
        texts.append("".join(characters[index] for index in indices[kept & (indices != 0)]))
    return texts
