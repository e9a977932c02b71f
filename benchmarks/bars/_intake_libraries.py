"""Models of timm and torchvision by their names, and those of torchvision that are no classifiers."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from _intake_pictures import boxed, by_place
from _intake_source import DATA, LABELS, SPEC, Second, Source
from _row import SAMPLES, Made
from photographs import write_photographs

RANDOM = "random weights"
_MODULE = "brought_modules"
_THINGS = ("cup", "cat", "rocket")
# Below this, torchvision's answers are not shown: as `detector.json` has it by default.
_THRESHOLD = 0.25


def _photographs(spec: str, labels: tuple[str, ...] | None = None) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        files = write_photographs(folder / "photographs")
        return Made(spec=spec, data=folder / "photographs", samples=files[:SAMPLES], labels=labels, unlabelled=True)

    return make


def _classified(made: Made, net: Any, transform: Callable[[Any], Any], names: Any) -> list[Any]:
    """The best class of each picture, as the library itself prepares it; the label where its name is known."""
    import torch

    answers = []
    for file in made.samples:
        with Image.open(file) as picture, torch.no_grad():
            shares = net(transform(picture.convert("RGB"))[None])[0].softmax(-1)
        best = int(shares.argmax())
        answers.append([{"label": names[best], "score": float(shares[best])}])
    return answers


def _timm(made: Made) -> list[Any]:
    import torch

    timm: Any = importlib.import_module("timm")
    torch.manual_seed(0)
    net = timm.create_model(made.spec.partition(":")[2], pretrained=False).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(net), is_training=False)
    info = timm.data.ImageNetInfo(timm.data.infer_imagenet_subset(net))
    return _classified(made, net, transform, _once([info.index_to_description(index) for index in range(1000)]))


def _torchvision(made: Made) -> list[Any]:
    import torch

    models: Any = importlib.import_module("torchvision.models")
    name = made.spec.partition(":")[2]
    torch.manual_seed(0)
    net, weights = models.get_model(name, weights=None).eval(), models.get_model_weights(name).DEFAULT
    return _classified(made, net, weights.transforms(), _once(weights.meta["categories"]))


def _once(names: list[str]) -> list[str]:
    """Class names, of which some are in ImageNet twice: then with their number."""
    return [f"{name} ({index})" if names.count(name) > 1 else name for index, name in enumerate(names)]


def _their_boxes(made: Made) -> list[Any]:
    import torch

    net = importlib.import_module(_MODULE).ssdlite()[0]
    answers = []
    for file in made.samples:
        with Image.open(file) as picture:
            pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).float() / 255
        with torch.no_grad():
            found = net([pixels])[0]
        shown = (found["scores"] > _THRESHOLD).nonzero()[:100, 0].tolist()
        answers.append(
            [boxed(_THINGS[int(found["labels"][i]) - 1], found["scores"][i], found["boxes"][i]) for i in shown]
        )
    return answers


def _their_masks(made: Made) -> list[Any]:
    """The class of each pixel; pictures have the size of the graph's input."""
    import torch

    net, _, settings = importlib.import_module(_MODULE).lraspp()
    answers = []
    for file in made.samples:
        with Image.open(file) as picture:
            pixels = np.asarray(picture.convert("RGB"), np.float32) / 255
        pixels = (pixels - np.array(settings["image_mean"])) / np.array(settings["image_std"])
        with torch.no_grad():
            scores = net(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())["out"]
        answers.append({"mask": scores[0].argmax(0).numpy()})
    return answers


def _by_name(name: str, library: str, theirs: Callable[[Made], list[Any]]) -> Source:
    return Source(
        name=name.replace("_", "-"),
        kind="library",
        weights=f"{library}, {RANDOM}",
        task="image-classification",
        make=_photographs(f"{library}:{name}"),
        first=(SPEC, "--calibration", DATA),
        theirs=theirs,
        compared="label",
        torchvision=True,
    )


SOURCES = (
    _by_name("mobilenetv3_small_100", "timm", _timm),
    _by_name("vit_tiny_patch16_224", "timm", _timm),
    _by_name("resnet18", "torchvision", _torchvision),
    Source(
        name="ssdlite",
        kind="library",
        weights=f"torchvision, {RANDOM}",
        task="object-detection",
        make=_photographs(f"{_MODULE}:ssdlite", _THINGS),
        first=("torchvision:ssdlite320_mobilenet_v3_large", "--calibration", DATA),
        second=Second(
            says="package.module:function",
            words=(SPEC, "--task", "object-detection", "--labels", LABELS, "--calibration", DATA),
            done="a function as in docs/detection.md",
        ),
        theirs=_their_boxes,
        compared="boxes",
        arranged=by_place,
        torchvision=True,
    ),
    Source(
        name="lraspp",
        kind="library",
        weights=f"torchvision, {RANDOM}",
        task="image-segmentation",
        make=_photographs(f"{_MODULE}:lraspp", tuple(f"kind {index}" for index in range(7))),
        first=("torchvision:lraspp_mobilenet_v3_large", "--task", "image-segmentation", "--calibration", DATA),
        second=Second(
            says="package.module:function",
            words=(SPEC, "--task", "image-segmentation", "--labels", LABELS, "--calibration", DATA),
            done="a function that also returns the settings of an image processor",
        ),
        theirs=_their_masks,
        compared="mask",
        unlike=0.01,
        torchvision=True,
    ),
)
