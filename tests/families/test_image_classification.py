"""Image classification from a source to a label, with the real command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tiny_images
from command import QUICK, Command
from edgewright_benchmarks.devices.engine_worker import WORKER_COMMAND
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_runtime import load


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled pictures in folders, some without labels, and a table of the first: do not write into it."""
    folder = tmp_path_factory.mktemp("pictures")
    tiny_images.write_pictures(folder / "train", seed=1)
    tiny_images.write_pictures(folder / "validation", each=8, seed=2)
    tiny_images.write_table(folder / "validation.csv", folder / "validation")
    return folder


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An `.onnx` file with its processor and labels beside it: do not write into it."""
    return tiny_images.write_onnx(tmp_path_factory.mktemp("colours"))


def build(command: Command, source: Path, pictures: Path, *more: object) -> Path:
    output = command.folder / "out.ortpackage"
    data = ("--calibration", pictures / "train", "--evaluation", pictures / "validation", "--accept-baseline")
    done = command("build", source, *data, "--target", command.target, "-o", output, *QUICK, "-q", *more)
    assert done.code == 0, done.err
    return output


@pytest.mark.slow
@pytest.mark.parametrize("family", tiny_images.FAMILIES)
def test_a_checkpoint_of_each_family(command: Command, pictures: Path, tmp_path: Path, family: str) -> None:
    checkpoint = tiny_images.write_checkpoint(tmp_path / family, family)
    package = build(command, checkpoint, pictures)
    evidence = json.loads(command("inspect", package, "--json").out)["evidence"]
    (result,) = evidence.values() if isinstance(evidence, dict) else evidence
    engines = {engine["name"]: engine for engine in result["engines"]}
    metrics = engines["tiny-cpu-fp32"]["accuracy"]["metrics"]
    assert list(metrics) == ["accuracy", "top_5_accuracy", "macro_f1"]
    assert metrics["top_5_accuracy"]["value"] >= metrics["accuracy"]["value"]
    # Static int8 can be made of it and runs; whether it is taken is measured.
    assert engines["tiny-cpu-int8"]["status"] in ("accepted", "refused")
    assert command("verify", package).code == 0
    file = pictures / "validation" / "red" / "0.png"
    one = json.loads(command("run", package, file, "--json", "--top-k", 7).out)["answers"][0]
    assert one["input"] == str(file)
    assert sorted(entry["label"] for entry in one["labels"]) == sorted(tiny_images.LABELS)
    assert sum(entry["score"] for entry in one["labels"]) == pytest.approx(1, abs=1e-5)
    with load(package) as model:
        (by_path, by_bytes, by_array) = model([file, file.read_bytes(), np.asarray(Image.open(file))])
    assert by_path == by_bytes == by_array == one["labels"][:1]


def test_an_onnx_file(command: Command, colours: Path, pictures: Path) -> None:
    """It knows the colours: what the labels say is what the pictures show."""
    labels = ("--task", "image-classification", "--labels", colours.parent / "labels.txt")
    package = build(command, colours, pictures, *labels)
    red, blue = (pictures / "validation" / label / "0.png" for label in ("red", "blue"))
    done = command("run", package, red, blue)
    assert [line.split("  ->  ")[1].split()[0] for line in done.out.splitlines()] == ["red", "blue"]
    for data in (pictures / "validation", pictures / "validation.csv"):
        done = command("bench", package, "--data", data, "--json", *QUICK)
        assert done.code == 0, done.err
        accuracy = json.loads(done.out)["engines"][0]["accuracy"]
        assert accuracy["metrics"]["accuracy"]["value"] > 0.8
        assert accuracy["samples"] == 8 * len(tiny_images.LABELS)
    assert command("verify", package).code == 0
    # A worker that may be on another machine gets the bytes of the files; it must answer as one that gets their paths.
    answers = []
    for started in (WORKER_COMMAND, [*WORKER_COMMAND, "elsewhere"]):
        with WorkerProcess(command=started) as worker:
            worker.keep([red, blue])
            worker.load(package, "tiny-cpu-fp32", 1)
            answers.append([answer.outputs["scores"].tolist() for answer in worker.answer([0, 1])])
    assert answers[0] == answers[1]
    command.refuses("run", package, "missing.png", says=["There is no file 'missing.png'", "path of a file: image"])
    command.refuses("run", package, pictures / "validation.csv", says=["is not an image, or not of a supported kind"])
    command.refuses(
        "run", package, red, "-o", command.folder / "x.npz", says=["--output is for models whose output is named"]
    )


def test_channels_last(command: Command, colours: Path, pictures: Path, tmp_path: Path) -> None:
    """A graph of TensorFlow's order answers as the same one with channels first, and the build says what it changed."""
    for name in ("preprocessor_config.json", "labels.txt"):
        shutil.copy(colours.parent / name, tmp_path)
    source = tiny_images.write_channels_last(colours, tmp_path / "colours.onnx")
    fixed = ("--task", "image-classification", "--labels", tmp_path / "labels.txt")
    output = command.folder / "out.ortpackage"
    data = ("--calibration", pictures / "train", "--evaluation", pictures / "validation")
    done = command("build", source, *fixed, *data, "--target", command.target, "-o", output, *QUICK)
    assert done.code == 0, done.err
    assert "its input 'serving:0' has the channels last" in done.out + done.err
    red, blue = (pictures / "validation" / label / "0.png" for label in ("red", "blue"))
    done = command("run", output, red, blue)
    assert [line.split("  ->  ")[1].split()[0] for line in done.out.splitlines()] == ["red", "blue"]


def test_without_labels(command: Command, colours: Path, pictures: Path, tmp_path: Path) -> None:
    for index, file in enumerate(sorted((pictures / "train").rglob("*.png"))):
        shutil.copy(file, tmp_path / f"{index}.png")
    labels = ("--task", "image-classification", "--labels", colours.parent / "labels.txt")
    data = ("--calibration", tmp_path, "--target", command.target, "-o", command.folder / "p", *QUICK)
    done = command("build", colours, *labels, *data)
    assert done.code == 0, done.err
    assert "agreement" in done.out


def test_data_that_does_not_fit(command: Command, colours: Path, pictures: Path, tmp_path: Path) -> None:
    fixed = ("--task", "image-classification", "--labels", colours.parent / "labels.txt", "--evaluation")

    def refuses(data: Path, *says: str) -> None:
        command.refuses_build(colours, *fixed, data, says=says)

    other = Path(shutil.copytree(pictures / "train", tmp_path / "other"))
    (other / "notes.txt").write_text("mine", encoding="utf-8")
    refuses(other, "holds files (notes.txt, ...) beside the folders of its classes")
    (other / "notes.txt").rename(other / "red" / "notes.txt")
    refuses(other, "is not an image, or not of a supported kind")
    (other / "red").rename(other / "rad")
    refuses(other, "unknown label 'rad'", "Did you mean 'red'?")
    (tmp_path / "empty").mkdir()
    refuses(tmp_path / "empty", "has no samples")
    table = tmp_path / "table.csv"
    table.write_text("path,label\nmissing.png,red\n", encoding="utf-8")
    refuses(table, "line 2: there is no file 'missing.png'", f"Searched at '{tmp_path / 'missing.png'}'")
    table.write_text("file,label\nmissing.png,red\n", encoding="utf-8")
    refuses(table, "no column 'image'; its columns are: file, label")
    table.write_text("path,label\n ,red\n", encoding="utf-8")
    refuses(table, "line 2: the image is empty")
    lines = tmp_path / "table.jsonl"
    lines.write_text('{"image": "missing.png", "label": "red"\n', encoding="utf-8")
    refuses(lines, "line 1: not valid JSON")
    lines.write_text("[1]\n", encoding="utf-8")
    refuses(lines, "line 1: expected a JSON object")


def test_the_same_pictures_in_another_class_are_other_data(pictures: Path, tmp_path: Path) -> None:
    from edgewright_benchmarks.data import read_dataset

    def digest(folder: Path) -> str:
        found = read_dataset(folder, task="image-classification", input_name="image", class_names=tiny_images.LABELS)
        return found.digest

    other = Path(shutil.copytree(pictures / "train", tmp_path / "other"))
    assert digest(other) == digest(pictures / "train")
    (other / "red" / "0.png").rename(other / "blue" / "9.png")
    assert digest(other) != digest(pictures / "train")


def test_an_onnx_file_without_a_processor(command: Command, colours: Path, pictures: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(colours, tmp_path))
    fixed = ("--task", "image-classification", "--labels", colours.parent / "labels.txt")
    says = ["needs an image processor", "no preprocessor_config.json beside"]
    command.refuses_build(alone, *fixed, "--evaluation", pictures / "train", says=says)


_TORCH = """
import torch
from torch import nn


def net():
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 7)
    return nn.Sequential(*layers), torch.zeros(2, 3, 24, 24)


SETTINGS = {
    "image_processor_type": "DeiTImageProcessor",
    "size": {"height": 30, "width": 30},
    "crop_size": {"height": 24, "width": 24},
    "image_mean": [0.4, 0.5, 0.6],
    "image_std": [0.2, 0.3, 0.4],
}


def with_settings():
    return *net(), SETTINGS


def unknown_step():
    return *net(), SETTINGS | {"do_pad": True}
"""


@pytest.fixture
def torch_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "tiny_torch_images.py").write_text(_TORCH, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return "tiny_torch_images"


@pytest.mark.slow
def test_a_torch_module_with_the_settings_of_a_processor(
    command: Command, colours: Path, pictures: Path, torch_module: str
) -> None:
    labels = ("--task", "image-classification", "--labels", colours.parent / "labels.txt")
    # The build compares the engine with the module on pictures: the same pixels reach both.
    package = build(command, Path(f"{torch_module}:with_settings"), pictures, *labels)
    file = pictures / "validation" / "red" / "0.png"
    assert command("run", package, file).code == 0
    fixed = ("--evaluation", pictures / "validation")
    command.refuses_build(f"{torch_module}:net", *labels, *fixed, says=["needs the settings of an image processor"])
    command.refuses_build(f"{torch_module}:with_settings", *fixed, says=["no task says what the module's outputs are"])
    command.refuses_build(f"{torch_module}:with_settings", *labels[:2], *fixed, says=["needs labels"])
    says = ["unknown_step': its image processor DeiTImageProcessor has the step 'do_pad'"]
    command.refuses_build(f"{torch_module}:unknown_step", *labels, *fixed, says=says)
