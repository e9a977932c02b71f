"""Packages made by hand, in milliseconds: a manifest with other steps, and a graph of a few nodes. They need no build.

What they answer can be worked out on paper, which is what tests of a server want; nothing in them was trained.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

# A package of named arrays that was written by an early version.
ARRAYS = Path(__file__).resolve().parent / "data" / "format-1"
ENGINE = "tiny-cpu-fp32"
WORDS = ("[unk]", "one", "two", "three", "four", "five")
RATE = 8000
COLOURS = ("red", "green", "blue")
# As many as a text may have: seconds of work for the writer.
ENDLESS = 200_000


@dataclass(frozen=True, kw_only=True)
class Made:
    """Packages of all kinds, a recording of three stretches, and a green picture."""

    folder: Path
    writer: Path
    embedder: Path
    recogniser: Path
    colours: Path
    listener: Path
    recording: Path
    picture: Path


def write_all(folder: Path) -> Made:
    """All of them, in one folder."""
    recogniser = write_recogniser(folder / "recogniser.ortpackage")
    return Made(
        folder=folder,
        writer=write_writer(folder / "writer.ortpackage"),
        embedder=write_embedder(folder / "embedder.ortpackage"),
        recogniser=recogniser,
        colours=write_colours(folder / "colours.ortpackage"),
        listener=write_application(folder / "listener.ortpackage", recogniser),
        recording=write_recording(folder / "three.wav", 3),
        picture=write_picture(folder / "green.png", (10, 200, 10)),
    )


def write_writer(folder: Path) -> Path:
    """A package that goes on counting: `one two` is followed by `three four five one two ...`, without an end."""
    made, tokenizer = _begun(folder)
    follows = [0, *range(2, len(WORDS)), 1]
    scores = np.zeros((len(WORDS), len(WORDS)), dtype=np.float32)
    scores[range(len(WORDS)), follows] = 10.0
    ids = _value("input_ids", ["n", "t"], ir.DataType.INT64)
    _save(made, [ids], ir.node("Gather", [_constant("scores", scores), ids]), "logits", ["n", "t", len(WORDS)])
    steps = [
        _tokenize(tokenizer),
        _step(
            "generate",
            component="model",
            loop={"tokens": "input_ids", "logits": "logits"},
            settings={"max_new_tokens": 8},
            tokenizer=tokenizer,
            max_length=ENDLESS + 8,
        ),
    ]
    return _finished(made, "text-generation", "text", "generated_text", steps)


def write_embedder(folder: Path) -> Path:
    """A package whose vector of a text is the mean of its words' rows in a unit matrix."""
    made, tokenizer = _begun(folder)
    ids = _value("input_ids", ["n", "t"], ir.DataType.INT64)
    rows = _constant("rows", np.eye(len(WORDS), dtype=np.float32))
    _save(made, [ids], ir.node("Gather", [rows, ids]), "vectors", ["n", "t", len(WORDS)])
    steps = [
        _tokenize(tokenizer),
        _step("infer", component="model"),
        _step("pool_tokens", vectors="vectors", method="mean", normalize=False),
    ]
    return _finished(made, "feature-extraction", "text", "vector", steps)


def write_recogniser(folder: Path) -> Path:
    """A package that writes `a` for each stretch of a recording that is above zero."""
    made, _ = _begun(folder)
    vocabulary = {
        "tokens": ["<pad>", "a"], "blank": "<pad>", "delimiter": "|", "space": " ", "lower": False, "replacements": [],
    }  # fmt: skip
    uri = _asset(made, "vocabulary.json", json.dumps(vocabulary).encode())
    samples = _value("samples", [1, "n"], ir.DataType.FLOAT)
    axes = _constant("axes", np.array([2], dtype=np.int64))
    unsqueezed = ir.node("Unsqueeze", [samples, axes])
    signs = _constant("signs", np.array([[-1.0, 1.0]], dtype=np.float32))
    product = ir.node("MatMul", [unsqueezed.outputs[0], signs])
    _save(made, [samples], product, "logits", [1, "n", 2], unsqueezed)
    steps = [
        _step("load_audio", sampling_rate=RATE, longest=60 * RATE),
        _step("waveform", output="samples", normalize=False),
        _step("infer", component="model"),
        _step("ctc_decode", logits="logits", vocabulary=uri),
    ]
    return _finished(made, "automatic-speech-recognition", "audio", "text", steps)


def write_colours(folder: Path) -> Path:
    """A package that says which of red, green and blue a picture has most of."""
    made, _ = _begun(folder)
    pixels = _value("pixels", [1, 3, "h", "w"], ir.DataType.FLOAT)
    axes = _constant("axes", np.array([2, 3], dtype=np.int64))
    mean = ir.node("ReduceMean", [pixels, axes], attributes={"keepdims": 0})
    _save(made, [pixels], mean, "logits", [1, 3])
    steps = [
        _step("decode_image", mode="RGB"),
        _step("normalize_image", output="pixels", scale=1 / 255),
        _step("infer", component="model"),
        _step("classify", logits="logits"),
    ]
    return _finished(made, "image-classification", "image", "labels", steps, COLOURS)


def write_forecaster(folder: Path) -> Path:
    """A package that says of a series' last three values what each is with one more."""
    made, _ = _begun(folder)
    last = _value("last", [1, 3, 1], ir.DataType.FLOAT)
    one = _constant("one", np.ones(1, dtype=np.float32))
    _save(made, [last], ir.node("Add", [last, one]), "next", [1, 3, 1])
    steps = [
        _step("read_series", output="last", context=3, count=1, columns=["level"]),
        _step("infer", component="model"),
        _step("give_forecast", output="next", horizon=3, columns=["level"]),
    ]
    return _finished(made, "time-series-forecasting", "series", "forecast", steps)


def write_pointed(folder: Path) -> Path:
    """A package whose mask is the whole picture; its score is the sum of all x and y, each times what its point is."""
    made, _ = _begun(folder)
    points = _value("points", [1, 1, "n", 2], ir.DataType.FLOAT)
    labels = _value("labels", [1, 1, "n"], ir.DataType.INT64)
    kinds = ir.node("Cast", [labels], attributes={"to": ir.DataType.FLOAT.value})
    column = ir.node("Unsqueeze", [kinds.outputs[0], _constant("axis", np.array([3], dtype=np.int64))])
    product = ir.node("Mul", [points, column.outputs[0]])
    total = ir.node("ReduceSum", [product.outputs[0]])
    _save(made, [points, labels], total, "scores", [1, 1, 1, 1], kinds, column, product)
    steps = [
        _step("decode_image", mode="RGB"),
        _step("prompt_points", points="points", labels="labels", boxes=True),
        _step("infer", component="model"),
        _step("read_masks", masks="scores", scores="scores", height=8, width=12),
    ]
    return _finished(made, "mask-generation", "image+points+box", "masks", steps)


def write_application(folder: Path, recogniser: Path) -> Path:
    """An application: a recording to its transcript, and to a sentence about it."""
    shutil.copytree(recogniser, folder / "models" / "recogniser")
    flow = {
        "input": {"recording": "audio"},
        "answer": ["transcript", "reply"],
        "model": {"recogniser": {"package": "models/recogniser"}},
        "step": {
            "transcript": {"model": "recogniser", "input": {"audio": "recording"}},
            "reply": {"do": "template", "input": {"heard": "transcript"}, "options": {"text": "You said '{heard}'."}},
        },
    }
    record = {"format": 1, "name": "listener", "flow": flow}
    (folder / "application.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def write_recording(path: Path, stretches: int) -> Path:
    """A recording with so many stretches above zero, each of a tenth of a second."""
    one = np.concatenate([np.full(RATE // 10, 12_000), np.full(RATE // 10, -12_000)]).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.tile(one, stretches).tobytes())
    return path


def write_picture(path: Path, colour: tuple[int, int, int]) -> Path:
    """A picture of one colour."""
    from PIL import Image

    Image.new("RGB", (12, 8), colour).save(path)
    return path


def _begun(folder: Path) -> tuple[Path, str]:
    """A copy of the package of arrays, and the URI of a tokenizer in it."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Path(shutil.copytree(ARRAYS, folder))
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=WORDS[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return made, _asset(made, "tokenizer.json", tokenizer.to_str().encode())


def _asset(package: Path, name: str, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    path = package / "shared_assets" / f"sha256-{digest}" / name
    path.parent.mkdir()
    path.write_bytes(content)
    return f"sha256:{digest}/{name}"


def _finished(
    package: Path, task: str, takes: str, gives: str, steps: Sequence[dict[str, Any]], labels: Sequence[str] = ()
) -> Path:
    path = package / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["components"]["model"]["variants"][ENGINE]["executor_info"]["ort"]["session_options"] = {
        "intra_op_num_threads": "1"
    }
    pipeline = {"input": takes, "output": gives, "steps": list(steps), "parts": {}}
    manifest["additional_metadata"]["edgewright"] |= {"task": task, "pipeline": pipeline, "labels": list(labels)}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return package


def _step(name: str, **options: Any) -> dict[str, Any]:
    return {"step": name, "options": options}


def _tokenize(tokenizer: str) -> dict[str, Any]:
    return _step("tokenize", tokenizer=tokenizer, outputs=["input_ids"], max_length=0)


def _value(name: str, shape: Sequence[int | str], kind: ir.DataType) -> ir.Value:
    return ir.Value(name=name, shape=ir.Shape(shape), type=ir.TensorType(kind))


def _constant(name: str, value: np.ndarray[Any, Any]) -> ir.Value:
    return ir.Value(name=name, const_value=ir.tensor(value, name=name))


def _save(
    package: Path, inputs: Sequence[ir.Value], last: ir.Node, output: str, shape: Sequence[int | str], *before: ir.Node
) -> None:
    """The graph of the package: `before`, then the node `last`, whose output is that of the graph."""
    made = last.outputs[0]
    made.name, made.shape, made.type = output, ir.Shape(shape), ir.TensorType(ir.DataType.FLOAT)
    nodes = [*before, last]
    initializers = [
        value for node in nodes for value in node.inputs if value is not None and value.const_value is not None
    ]
    graph = ir.Graph(
        inputs, [made], nodes=nodes, initializers=initializers, opset_imports={"": 20}, name="made-by-hand"
    )
    ir.save(ir.Model(graph, ir_version=10), package / "model" / ENGINE / "model.onnx")
