"""Figures of depth are those of their papers' code; ground truth that cannot be is refused, what is missing counted."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import tiny_depths
from edgewright_benchmarks.accuracy.depth import aligned
from edgewright_benchmarks.data import DataWarning, read_dataset
from edgewright_benchmarks.tasks import find_task
from edgewright_benchmarks.truth.depths import read_depth
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

TASK = find_task("depth-estimation")


def depths(count: int, seed: int) -> list[Any]:
    random = np.random.default_rng(seed)
    found = [random.uniform(1, 9, random.integers(8, 20, 2)).astype(np.float32) for _ in range(count)]
    for depth in found:
        depth[0] = 0
    return found


def write(folder: Path, found: list[Any]) -> list[Path]:
    paths = [folder / f"{index}.npy" for index in range(len(found))]
    for path, depth in zip(paths, found, strict=True):
        np.save(path, depth)
    return paths


def outputs(found: list[Any], kind: str) -> list[dict[str, Any]]:
    return [{"depth": one, ANSWER: pack_answer({"kind": kind, "values": one.astype(np.float32)})} for one in found]


def by_midas(prediction: Any, target: Any) -> Any:
    """Depths as the evaluation that MiDaS publishes makes them, in torch: isl-org/MiDaS, `compute_scale_and_shift`."""
    prediction, target = torch.from_numpy(prediction).double(), torch.from_numpy(target).double()
    mask = (target > 0).double()
    wanted = torch.zeros_like(target)
    wanted[mask == 1] = 1 / target[mask == 1]
    a_00, a_01, a_11 = (mask * prediction**2).sum(), (mask * prediction).sum(), mask.sum()
    b_0, b_1 = (mask * prediction * wanted).sum(), (mask * wanted).sum()
    det = a_00 * a_11 - a_01 * a_01
    scale, shift = (a_11 * b_0 - a_01 * b_1) / det, (-a_01 * b_0 + a_00 * b_1) / det
    found = scale * prediction + shift
    cap = 1 / target.max()
    found[found < cap] = cap
    return (1 / found).numpy()


@pytest.mark.parametrize("kind", ["metric", "relative"])
def test_the_figures_are_those_of_the_papers(tmp_path: Path, kind: str) -> None:
    truth = depths(30, 1)
    random = np.random.default_rng(2)
    noisy = [one + random.normal(0, 0.8, one.shape) for one in truth]
    found = noisy if kind == "metric" else [7 + 40 / np.maximum(one, 0.7) for one in noisy]
    near, relative, root = [], [], []
    for one, right in zip(found, truth, strict=True):
        made = one if kind == "metric" else by_midas(one.astype(np.float32), right)
        d, t = made[right > 0], right[right > 0].astype(np.float64)
        near.append((np.maximum(d / t, np.where(d > 0, t / d, np.inf)) < 1.25).mean())
        relative.append((np.abs(d - t) / t).mean())
        root.append(np.sqrt(((d - t) ** 2).mean()))
    exact = outputs([np.maximum(one, 1) if kind == "metric" else 1 / np.maximum(one, 1) for one in truth], kind)
    accuracy = score(TASK.labelled, outputs(found, kind), write(tmp_path, truth), exact, max_drop=0.01)
    expected = {"delta_1": np.mean(near), "abs_rel": np.mean(relative), "depth_rmse": np.mean(root)}
    for name, value in expected.items():
        assert accuracy.metrics[name].value == pytest.approx(value, rel=1e-4)
        assert accuracy.metrics[name].low < value < accuracy.metrics[name].high
    assert 0.3 < expected["delta_1"] < 0.95
    assert accuracy.drop.value == pytest.approx(1 - expected["delta_1"], abs=1e-6)


def test_scale_and_shift_do_not_count_and_a_constant_is_no_depth() -> None:
    truth = np.random.default_rng(0).uniform(1, 9, 400)
    assert np.allclose(aligned(3 + 50 / truth, truth), truth)
    flat = aligned(np.full(400, 2.0), truth)
    assert np.allclose(flat, 1 / (1 / truth).mean())


def test_predictions_that_are_not_numbers(tmp_path: Path) -> None:
    truth = depths(4, 1)
    paths = write(tmp_path, truth)
    right = outputs([np.maximum(one, 1) for one in truth], "metric")
    broken = outputs([np.full_like(truth[0], np.nan), *(np.maximum(one, 1) for one in truth[1:])], "metric")
    accuracy = score(TASK.labelled, broken, paths, right)
    assert accuracy.metrics["delta_1"].value == pytest.approx(0.75)
    assert list(accuracy.metrics) == ["delta_1"]
    assert score(TASK.unlabelled, broken, None, right).metrics["agreement"].value == pytest.approx(0.75)
    assert score(TASK.unlabelled, right, None, right).metrics["agreement"].value == pytest.approx(1)
    with pytest.raises(InputError, match="Depths are scored by the pipeline's output"):
        score(TASK.labelled, [{"depth": np.zeros(1)}] * 4, paths, right)
    with pytest.raises(InputError, match=r"Sample 1: its depth map is .* the predicted one"):
        score(TASK.labelled, outputs([one[1:] for one in truth], "metric"), paths, right)


def read(path: Path) -> Any:
    return read_dataset(path, task="depth-estimation", input_name="image")


def test_missing_depths_are_counted_and_left_out(tmp_path: Path) -> None:
    folder = tiny_depths.write_scenes(tmp_path / "data", count=4)
    maps = sorted((folder / "depths").iterdir())
    pixels, missing = (sum(of(read_depth(path)) for path in maps) for of in (np.size, lambda one: np.isnan(one).sum()))
    with pytest.warns(DataWarning, match=rf"{missing:,} of {pixels:,} pixels \(.*%\) have no ground truth"):
        data = read(folder)
    assert [path.name for path in data.labels] == ["0.tiff", "1.npy", "2.tiff", "3.npy"]
    depth = np.load(folder / "depths" / "1.npy")
    for value in (np.nan, np.inf, -1.0):
        depth[:, :3] = value
        np.save(folder / "depths" / "1.npy", depth)
        assert np.isnan(read_depth(folder / "depths" / "1.npy")[:, :3]).all()
    for path in maps:
        whole = np.ones(read_depth(path).shape)
        path.unlink()
        np.save(path.with_suffix(".npy"), whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read(folder).labels) == 4
    table = tmp_path / "table.csv"
    table.write_text("image,depth\ndata/images/1.png,data/depths/1.npy\n", encoding="utf-8")
    assert read(table).labels == (folder / "depths" / "1.npy",)


def test_whole_numbers_of_16_bits(tmp_path: Path) -> None:
    values = np.array([[0, 1], [1000, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    expected = np.array([[np.nan, 1], [1000, 65535]])
    assert np.array_equal(read_depth(tmp_path / "deep.png"), expected, equal_nan=True)


def test_depth_maps_that_do_not_fit(tmp_path: Path) -> None:
    folder = tiny_depths.write_scenes(tmp_path / "data", count=2)
    path = folder / "depths" / "1.npy"
    depth = np.load(path)
    height, width = depth.shape

    def refuses(says: str) -> None:
        with pytest.raises(InputError, match=says):
            read(folder)

    np.save(path, np.ones((height, width + 1)))
    refuses(f"the depth map '1.npy' is {width + 1} x {height}, its picture {width} x {height}")
    np.save(path, np.full_like(depth, np.nan))
    refuses("the depth map '1.npy' has no depth at all")
    np.save(path, depth[None])
    refuses(r"is float32 \[1, .*a depth map is numbers, \[height, width\]")
    path.write_bytes(b"no array")
    refuses("cannot be read; it may be cut off")
    path.unlink()
    Image.new("RGB", (width, height)).save(path.with_suffix(".png"))
    refuses("has the mode RGB; a depth map has one channel, of distances")
    path.with_suffix(".png").write_bytes(b"no picture")
    refuses("is not a lossless image")


def test_a_damaged_picture_of_depths(tmp_path: Path) -> None:
    path = tmp_path / "deep.tiff"
    Image.fromarray(np.ones((4, 6), np.uint8)).save(path)
    assert np.array_equal(read_depth(path), np.ones((4, 6)))
    damaged = bytearray(path.read_bytes())
    # The type of the tag that says where the pixels are: bytes instead of numbers, which Pillow does not expect.
    damaged[damaged.index(b"\x11\x01") + 2] = 7
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"deep\.tiff' cannot be read; it may be cut off"):
        read_depth(path)
