"""Vectors of pictures and recordings: those of the sources' own libraries, and judged by identities."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from sklearn.metrics import roc_auc_score

import tiny_images
import tiny_speech
from command import QUICK, Command
from edgewright_benchmarks.accuracy.identity import LabelledIdentities
from edgewright_runtime import Package, load
from edgewright_targets import InputError
from fetched import CannotFetchError
from lite0 import imagenet_classifier
from scoring import score

_PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
_CROPS = 7


def write_crops(folder: Path) -> Path:
    """A folder for each of four real photographs, with crops of it, each brighter or darker than the others."""
    random = np.random.default_rng(4)
    photographs: Any = importlib.import_module("skimage.data")
    for name in _PHOTOS:
        whole = Image.fromarray(getattr(photographs, name)())
        (folder / name).mkdir(parents=True)
        for number in range(_CROPS):
            left, top = (int(random.integers(size - 180)) for size in whole.size)
            crop = whole.crop((left, top, left + 180, top + 180))
            ImageEnhance.Brightness(crop).enhance(random.uniform(0.5, 1.3)).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.slow
def test_a_trained_network_tells_real_photographs_apart(command: Command, tmp_path: Path) -> None:
    try:
        imagenet_classifier()
    except CannotFetchError as error:
        pytest.skip(str(error))
    out = command.folder / "photographs.ortpackage"
    fixed = ("--task", "image-feature-extraction", "--target", command.target, "-o", out, *QUICK)
    done = command("build", "lite0:features", "--evaluation", write_crops(tmp_path / "crops"), *fixed)
    assert done.code == 0, done.err
    (baseline,) = [one for one in Package.open(out).evidence("tiny")["engines"] if one["status"] == "baseline"]
    metrics = {name: one["value"] for name, one in baseline["accuracy"]["metrics"].items()}
    assert 0.5 < metrics["identification"] <= 1
    assert 0.6 < metrics["verification_auc"] < 1
    assert 0 < metrics["equal_error_rate"] < 0.4


@pytest.mark.parametrize("family", ["vit", "resnet"])
def test_vectors_are_those_of_transformers(command: Command, tmp_path: Path, family: str) -> None:
    import torch

    transformers: Any = importlib.import_module("transformers")
    source = tiny_images.write_checkpoint(tmp_path / "source", family, "Model")
    pictures = tiny_images.write_pictures(tmp_path / "pictures")
    out = command.folder / "vectors.ortpackage"
    fixed = ("--target", command.target, "--accept-baseline", "-o", out, *QUICK)
    done = command("build", source, "--evaluation", pictures, *fixed)
    assert done.code == 0, done.err
    assert Package.open(out).manifest.task == "image-feature-extraction"
    network = transformers.AutoModel.from_pretrained(source).eval()
    images = transformers.AutoImageProcessor.from_pretrained(source, backend="pil")
    with load(out) as model:
        for file in sorted(pictures.rglob("*.png"))[::9]:
            with Image.open(file) as picture, torch.no_grad():
                found = network(**images(picture.convert("RGB"), return_tensors="pt")).last_hidden_state[0]
            expected = (found[0] if found.ndim == 2 else found.mean(dim=(1, 2))).numpy()
            vector = model(file)
            assert vector == pytest.approx(expected / np.linalg.norm(expected), abs=1e-4)
            assert np.linalg.norm(vector) == pytest.approx(1)


def test_vectors_of_voices_are_those_of_transformers(command: Command, tmp_path: Path) -> None:
    import torch

    transformers: Any = importlib.import_module("transformers")
    source = tiny_speech.write_speakers(tmp_path / "source")
    (tmp_path / "clips" / "one").mkdir(parents=True)
    (tmp_path / "clips" / "two").mkdir()
    import soundfile

    for index in range(8):
        file = tmp_path / "clips" / ("one" if index % 2 else "two") / f"{index}.wav"
        soundfile.write(file, tiny_speech.sound(index), tiny_speech.RATE)
    out = command.folder / "voices.ortpackage"
    fixed = ("--target", command.target, "--accept-baseline", "-o", out, *QUICK)
    done = command("build", source, "--evaluation", tmp_path / "clips", *fixed)
    assert done.code == 0, done.err
    network = transformers.AutoModelForAudioXVector.from_pretrained(source).eval()
    features = transformers.AutoFeatureExtractor.from_pretrained(source)
    sound = tiny_speech.sound(3)
    with torch.no_grad():
        expected = network(**features(sound, sampling_rate=tiny_speech.RATE, return_tensors="pt")).embeddings[0].numpy()
    with load(out) as model:
        assert model(tmp_path / "clips" / "one" / "3.wav") == pytest.approx(
            expected / np.linalg.norm(expected), abs=1e-3
        )


def test_figures_are_those_of_the_definitions() -> None:
    random = np.random.default_rng(1)
    truth = ["a", "a", "b", "b", "c", "c", "c", "alone"]
    vectors = [random.normal(size=4) + 2 * np.eye(4)[ord(name[0]) % 4] for name in truth]
    outputs = [vector[None] for vector in vectors]
    found = score(LabelledIdentities(), outputs, truth, outputs)
    unit = [vector / np.linalg.norm(vector) for vector in vectors]
    cosines = np.array(unit) @ np.array(unit).T - 3 * np.eye(8)
    right = [truth[int(cosines[index].argmax())] == truth[index] for index in range(7)]
    assert found.metrics["identification"].value == pytest.approx(np.mean(right))
    assert found.samples == 7
    one, other = np.triu_indices(8, 1)
    same = np.array([truth[a] == truth[b] for a, b in zip(one, other, strict=True)])
    assert found.metrics["verification_auc"].value == pytest.approx(roc_auc_score(same, cosines[one, other]))


def test_an_engine_without_numbers_is_wrong() -> None:
    truth = ["a", "a", "b", "b"] * 3
    outputs = [np.eye(2)[[0 if name == "a" else 1]] for name in truth]
    found = score(LabelledIdentities(), [np.full((1, 2), np.nan)] * 12, truth, outputs)
    assert found.metrics["identification"].value == 0
    assert found.drop.value == 1
    perfect = score(LabelledIdentities(), outputs, truth, outputs)
    assert [one.value for one in perfect.metrics.values()] == [1, 1, 0]


@pytest.mark.parametrize("truth", [["a"] * 4, ["a", "b", "c", "d"]])
def test_identities_that_cannot_be_compared_are_refused(truth: list[str]) -> None:
    outputs = [np.eye(4)[[index]] for index in range(4)]
    with pytest.raises(InputError, match="two identities, and two samples of one of them"):
        score(LabelledIdentities(), outputs, truth, outputs)
