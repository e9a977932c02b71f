"""Classifiers of timm and torchvision by name: the network, what it takes of a picture, and its classes.

A new library is a function here and a line in `LIBRARIES`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edgewright_compiler.checkpoints.checkpoint import read_json
from edgewright_targets import InputError, MissingDependencyError
from edgewright_targets.errors import first_line, nearest

# Pillow's numbers of its filters.
_FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}


@dataclass(frozen=True, kw_only=True)
class LibraryModel:
    """A network that a library made.

    Attributes:
        net: The torch module.
        size: Height and width of the pictures that it takes.
        processor: Settings of the image processor of transformers that does what the library's own transform does.
        labels: Class names by index; empty where nobody knows them.
        weights: Where its weights come from, for people; empty where they are random.
        trained: Name of trained weights that the library knows; empty where it knows none.
    """

    net: Any
    size: tuple[int, int]
    processor: dict[str, object]
    labels: tuple[str, ...]
    weights: str
    trained: str = ""


@dataclass(frozen=True)
class Library:
    """A library of models by name.

    Attributes:
        make: From a name and a file of weights (None for those that are here already, or random ones), the model.
        trained: From a name, the hub's id of its trained weights; empty where they are not on the hub.
    """

    make: Callable[[str, Path | None], LibraryModel]
    trained: Callable[[str], str]


def timm_folder(folder: Path) -> str:
    """The architecture in a folder as timm saves it; empty where a folder is of another library."""
    if not (folder / "config.json").is_file():
        return ""
    config = read_json(folder / "config.json")
    return str(config.get("architecture", "")) if "pretrained_cfg" in config else ""


def imported(library: str) -> Any:
    """The library.

    Raises:
        MissingDependencyError: It is not installed, or does not fit the installed torch.
    """
    import importlib
    from importlib.metadata import version

    try:
        return importlib.import_module(library)
    except (ImportError, RuntimeError, OSError) as error:
        if find_spec(library) is None:
            raise MissingDependencyError(
                f"Models of {library} need {library}, which is not installed.",
                hint="Install it with: pip install 'edgewright[timm]'",
            ) from error
        raise MissingDependencyError(
            f"{library} cannot be imported: {first_line(error)}",
            hint=f"torch {version('torch')} and torchvision must be of one release and of one kind (both for the CPU, "
            "or both for CUDA): install both from the same index.",
        ) from error


def _timm(name: str, weights: Path | None) -> LibraryModel:
    timm = imported("timm")
    known = timm.list_models()
    if name.partition(".")[0] not in known:
        raise InputError(f"timm has no model '{name}'.", hint=nearest(name.partition(".")[0], known))
    config: dict[str, object] = {}
    settings: dict[str, object] = {}
    if weights is not None and (weights.parent / "config.json").is_file():
        config = read_json(weights.parent / "config.json")
        if isinstance(config.get("num_classes"), int):
            settings["num_classes"] = config["num_classes"]
    path = "" if weights is None else str(weights)
    try:
        net = timm.create_model(name, pretrained=False, checkpoint_path=path, **settings)
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"timm cannot make '{name}' with the weights '{path}': {first_line(error)}") from error
    own = config.get("pretrained_cfg")
    if isinstance(own, dict):
        net.pretrained_cfg = {**net.pretrained_cfg, **own}
    data = timm.data.resolve_model_data_config(net)
    _, height, width = data["input_size"]
    labels = _names(config.get("label_names")) or _imagenet(timm, net)
    return LibraryModel(
        net=net,
        size=(height, width),
        processor=_timm_processor(name, data),
        labels=labels,
        weights=path,
        trained=str(net.pretrained_cfg.get("hf_hub_id") or ""),
    )


def _timm_processor(name: str, data: Any) -> dict[str, object]:
    _, height, width = data["input_size"]
    mode, share = data["crop_mode"], data["crop_pct"]
    if mode == "border" or (mode == "center" and height != width):
        raise InputError(
            f"timm's '{name}' cuts pictures out in the mode '{mode}' for {height} x {width}, which is not supported.",
            hint="Build package.module:function, which returns the network and the settings of an image processor.",
        )
    # `timm.data.transforms_factory.transforms_imagenet_eval`: the picture is made larger, then its middle is cut out.
    large = [math.floor(edge / share) for edge in (height, width)]
    size = {"height": large[0], "width": large[1]} if mode == "squash" else {"shortest_edge": large[0]}
    return _processor(size, (height, width), data["interpolation"], data["mean"], data["std"])


def _processor(
    size: Mapping[str, int], crop: tuple[int, int], interpolation: str, mean: Sequence[float], std: Sequence[float]
) -> dict[str, object]:
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_resize": True,
        "size": dict(size),
        "resample": _FILTERS.get(interpolation, _FILTERS["bicubic"]),
        "do_center_crop": True,
        "crop_size": {"height": crop[0], "width": crop[1]},
        "do_rescale": True,
        "do_normalize": True,
        "image_mean": [float(value) for value in mean],
        "image_std": [float(value) for value in std],
    }


def _imagenet(timm: Any, net: Any) -> tuple[str, ...]:
    subset = timm.data.infer_imagenet_subset(net)
    if not subset:
        return ()
    info = timm.data.ImageNetInfo(subset)
    return _names([info.index_to_description(index) for index in range(info.num_classes())])


def _names(found: object) -> tuple[str, ...]:
    """Class names, each of them once: a second one of a name gets its number behind it."""
    if not isinstance(found, list | tuple):
        return ()
    names = [str(name) for name in found]
    count = Counter(names)
    return tuple(f"{name} ({index})" if count[name] > 1 else name for index, name in enumerate(names))


def _torchvision(name: str, weights: Path | None) -> LibraryModel:
    import torch

    models = imported("torchvision").models
    known = models.list_models(module=models)
    if name not in known:
        others = models.list_models()
        hint = nearest(name, known)
        if name in others:
            hint = "Only its classifiers are built by name. Build package.module:function (see docs/detection.md)."
        raise InputError(f"torchvision has no classifier '{name}'.", hint=hint)
    trained = models.get_model_weights(name).DEFAULT
    path = weights or Path(torch.hub.get_dir()) / "checkpoints" / Path(trained.url).name
    own = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    net = models.get_model(name, weights=None, **own)
    there = path.is_file()
    if there:
        # Tensors alone: such a file can hold code.
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    done = trained.transforms()
    crop, large = done.crop_size[0], done.resize_size[0]
    size = {"shortest_edge": large}
    return LibraryModel(
        net=net,
        size=(crop, crop),
        processor=_processor(size, (crop, crop), done.interpolation.value, done.mean, done.std),
        labels=_names(trained.meta["categories"]),
        weights=path.name if there else "",
        trained=f"{trained} (torchvision.models.get_model('{name}', weights='DEFAULT') fetches them)",
    )


def _timm_id(name: str) -> str:
    timm = imported("timm")
    if name.partition(".")[0] not in timm.list_models():
        return ""
    return str(timm.get_pretrained_cfg(name).hf_hub_id or "")


LIBRARIES = {"timm": Library(_timm, _timm_id), "torchvision": Library(_torchvision, lambda _: "")}
