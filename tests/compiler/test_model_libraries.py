"""Classifiers of timm and torchvision by name; with these libraries in a process apart (test_torchvision.py)."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tiny_images
from command import Command
from edgewright_compiler.graphs.exported import read_exported
from edgewright_compiler.sources import Source, SourceOptions, open_source
from with_torchvision import FOLDER

beside = pytest.mark.skipif(FOLDER not in os.environ, reason="timm and torchvision are not in this process")
alone = pytest.mark.skipif(FOLDER in os.environ, reason="timm and torchvision are in this process")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Of a size that leaves an even rest when its middle is cut out."""
    path = tmp_path / "picture.png"
    noise = np.random.default_rng(3).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((500, 400)).save(path)
    return path


def _answer(source: Source, picture: Path) -> np.ndarray:
    (found,) = source.reference([picture])
    (scores,) = found.values()
    return scores


@alone
@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_a_library_that_is_not_installed(command: Command, library: str) -> None:
    says = [f"Models of {library} need {library}, which is not installed", "pip install 'edgewright[timm]'"]
    command.refuses_build(f"{library}:resnet18", says=says)


@beside
def test_timm_answers_as_timm(picture: Path, tmp_path: Path) -> None:
    import timm

    source = open_source("timm:test_resnet.r160_in1k", SourceOptions())
    assert (source.task, source.name, len(source.labels)) == ("image-classification", "test_resnet.r160_in1k", 1000)
    assert source.labels[0].startswith("tench")
    assert "The weights of 'timm:test_resnet.r160_in1k' are random" in source.notes[0]
    torch.manual_seed(0)
    net = timm.create_model("test_resnet.r160_in1k").eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(net))
    with torch.no_grad():
        expected = net(transform(Image.open(picture).convert("RGB"))[None])
    np.testing.assert_allclose(_answer(source, picture), expected.numpy(), atol=1e-4)
    source.export(tmp_path / "exported")
    assert read_exported(tmp_path / "exported").notes == source.notes


@beside
def test_a_folder_that_timm_saved(picture: Path, tmp_path: Path) -> None:
    import timm

    torch.manual_seed(5)
    net = timm.create_model("test_vit", num_classes=4).eval()
    folder, names = tmp_path / "saved", list(tiny_images.LABELS)
    timm.models.save_for_hf(net, folder, model_config={"label_names": names}, safe_serialization=True)
    source = open_source(str(folder), SourceOptions())
    assert (source.name, source.labels, source.notes) == ("saved", tuple(names), ())
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(net))
    with torch.no_grad():
        expected = net(transform(Image.open(picture).convert("RGB"))[None])
    np.testing.assert_allclose(_answer(source, picture), expected.numpy(), atol=1e-4)


@beside
@pytest.mark.parametrize("stored", [False, True])
def test_torchvision_answers_as_torchvision(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stored: bool
) -> None:
    from torchvision import models

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = models.SqueezeNet1_1_Weights.DEFAULT
    torch.manual_seed(9 if stored else 0)
    net = models.squeezenet1_1(weights=None).eval()
    if stored:
        (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
        torch.save(net.state_dict(), tmp_path / "hub" / "checkpoints" / Path(weights.url).name)
    source = open_source("torchvision:squeezenet1_1", SourceOptions())
    assert bool(source.notes) is not stored
    assert source.labels[:2] == ("tench", "goldfish")
    assert len(set(source.labels)) == 1000
    with torch.no_grad():
        expected = net(weights.transforms()(Image.open(picture).convert("RGB"))[None])
    np.testing.assert_allclose(_answer(source, picture), expected.numpy(), atol=1e-3)


@beside
@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("timm:resnet81", ["timm has no model 'resnet81'", "resnet18"]),
        ("torchvision:resnet81", ["no classifier 'resnet81'", "resnet18"]),
        ("torchvision:fasterrcnn_resnet50_fpn", ["Only its classifiers", "docs/detection.md"]),
    ],
)
def test_names_that_are_not_known(command: Command, spec: str, says: list[str]) -> None:
    command.refuses_build(spec, says=says)


def test_another_task_is_refused_with_what_to_build(command: Command) -> None:
    """Told before the library is asked for."""
    command.refuses_build(
        "torchvision:anything",
        "--task",
        "image-segmentation",
        says=["for the task image-classification", "package.module:function", "docs/sources.md"],
    )
