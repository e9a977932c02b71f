"""Masks of things: their figures, and ground truth that does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import jaccard_score

import tiny_prompted
from edgewright_benchmarks.data import Dataset, read_dataset
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

TASK = find_task("mask-generation")


def outputs(answers: list[Any]) -> list[dict[str, Any]]:
    return [{"pred_masks": np.zeros(1, np.float32), ANSWER: pack_answer(answer)} for answer in answers]


def proposed(*masks: Any) -> list[Any]:
    return [{"score": 1 - place / 10, "share": float(mask.mean()), "mask": mask} for place, mask in enumerate(masks)]


def test_the_figures_are_scikit_learn_s(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    right = [random.random((9, 12)) < 0.4 for _ in range(20)]
    paths = [tmp_path / f"{index}.png" for index in range(20)]
    for path, mask in zip(paths, right, strict=True):
        Image.fromarray(mask.astype(np.uint8) * 255).save(path)
    off, more = ([mask ^ (random.random(mask.shape) < part) for mask in right] for part in (0.3, 0.1))
    exact = outputs([proposed(mask) for mask in right])
    found = outputs([proposed(*pair) for pair in zip(off, more, strict=True)])
    accuracy = score(TASK.labelled, found, paths, exact, max_drop=0.01)
    overlaps = np.array(
        [
            [jaccard_score(mask.ravel(), guess.ravel()) for guess in pair]
            for mask, *pair in zip(right, off, more, strict=True)
        ]
    )
    assert accuracy.metrics["surest_mask_iou"].value == pytest.approx(overlaps[:, 0].mean())
    assert accuracy.metrics["best_mask_iou"].value == pytest.approx(overlaps.max(axis=1).mean())
    assert accuracy.drop.value == pytest.approx(1 - overlaps[:, 0].mean())
    assert score(TASK.unlabelled, found, None, exact).metrics["agreement"].value == pytest.approx(overlaps[:, 0].mean())
    broken = outputs([proposed(mask) for mask in right])
    broken[0]["pred_masks"] = np.array([np.nan], np.float32)
    assert score(TASK.labelled, broken, paths, exact).metrics["surest_mask_iou"].value == pytest.approx(0.95)
    nothing = outputs([proposed(np.zeros((3, 3), bool))] * 20)
    assert score(TASK.unlabelled, nothing, None, nothing).metrics["agreement"].value == 1
    with pytest.raises(InputError, match=r"Sample 1: its mask is \(9, 12\), the predicted one \(3, 3\)"):
        score(TASK.labelled, nothing, paths, exact)
    with pytest.raises(InputError, match="scored by the pipeline's output"):
        score(TASK.labelled, [{"pred_masks": np.zeros(1)}] * 20, paths, exact)


def read(path: Path) -> Dataset:
    return read_dataset(path, task="mask-generation", input_name="image+points+box")


def test_what_is_read(tmp_path: Path) -> None:
    table = tiny_prompted.write_things(tmp_path / "data", count=3)
    found = read(table)
    assert found.labels == tuple(tmp_path / "data" / "masks" / f"{index}.png" for index in range(3))
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    assert found.samples[1] == {
        "image": tmp_path / "data" / "images" / "1.png",
        "points": rows[1]["points"],
        "box": rows[1]["box"],
    }
    assert "box" not in found.samples[0]
    assert found.samples[0]["points"] == rows[0]["points"]


def test_ground_truth_that_does_not_fit(tmp_path: Path) -> None:
    table = tiny_prompted.write_things(tmp_path / "data", count=2)
    mask = tmp_path / "data" / "masks" / "1.png"
    with Image.open(mask) as opened:
        width, height = opened.size

    def refuses(says: str) -> None:
        with pytest.raises(InputError, match=says):
            read(table)

    Image.new("L", (width, height)).save(mask)
    refuses("the mask '1.png' is 0 everywhere")
    Image.new("L", (width + 1, height), 255).save(mask)
    refuses(f"the mask '1.png' is {width + 1} x {height}, its picture {width} x {height}")
    Image.new("RGB", (width, height), "white").save(mask)
    refuses("has the mode RGB; a mask has one channel")
    row = {"image": "images/0.png", "points": [[1, 2, 5]], "mask": "masks/0.png"}
    table.write_text(json.dumps(row), encoding="utf-8")
    refuses(r"points must be a list of \[x, y\]")
