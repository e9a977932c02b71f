"""Masks and videos from an ONNX file with the files of its processor beside it."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import tiny_images
import tiny_segmenters
import tiny_videos
from command import Command
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import Model, load

# Each exports with torch and compares with the file.
pytestmark = pytest.mark.slow


class OfFrames(nn.Module):
    """Scores of a video: each frame's own, averaged."""

    def __init__(self, of_picture: nn.Module) -> None:
        super().__init__()
        self.of_picture = of_picture

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        batch, frames = video.shape[:2]
        scores: torch.Tensor = self.of_picture(video.flatten(0, 1)).mean((2, 3))
        return scores.reshape(batch, frames, -1).mean(1)


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 4, 1)).eval()


def _drafted(network: nn.Module, example: torch.Tensor, path: Path, evaluation: Path, **options: Any) -> Model:
    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            path,
            input_names=["pixel_values"],
            output_names=["logits"],
            dynamic_axes={"pixel_values": {0: "n"}},
            dynamo=False,
        )
    output = path.parent / "p"
    (job,) = read_jobs(str(path), BuildOptions(output=output, evaluation=evaluation, **options))
    # The export is compared with the file on the data.
    draft_package(job, output, StageCache(), Quiet())
    return load(output)


def test_masks(tmp_path: Path, sources: Path) -> None:
    settings = {"image_processor_type": "ViTImageProcessor", "size": {"height": 40, "width": 48}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    scenes = tiny_segmenters.write_scenes(tmp_path / "scenes", count=4)
    options = {"task": "image-segmentation", "labels": tiny_segmenters.LABELS, "targets": (str(sources / "tiny.toml"),)}
    with _drafted(_network(), torch.zeros(1, 3, 40, 48), tmp_path / "masks.onnx", scenes, **options) as model:
        values = model.run(scenes / "images" / "0.png")
        with torch.no_grad():
            scores = _network()(torch.from_numpy(values["pixel_values"]))
        assert np.allclose(values["outputs"]["logits"], scores, atol=1e-4)
        found = model(scenes / "images" / "0.png")
        assert found["mask"].shape == values["image_size"]


def test_videos(command: Command, tmp_path: Path, sources: Path) -> None:
    tiny_videos.write_checkpoint(tmp_path / "checkpoint")
    motions = tiny_videos.write_motions(tmp_path / "motions", each=3)
    path = tmp_path / "motions.onnx"
    for name in ("preprocessor_config.json", "config.json"):
        (tmp_path / name).write_bytes((tmp_path / "checkpoint" / name).read_bytes())
    options = {
        "task": "video-classification",
        "labels": tiny_videos.LABELS,
        "targets": (str(sources / "tiny.toml"),),
    }
    example = torch.zeros(1, tiny_videos.FRAMES, 3, tiny_videos.EDGE, tiny_videos.EDGE)
    with _drafted(OfFrames(_network()), example, path, motions, **options) as model:
        values = model.run(motions / "left" / "0.mp4", top_k=4)
        with torch.no_grad():
            scores = OfFrames(_network())(torch.from_numpy(values["pixel_values"]))[0].softmax(-1)
        found = {entry["label"]: entry["score"] for entry in values["labels"]}
        assert [found[label] for label in tiny_videos.LABELS] == pytest.approx(scores.tolist(), abs=1e-3)
    (tmp_path / "config.json").unlink()
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(tiny_videos.LABELS), encoding="utf-8")
    more = ("--task", "video-classification", "--labels", labels, "--evaluation", motions)
    command.refuses_build(path, *more, says=["the task video-classification needs config.json beside the file"])


def test_a_folder_as_optimum_exports_it(tmp_path: Path) -> None:
    graph = tiny_images.write_onnx(tmp_path / "colours" / "onnx")
    for name in ("model.onnx", "model_quantized.onnx", "model_q4.onnx"):
        shutil.copy(graph, graph.with_name(name))
    graph.unlink()
    (graph.parent / "preprocessor_config.json").rename(tmp_path / "colours" / "preprocessor_config.json")
    labels = dict(enumerate(tiny_images.LABELS))
    config = {"architectures": ["MobileNetV2ForImageClassification"], "id2label": labels, "num_labels": len(labels)}
    (tmp_path / "colours" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    source = open_source(str(tmp_path / "colours"), SourceOptions())
    assert (source.name, source.task, source.labels) == ("colours", "image-classification", tuple(labels.values()))
    pictures = tiny_images.write_pictures(tmp_path / "pictures", each=1)
    (answer,) = source.reference([next(pictures.rglob("*.png"))])
    assert answer["scores"].shape == (1, len(labels))
