"""Rows of vectors of pictures and recordings, and what transformers gives for them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import tiny_images
import tiny_speech
from _image_rows import RANDOM, from_transformers
from _row import SAMPLES, Made, Row
from _speech_rows import waveforms

_RATE = 16_000


def _unit(row: Any) -> Any:
    return np.asarray(row / np.linalg.norm(row), np.float32)


def _pictures(family: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        data = tiny_images.write_pictures(folder / "pictures")
        source = tiny_images.write_checkpoint(folder / "source", family, "Model")
        files = [str(file) for file in sorted(data.rglob("*.png"))[::4]]
        return Made(spec=str(source), data=data, samples=files[:SAMPLES])

    return make


def _seen(made: Made) -> list[Any]:
    import torch

    network, images = from_transformers("AutoModel", made.spec)
    answers = []
    for file in made.samples:
        with Image.open(file) as picture, torch.no_grad():
            found = network(**images(picture.convert("RGB"), return_tensors="pt")).last_hidden_state[0].numpy()
        # The first token, or the mean of each map.
        answers.append(_unit(found[0] if found.ndim == 2 else found.mean(axis=(1, 2))))
    return answers


def _voices(folder: Path) -> Made:
    source = tiny_speech.write_speakers(folder / "source")
    data = tiny_speech.write_sound_classes(folder / "sounds")
    files = [str(file) for file in sorted(data.rglob("*.flac"))[:SAMPLES]]
    return Made(spec=str(source), data=data, samples=files)


def _heard(made: Made) -> list[Any]:
    import torch

    transformers: Any = importlib.import_module("transformers")
    network = transformers.AutoModelForAudioXVector.from_pretrained(made.spec).eval()
    features = transformers.AutoFeatureExtractor.from_pretrained(made.spec)
    with torch.no_grad():
        return [
            _unit(network(**features(one, sampling_rate=_RATE, return_tensors="pt")).embeddings[0].numpy())
            for one in waveforms(made.samples)
        ]


ROWS = (
    *(
        Row(
            name=f"{family}-vectors",
            task="image-feature-extraction",
            weights=RANDOM,
            make=_pictures(family),
            theirs=_seen,
            compared="vector",
        )
        for family in ("vit", "resnet")
    ),
    Row(
        name="x-vectors",
        task="audio-feature-extraction",
        weights=RANDOM,
        make=_voices,
        theirs=_heard,
        compared="vector",
    ),
)
