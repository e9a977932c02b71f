"""Rows of detectors, and of generators of pictures: what each source is, and what its own library answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import tiny_detectors
import tiny_generators
from _image_rows import RANDOM, from_transformers
from _row import SAMPLES, Made, Row

_DETECT, _GENERATE = "object-detection", "unconditional-image-generation"
_LATENTS = 4


def _detector(family: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        data = tiny_detectors.write_pictures(folder / "things")
        files = [str(folder / "things" / "images" / f"{index}.png") for index in range(SAMPLES)]
        source = tiny_detectors.write_checkpoint(folder / "source", family)
        return Made(spec=str(source), data=data, samples=files, options={"threshold": 0.2})

    return make


def _boxes(labels: Any, scores: Any, classes: Any, corners: Any) -> list[Any]:
    """Boxes as a package gives them, in an order that does not depend on how equal scores were sorted."""
    found = [
        {
            "label": labels[int(index)],
            "score": float(score),
            "box": dict(zip(("xmin", "ymin", "xmax", "ymax"), map(float, one), strict=True)),
        }
        for score, index, one in zip(scores, classes, corners, strict=True)
    ]
    return sorted(found, key=lambda one: -one["score"])


def _detected(made: Made) -> list[Any]:
    import torch

    network, images = from_transformers("AutoModelForObjectDetection", made.spec)
    answers = []
    for file in made.samples:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
        with torch.no_grad():
            outputs = network(pixel_values=images(picture, return_tensors="pt")["pixel_values"])
        sizes = [picture.size[::-1]]
        (found,) = images.post_process_object_detection(outputs, threshold=0.2, target_sizes=sizes)
        answers.append(_boxes(network.config.id2label, found["scores"], found["labels"], found["boxes"]))
    return answers


def _yolo(folder: Path) -> Made:
    names = {"names": "{0: 'red', 1: 'green', 2: 'blue'}", "stride": "32", "imgsz": "[160, 160]", "task": "detect"}
    data = tiny_detectors.write_pictures_of(folder / "things", 160, count=12, seed=3)
    files = [str(folder / "things" / "images" / f"{index}.png") for index in range(SAMPLES)]
    return Made(
        spec=str(tiny_detectors.write_yolo(folder / "source", 160, names)),
        data=data,
        samples=files,
        options={"threshold": 0.5},
    )


def _squares(made: Made) -> list[Any]:
    """From the network's own outputs by hand: it has one box for each place, so that none suppresses another."""
    import torch

    code: dict[str, Any] = {}
    exec(tiny_detectors.SQUARES, code)
    network = code["Squares"]().eval()
    answers = []
    for file in made.samples:
        with Image.open(file) as picture, torch.no_grad():
            pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None] / 255
            rows = network(pixels)[0].T
        rows = rows[rows[:, 4:].max(1).values > 0.5]
        corners = torch.cat([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], dim=1)
        answers.append(_boxes(tiny_detectors.LABELS, rows[:, 4:].max(1).values, rows[:, 4:].argmax(1), corners))
    return answers


def _rcnn(folder: Path) -> Made:
    data = tiny_detectors.write_pictures(folder / "things", seed=4)
    files = [str(folder / "things" / "images" / f"{index}.png") for index in range(SAMPLES)]
    return Made(spec="tiny_detectors:rcnn", data=data, samples=files, labels=tiny_detectors.LABELS)


def _rcnn_boxes(made: Made) -> list[Any]:
    import torch

    network, _, settings = tiny_detectors.rcnn()
    answers = []
    for file in made.samples:
        with Image.open(file) as picture, torch.no_grad():
            pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
            found = network([pixels])[0]
        there = found["scores"] > settings["threshold"]
        classes = found["labels"][there] - 1
        answers.append(_boxes(tiny_detectors.LABELS, found["scores"][there], classes, found["boxes"][there]))
    return answers


def _generator(name: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        if name == "faces":
            tiny_generators.weights()
        net, inputs = getattr(tiny_generators, name)()
        inputs = inputs if isinstance(inputs, dict) else {_first_input(net): inputs}
        random = np.random.default_rng(5)
        for index in range(_LATENTS):
            shapes = {name: (1, *value.shape[1:]) for name, value in inputs.items()}
            given: Any = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
            np.savez(folder / f"{index}.npz", **given)
        samples = [{"arrays": str(folder / f"{index}.npz")} for index in range(_LATENTS)]
        return Made(spec=f"tiny_generators:{name}", data=None, samples=samples)

    return make


def _first_input(net: Any) -> str:
    return next(iter(inspect.signature(net.forward).parameters))


def _drawn(made: Made) -> list[Any]:
    import torch

    net = getattr(tiny_generators, made.spec.rpartition(":")[2])()[0].eval()
    answers = []
    for sample in made.samples:
        with np.load(sample["arrays"]) as file, torch.no_grad():
            picture = net(**{name: torch.from_numpy(value) for name, value in file.items()})
        levels = ((picture + 1) * 127.5 + 0.5).clamp(0, 255).to(torch.uint8)
        answers.append(levels.permute(0, 2, 3, 1).numpy()[0])
    return answers


ROWS = (
    Row(name="yolos", task=_DETECT, weights=RANDOM, make=_detector("yolos"), theirs=_detected, compared="boxes"),
    Row(name="detr", task=_DETECT, weights=RANDOM, make=_detector("detr"), theirs=_detected, compared="boxes"),
    Row(name="yolo", task=_DETECT, weights="written by hand, ONNX", make=_yolo, theirs=_squares, compared="boxes"),
    Row(
        name="faster-rcnn",
        task=_DETECT,
        weights=f"torchvision, {RANDOM}",
        make=_rcnn,
        theirs=_rcnn_boxes,
        compared="boxes",
        torchvision=True,
    ),
    Row(
        name="stylegan2-like",
        task=_GENERATE,
        weights=RANDOM,
        make=_generator("stylegan"),
        theirs=_drawn,
        compared="picture",
        unlike=0.01,
    ),
    Row(
        name="dcgan",
        task=_GENERATE,
        weights="gan-face-generate 1.1.1",
        make=_generator("faces"),
        theirs=_drawn,
        compared="picture",
        unlike=0.01,
    ),
)
