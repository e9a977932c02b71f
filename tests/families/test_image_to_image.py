"""From a small picture to a large one: the pixels of torch, drawn, scored and refused on the real command line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import metrics

import tiny_enlargers
from command import QUICK, Command
from edgewright_benchmarks.data import read_dataset
from edgewright_benchmarks.tasks import find_task
from edgewright_cli import main
from edgewright_runtime import load
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

TASK = find_task("image-to-image")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small pictures with large ones: do not write into it."""
    return tiny_enlargers.write_pairs(tmp_path_factory.mktemp("pairs") / "data")


@pytest.fixture(scope="module")
def package(pairs: Path, sources: Path, shared_cache: Path) -> Path:
    """A package of an ONNX file: do not write into it."""
    output = pairs.parent / "larger.ortpackage"
    graph = tiny_enlargers.write_graph(pairs.parent / "larger")
    data = ("--calibration", str(pairs / "images"), "--evaluation", str(pairs), "--accept-baseline")
    fixed = ("--target", str(sources / "tiny.toml"), "-o", str(output), *QUICK, "-q")
    assert main(["build", str(graph), "--task", "image-to-image", *data, *fixed]) == 0
    return output


def opened(path: Path) -> Any:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_it_is_run_drawn_and_measured(command: Command, package: Path, pairs: Path, tmp_path: Path) -> None:
    with load(package, engine="tiny-cpu-fp32") as model:
        for index in range(4):
            small = opened(pairs / "images" / f"{index}.png")
            with torch.no_grad():
                whole = tiny_enlargers.network()(torch.from_numpy(small.copy()).permute(2, 0, 1)[None] / 255)
            expected = whole[0].permute(1, 2, 0).numpy() * 255
            found = model(pairs / "images" / f"{index}.png")
            # Half a level is rounding.
            assert np.abs(found - expected).max() <= 0.51
    done = command("run", package, pairs / "images" / "0.png", "--out", tmp_path / "large.png")
    assert done.code == 0, done.err
    assert opened(tmp_path / "large.png").shape == opened(pairs / "targets" / "0.png").shape
    done = command("bench", package, "--data", pairs, "--json", *QUICK)
    accuracy = json.loads(done.out)["engines"][0]["accuracy"]
    assert list(accuracy["metrics"]) == ["ssim", "psnr"]
    assert 0.8 < accuracy["metrics"]["ssim"]["value"] < 1
    done = command("bench", package, "--data", pairs / "images", *QUICK, "--json")
    assert next(iter(json.loads(done.out)["engines"][0]["accuracy"]["metrics"])) == "agreement"


def test_the_figures_are_scikit_image_s(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    right = [random.integers(0, 256, (12, 14, 3)).astype(np.uint8) for _ in range(20)]
    paths = [tmp_path / f"{index}.png" for index in range(20)]
    for path, picture in zip(paths, right, strict=True):
        Image.fromarray(picture).save(path)
    noisy = [np.clip(one + random.normal(0, 20, one.shape), 0, 255).astype(np.uint8) for one in right]

    def outputs(pictures: list[Any]) -> list[dict[str, Any]]:
        return [{"x": np.zeros(1), ANSWER: pack_answer(one)} for one in pictures]

    found = score(TASK.labelled, outputs(noisy), paths, outputs(right)).metrics
    each = [metrics.structural_similarity(a, b, channel_axis=-1) for a, b in zip(noisy, right, strict=True)]  # type: ignore[no-untyped-call]
    assert found["ssim"].value == pytest.approx(np.mean(each))
    errors = [((a.astype(float) - b) ** 2).mean() for a, b in zip(noisy, right, strict=True)]
    assert found["psnr"].value == pytest.approx(10 * math.log10(255**2 / np.mean(errors)))
    broken = outputs(right)
    broken[0]["x"] = np.array([np.nan])
    assert score(TASK.labelled, broken, paths, outputs(right)).metrics["ssim"].value == pytest.approx(0.95)
    with pytest.raises(InputError, match="Sample 1: its target is 14 x 12, the picture that the model makes 14 x 11"):
        score(TASK.labelled, outputs([one[1:] for one in right]), paths, outputs(right))


def test_bad_input(command: Command, package: Path, tmp_path: Path) -> None:
    folder = tiny_enlargers.write_pairs(tmp_path / "data", count=2)
    target = folder / "targets" / "1.png"
    width, height = opened(folder / "images" / "1.png").shape[1::-1]

    def refuses(says: str) -> None:
        with pytest.raises(InputError, match=says):
            read_dataset(folder, task="image-to-image", input_name="image")

    assert len(read_dataset(folder, task="image-to-image", input_name="image").labels or ()) == 2
    Image.new("RGB", (2 * width, 3 * height)).save(target)
    refuses(f"the target '1.png' is {2 * width} x {3 * height}, its picture {width} x {height}; expected that size")
    target.write_text("no picture", encoding="utf-8")
    refuses("the target cannot be read: .*1.png' is not an image")
    command.refuses("run", package, target, says=["1.png' is not an image"])
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text('{"model_type": "swin2sr"}', encoding="utf-8")
    (checkpoint / "preprocessor_config.json").write_text(json.dumps(tiny_enlargers.SETTINGS), encoding="utf-8")
    says = ["cannot be built from a checkpoint of transformers", "Build it from an .onnx file"]
    command.refuses_build(checkpoint, "--task", "image-to-image", says=says)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"do_normalize": True, "image_mean": [0.4, 0.5, 0.6], "image_std": [1, 1, 1]},
            ["a mean or a deviation for each channel", "Set image_mean and image_std to the same value"],
        ),
        (
            {"do_normalize": True, "image_mean": [0.5] * 3, "image_std": [-0.5] * 3},
            ["makes 1 of black and -1 of white"],
        ),
        ({"do_rescale": True, "rescale_factor": 0}, ["makes 0 of black and 0 of white", "above 0"]),
        (
            {"image_processor_type": "MobileViTImageProcessor", "do_flip_channel_order": True},
            ["swaps red and blue (do_flip_channel_order)", "Swap them inside the model"],
        ),
    ],
    ids=["channels", "negative", "all the same", "swapped"],
)
def test_scales_that_cannot_be_told(command: Command, tmp_path: Path, more: dict[str, Any], says: list[str]) -> None:
    folder = tiny_enlargers.write_pairs(tmp_path / "data", count=2)
    graph = tiny_enlargers.write_graph(tmp_path / "odd")
    (graph.parent / "preprocessor_config.json").write_text(json.dumps(tiny_enlargers.SETTINGS | more), encoding="utf-8")
    command.refuses_build(graph, "--task", "image-to-image", "--evaluation", folder / "images", says=says)
