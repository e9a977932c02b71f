"""From a picture to its depths: those of transformers, drawn, scored and refused on the real command line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import tiny_depths
from command import QUICK, Command
from edgewright_cli import main
from edgewright_compiler.graphs.exported import copy_graph
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import load
from edgewright_runtime.manifest import COMPONENT, StepSpec
from edgewright_runtime.steps import make_free_step

_SETTINGS = {"image_processor_type": "DPTImageProcessor", "size": {"height": 48, "width": 64}}


class Bright(nn.Module):
    """What is bright is near: right of the scenes here, up to a scale and a shift."""

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(pixel_values, 5, 1, 2).mean(1)


def write_graph(folder: Path) -> Path:
    """An ONNX file with the settings of its processor beside it."""
    folder.mkdir()
    (folder / "preprocessor_config.json").write_text(json.dumps(_SETTINGS), encoding="utf-8")
    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Bright().eval(),
            (torch.zeros(1, 3, 48, 64),),
            folder / "model.onnx",
            input_names=["pixel_values"],
            output_names=["predicted_depth"],
            dynamic_axes={"pixel_values": {0: "n"}},
            dynamo=False,
        )
    return folder / "model.onnx"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with depths: do not write into it."""
    folder = tmp_path_factory.mktemp("scenes")
    tiny_depths.write_scenes(folder / "train", seed=1)
    tiny_depths.write_scenes(folder / "validation", seed=2, count=20)
    return folder


@pytest.fixture(scope="module")
def package(scenes: Path, sources: Path, shared_cache: Path) -> Path:
    """A package of an ONNX file: do not write into it."""
    output = scenes / "bright.ortpackage"
    data = ("--calibration", str(scenes / "train"), "--evaluation", str(scenes / "validation"), "--accept-baseline")
    fixed = ("--target", str(sources / "tiny.toml"), "-o", str(output), *QUICK, "-q")
    graph = write_graph(scenes / "bright")
    assert main(["build", str(graph), "--task", "depth-estimation", *data, *fixed]) == 0
    return output


def test_it_is_run_drawn_and_measured(command: Command, package: Path, scenes: Path, tmp_path: Path) -> None:
    file = scenes / "validation" / "images" / "0.png"
    done = command("run", package, file, "--out", tmp_path / "depth.png", "--json")
    (answer,) = json.loads(done.out)["answers"]
    with Image.open(file) as picture, Image.open(tmp_path / "depth.png") as drawn:
        assert (drawn.mode, drawn.size) == ("L", picture.size)
        assert (answer["depth"]["width"], answer["depth"]["height"]) == picture.size
        assert np.asarray(drawn).min() == 0
        assert np.asarray(drawn).max() == 255
    with load(package, engine="tiny-cpu-fp32") as model:
        found = model(file)
    assert found["kind"] == "relative"
    assert answer["depth"]["most"] == pytest.approx(found["values"].max(), abs=0.1)
    (line,) = command("run", package, file, "-q").out.splitlines()
    assert line.startswith("relative depth (larger is nearer) from ")
    done = command("bench", package, "--data", scenes / "validation", "--json", *QUICK)
    assert done.code == 0, done.err
    accuracy = json.loads(done.out)["engines"][0]["accuracy"]
    assert list(accuracy["metrics"]) == ["delta_1", "abs_rel", "depth_rmse"]
    # Brightness is what the scenes show their depth by; a network that has not learnt it would be far below.
    assert accuracy["metrics"]["delta_1"]["value"] > 0.7
    assert "have no ground truth" in done.err
    done = command("bench", package, "--data", scenes / "validation" / "images", *QUICK, "--json")
    assert next(iter(json.loads(done.out)["engines"][0]["accuracy"]["metrics"])) == "agreement"
    assert command("verify", package).code == 0


def test_bad_input(command: Command, package: Path, scenes: Path, tmp_path: Path) -> None:
    lying = tmp_path / "lying.png"
    lying.write_text("no picture", encoding="utf-8")
    command.refuses("run", package, lying, says=["lying.png' is not an image"])
    graph = write_graph(tmp_path / "odd")
    (graph.parent / "config.json").write_text('{"depth_estimation_type": "near"}', encoding="utf-8")
    data = ("--task", "depth-estimation", "--evaluation", scenes / "validation")
    command.refuses_build(graph, *data, says=["its depth_estimation_type is 'near'", "metric, relative"])


def test_what_the_numbers_are_is_read_beside_the_file(scenes: Path, tmp_path: Path) -> None:
    graph = write_graph(tmp_path / "metres")
    for config, kind in (
        ({"model_type": "glpn"}, "metric"),
        ({"depth_estimation_type": "metric"}, "metric"),
        ({}, "relative"),
    ):
        (graph.parent / "config.json").write_text(json.dumps(config), encoding="utf-8")
        source: Any = open_source(str(graph), SourceOptions("depth-estimation"))
        (step,) = source._processor.answer(("predicted_depth",))
        assert step.options["kind"] == kind


@pytest.mark.parametrize("family", ["depth-anything"])
@pytest.mark.slow
def test_depths_are_those_of_transformers(scenes: Path, tmp_path: Path, family: str) -> None:
    import onnxruntime
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    folder = tiny_depths.write_checkpoint(tmp_path / family, family)
    source: Any = open_source(str(folder), SourceOptions())
    assert source.task == "depth-estimation"
    (tmp_path / "out").mkdir()
    source.export(tmp_path / "out")
    session = onnxruntime.InferenceSession(copy_graph(tmp_path / "out" / COMPONENT, tmp_path / "graph"))
    loader: Any = AutoImageProcessor
    processor: Any = loader.from_pretrained(folder, backend="pil")
    net: Any = AutoModelForDepthEstimation.from_pretrained(folder)
    exported = source._opened._processor
    *before, last = (make_free_step(step) for step in (*exported.steps(("pixels",)), *exported.answer(("depth",))))
    assert isinstance(exported.answer(("depth",))[0], StepSpec)
    for index in range(6):
        with Image.open(scenes / "validation" / "images" / f"{index}.png") as opened:
            # Wide ones and high ones: their sizes differ where a model keeps proportions.
            picture = opened.convert("RGB").resize((150, 100 + 20 * index))
        values: dict[str, Any] = {"image": picture}
        for step in before:
            values |= step(values)
        (values["depth"],) = session.run(None, {session.get_inputs()[0].name: values["pixels"]})
        with torch.no_grad():
            answer = net.eval()(**processor(picture, return_tensors="pt"))
        (expected,) = processor.post_process_depth_estimation(answer, target_sizes=[picture.size[::-1]])
        theirs, mine = expected["predicted_depth"].numpy(), last(values)["depth"]["values"]
        assert mine.shape == theirs.shape
        assert np.abs(mine - theirs).max() < 1e-3 * max(1, np.abs(theirs).max())
        assert np.ptp(theirs) > 0
