"""From a picture to its mask: the masks of transformers, drawn, scored and refused on the real command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import tiny_segmenters
from command import QUICK, Command
from edgewright_benchmarks.truth.masks import read_mask
from edgewright_cli import main
from edgewright_compiler.graphs.exported import copy_graph
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import load
from edgewright_runtime.manifest import COMPONENT
from photos import photos


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with masks: do not write into it."""
    folder = tmp_path_factory.mktemp("scenes")
    tiny_segmenters.write_scenes(folder / "train", seed=1)
    tiny_segmenters.write_scenes(folder / "validation", seed=2, count=20)
    return folder


@pytest.fixture(scope="module")
def segformer(scenes: Path) -> Path:
    """A checkpoint: do not write into it."""
    return tiny_segmenters.write_checkpoint(scenes / "segformer", "segformer")


@pytest.fixture(scope="module")
def package(segformer: Path, scenes: Path, sources: Path, shared_cache: Path) -> Path:
    """A package of the checkpoint: do not write into it."""
    output = scenes / "segformer.ortpackage"
    data = ("--calibration", str(scenes / "train"), "--evaluation", str(scenes / "validation"), "--accept-baseline")
    fixed = ("--target", str(sources / "tiny.toml"), "-o", str(output), *QUICK, "-q")
    assert main(["build", str(segformer), *data, *fixed]) == 0
    return output


def test_masks_are_those_of_transformers(segformer: Path, package: Path, scenes: Path, tmp_path: Path) -> None:
    from transformers import SegformerForSemanticSegmentation, SegformerImageProcessorPil

    processor: Any = SegformerImageProcessorPil.from_pretrained(segformer)
    net: Any = SegformerForSemanticSegmentation.from_pretrained(segformer)
    files = sorted((scenes / "validation" / "images").iterdir())
    for index, photo in enumerate(photos()):
        files.append(tmp_path / f"{index}.jpg")
        Image.fromarray(photo).save(files[-1])
    with load(package, engine="tiny-cpu-fp32") as model:
        for file in files:
            with Image.open(file) as opened:
                picture = opened.convert("RGB")
            with torch.no_grad():
                answer = net.eval()(**processor(picture, return_tensors="pt"))
            (expected,) = processor.post_process_semantic_segmentation(answer, target_sizes=[picture.size[::-1]])
            found = model(file)
            # The graph adds up in its own order, so that a tie of two classes may fall to either side.
            assert (found["mask"] != expected.numpy()).mean() < 1e-4
            assert sum(segment["share"] for segment in found["segments"]) == pytest.approx(1)


def test_it_is_run_drawn_and_measured(command: Command, package: Path, scenes: Path, tmp_path: Path) -> None:
    file = scenes / "validation" / "images" / "0.png"
    done = command("run", package, file, "--out", tmp_path / "mask.png", "--json")
    (answer,) = json.loads(done.out)["answers"]
    assert all(set(segment) == {"label", "index", "share"} for segment in answer["segmentation"])
    drawn, picture = (np.asarray(Image.open(path)) for path in (tmp_path / "mask.png", file))
    assert drawn.shape == picture.shape
    assert (drawn != picture).any()
    lines = command("run", package, file, "-q").out.splitlines()
    assert len(lines) == len(answer["segmentation"])
    assert lines[0].endswith("% of the picture")
    done = command("bench", package, "--data", scenes / "validation", "--json", *QUICK)
    assert done.code == 0, done.err
    accuracy = json.loads(done.out)["engines"][0]["accuracy"]
    assert list(accuracy["metrics"]) == ["mean_iou", "pixel_accuracy"]
    assert accuracy["samples"] == 20
    pictures = ("--data", scenes / "validation" / "images", *QUICK)
    done = command("bench", package, *pictures, "--json")
    assert next(iter(json.loads(done.out)["engines"][0]["accuracy"]["metrics"])) == "agreement"
    assert command("verify", package).code == 0


def test_other_labels_than_the_graph_has(command: Command, scenes: Path, sources: Path) -> None:
    folder = tiny_segmenters.write_checkpoint(scenes / "short", "segformer")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    labels = scenes / "short.txt"
    labels.write_text("a\nb\n", encoding="utf-8")
    data = ("--evaluation", scenes / "validation" / "images", "--labels", labels)
    command.refuses_build(folder, *data, says=["there are 2 labels, but the model has 4"])
    assert len(config["id2label"]) == 4


@pytest.mark.parametrize("family", ["upernet"])
@pytest.mark.slow
def test_the_graphs_of_other_families(scenes: Path, tmp_path: Path, family: str) -> None:
    import onnxruntime

    source = open_source(str(tiny_segmenters.write_checkpoint(tmp_path / family, family)), SourceOptions())
    (tmp_path / "out").mkdir()
    source.export(tmp_path / "out")
    session = onnxruntime.InferenceSession(copy_graph(tmp_path / "out" / COMPONENT, tmp_path / "graph"))
    assert source.task == "image-segmentation"
    file = scenes / "validation" / "images" / "0.png"
    (expected,) = source.reference([file])
    feeds = source._opened._processor.feeds(file)  # type: ignore[attr-defined]
    (made,) = session.run(None, feeds)
    assert np.abs(made - expected["logits"]).max() < 1e-3 * max(1, np.abs(made).max())


_TORCH = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 4, 1))

    def forward(self, pixels):
        return {"out": self.body(pixels)}


def net():
    settings = {"image_processor_type": "ViTImageProcessor", "size": {"height": 40, "width": 48}}
    return Net(), torch.zeros(2, 3, 40, 48), settings
"""


@pytest.mark.slow
def test_a_torch_module(command: Command, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny_torch_masks.py").write_text(_TORCH, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(tiny_segmenters.LABELS), encoding="utf-8")
    fixed = ("--task", "image-segmentation", "--target", command.target, "-o", command.folder / "p", *QUICK, "-q")
    data = (
        "--evaluation",
        scenes / "validation",
        "--calibration",
        scenes / "train",
        "--labels",
        labels,
        "--accept-baseline",
    )
    done = command("build", "tiny_torch_masks:net", *data, *fixed)
    assert done.code == 0, done.err
    with load(command.folder / "p") as model:
        file = scenes / "validation" / "images" / "0.png"
        assert model(file)["mask"].shape == read_mask(scenes / "validation" / "masks" / "0.png").shape
    labels.write_text("one\ntwo", encoding="utf-8")
    pictures = ("--evaluation", scenes / "validation" / "images", "--labels", labels, "--task", "image-segmentation")
    command.refuses_build("tiny_torch_masks:net", *pictures, says=["there are 2 labels, but the module gives 4 scores"])
