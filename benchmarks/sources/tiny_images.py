"""Tiny image classifiers and pictures for them, made in code: what `tiny_models.py` is for text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

# Seven, so that the best five are not all of them.
LABELS = ("red", "green", "blue", "cyan", "magenta", "yellow", "white")
EDGE = 32
_COLOURS = {name: tuple(255 * bit for bit in bits) for name, bits in zip(
    LABELS, [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 1)], strict=True
)}  # fmt: skip
_SEED = 7


def picture(label: str, random: np.random.Generator) -> Image.Image:
    """A patch of the label's colour on noise, of a size that differs from picture to picture."""
    height, width = random.integers(40, 90, 2)
    pixels = random.integers(0, 120, (height, width, 3)).astype(np.uint8)
    pixels[height // 4 : -height // 4, width // 4 : -width // 4] = _COLOURS[label]
    return Image.fromarray(pixels)


def write_pictures(folder: Path, *, each: int = 4, seed: int = _SEED) -> Path:
    """A folder with a folder of pictures for each label."""
    random = np.random.default_rng(seed)
    for label in LABELS:
        (folder / label).mkdir(parents=True)
        for index in range(each):
            picture(label, random).save(folder / label / f"{index}.png")
    return folder


def write_table(path: Path, pictures: Path) -> Path:
    """A table of the pictures in a folder, with paths relative to the table."""
    rows = [f"{file.relative_to(path.parent)},{file.parent.name}" for file in sorted(pictures.rglob("*.png"))]
    path.write_text("\n".join(["path,label", *rows]) + "\n", encoding="utf-8")
    return path


def write_checkpoint(folder: Path, family: str, head: str = "ForImageClassification") -> Path:
    """A model of one of `FAMILIES` with its image processor, as `save_pretrained` writes them; `Model` has no head."""
    import torch
    import transformers

    torch.manual_seed(_SEED)
    name, settings, processor = FAMILIES[family]
    labels = {"id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}}
    config = getattr(transformers, f"{name}Config")(**settings, **labels)
    model = getattr(transformers, f"{name}{head}")(config)
    if family != "vit":
        # A few pictures through it, so that the norms know the range of what they see.
        model.train()(torch.randn(64, 3, EDGE, EDGE))
    model.eval().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


_SQUARE = {"height": EDGE, "width": EDGE}
FAMILIES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "vit": (
        "ViT",
        {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
        | {"image_size": EDGE, "patch_size": 8, "initializer_range": 0.2},
        {"image_processor_type": "ViTImageProcessor", "size": _SQUARE},
    ),
    "resnet": (
        "ResNet",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
        {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": EDGE}, "crop_pct": 0.875},
    ),
    "mobilenet": (
        "MobileNetV2",
        {"image_size": EDGE, "depth_multiplier": 0.25},
        {"image_processor_type": "MobileNetV2ImageProcessor", "size": {"shortest_edge": 36}, "crop_size": _SQUARE},
    ),
}


def write_onnx(folder: Path) -> Path:
    """A linear classifier of the mean colour as an `.onnx` file, with an image processor and labels beside it."""
    import onnx_ir as ir

    weights = np.array([_COLOURS[label] for label in LABELS], dtype=np.float32).T / 255 - 0.5
    initializer = ir.Value(name="w", const_value=ir.tensor(weights, name="w"))
    pixels = ir.Value(name="images", shape=ir.Shape(["n", 3, EDGE, EDGE]), type=ir.TensorType(ir.DataType.FLOAT))
    mean = ir.node("GlobalAveragePool", [pixels])
    flat = ir.node("Flatten", [mean.outputs[0]])
    last = ir.node("MatMul", [flat.outputs[0], initializer])
    scores = last.outputs[0]
    scores.name, scores.shape = "scores", ir.Shape(["n", len(LABELS)])
    scores.type = ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph(
        [pixels], [scores], nodes=[mean, flat, last], initializers=[initializer], opset_imports={"": 20}, name="colours"
    )
    folder.mkdir(parents=True, exist_ok=True)
    ir.save(ir.Model(graph, ir_version=10), folder / "colours.onnx")
    settings = FAMILIES["mobilenet"][2]
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "labels.txt").write_text("\n".join(LABELS), encoding="utf-8")
    return folder / "colours.onnx"


def write_channels_last(source: Path, path: Path) -> Path:
    """A file whose one input is [n, height, width, channels], as converters of TensorFlow write it."""
    import onnx_ir as ir

    model = ir.load(source)
    (pixels,) = model.graph.inputs
    shape = pixels.shape
    assert shape is not None
    given = ir.Value(name="serving:0", shape=ir.Shape([shape[0], shape[2], shape[3], shape[1]]), type=pixels.type)
    turn = ir.node("Transpose", [given], {"perm": [0, 3, 1, 2]}, name="first")
    turn.outputs[0].name = "turned"
    pixels.replace_all_uses_with(turn.outputs[0])
    model.graph.inputs[0] = given
    model.graph.insert_before(model.graph[0], turn)
    ir.save(model, path)
    return path


def write_cnn(path: Path, *, offset: float = 0.0) -> Path:
    """A CNN of two convolutions as an `.onnx` file: `pixels` [1, 3, 16, 16] to `scores` [1, 4].

    `offset` is added to one channel between them, which the second one ignores: no 8 bits hold that channel and the
    others.
    """
    import onnx_ir as ir

    random = np.random.default_rng(_SEED)
    shapes = {"w1": (8, 3, 3, 3), "b1": (8,), "w2": (16, 8, 3, 3), "w3": (16, 4)}
    arrays = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    if offset:
        arrays["b1"][0] += offset
        arrays["w2"][:, 0] = 0
    weights = {name: ir.Value(name=name, const_value=ir.tensor(array, name=name)) for name, array in arrays.items()}
    pixels = ir.Value(name="pixels", shape=ir.Shape([1, 3, 16, 16]), type=ir.TensorType(ir.DataType.FLOAT))
    first = ir.node("Conv", [pixels, weights["w1"], weights["b1"]], {"pads": [1, 1, 1, 1]}, name="first")
    bend = ir.node("Relu", [first.outputs[0]], name="bend")
    second = ir.node("Conv", [bend.outputs[0], weights["w2"]], {"strides": [2, 2]}, name="second")
    mean = ir.node("GlobalAveragePool", [second.outputs[0]], name="mean")
    flat = ir.node("Flatten", [mean.outputs[0]], name="flat")
    last = ir.node("MatMul", [flat.outputs[0], weights["w3"]], name="last")
    scores = last.outputs[0]
    scores.name, scores.shape, scores.type = "scores", ir.Shape([1, 4]), ir.TensorType(ir.DataType.FLOAT)
    nodes = [first, bend, second, mean, flat, last]
    graph = ir.Graph(
        [pixels], [scores], nodes=nodes, initializers=list(weights.values()), opset_imports={"": 20}, name="cnn"
    )
    ir.save(ir.Model(graph, ir_version=10), path)
    return path
