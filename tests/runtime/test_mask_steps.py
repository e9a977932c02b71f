"""Masks are, pixel by pixel, what transformers makes of the same scores."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import SegformerImageProcessorPil

from edgewright_runtime import SampleError
from edgewright_runtime.steps.image.masks import SegmentImage, best_classes


def smooth(classes: int, rows: int, columns: int, seed: int) -> Any:
    """Scores of a few blobs, as a trained model gives them."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns] / max(rows, columns)
    places, sharpness = random.random((classes, 2)), random.uniform(2, 20, classes)
    scores = [-sharp * np.hypot(y - at[0], x - at[1]) for at, sharp in zip(places, sharpness, strict=True)]
    return (np.array(scores) + random.normal(0, 0.02, (classes, rows, columns))).astype(np.float32)


@pytest.mark.parametrize("size", [(97, 61), (32, 24), (20, 50), (333, 500), (1, 7)])
@pytest.mark.parametrize("classes", [1, 2, 21])
def test_the_source_s_own_masks(size: tuple[int, int], classes: int) -> None:
    rough = np.random.default_rng(classes).normal(0, 1, (classes, 32, 24)).astype(np.float32)
    for scores in (smooth(classes, 32, 24, 1), smooth(classes, 16, 40, 2), rough):
        outputs: Any = SimpleNamespace(logits=torch.from_numpy(scores)[None])
        post_process: Any = SegformerImageProcessorPil().post_process_semantic_segmentation
        (expected,) = post_process(outputs, target_sizes=[size])
        made = best_classes(scores, *size)
        assert made.dtype == np.uint8
        assert np.array_equal(made, expected.numpy())


def test_many_classes() -> None:
    assert best_classes(smooth(300, 8, 8, 3), 20, 30).dtype == np.uint16


def step(labels: tuple[str, ...] = ("sky", "sea", "sand")) -> SegmentImage:
    package: Any = SimpleNamespace(manifest=SimpleNamespace(labels=labels))
    return SegmentImage(package, logits="x")


def test_what_a_person_gets() -> None:
    scores = np.zeros((1, 3, 2, 4), dtype=np.float32)
    scores[0, 2, :, 1:] = 1
    found = step()({"x": scores, "image_size": (2, 4)})["segmentation"]
    assert found["mask"].tolist() == [[0, 2, 2, 2]] * 2
    assert found["segments"] == [
        {"label": "sand", "index": 2, "share": 0.75},
        {"label": "sky", "index": 0, "share": 0.25},
    ]


@pytest.mark.parametrize("shape", [(1, 2, 4, 4), (1, 3, 4), (1, 3, 0, 4)])
def test_scores_of_something_else(shape: tuple[int, ...]) -> None:
    with pytest.raises(SampleError, match="expected scores of 3 labels"):
        step()({"x": np.zeros(shape, np.float32), "image_size": (4, 4)})


@pytest.mark.parametrize("cut", [0.0, 0.5])
def test_one_channel_tells_two_classes_apart(cut: float) -> None:
    """The best of one channel is always it: every mask was empty."""
    package: Any = SimpleNamespace(manifest=SimpleNamespace(labels=("background", "stamp")))
    scores = np.random.default_rng(0).uniform(cut - 0.5, cut + 0.5, size=(1, 1, 6, 6)).astype(np.float32)
    step = SegmentImage(package, logits="z", cut=cut)
    mask = step({"z": scores, "image_size": (6, 6)})["segmentation"]["mask"]
    assert np.array_equal(mask, scores[0, 0] > cut)
    larger = step({"z": scores, "image_size": (12, 18)})["segmentation"]["mask"]
    whole = torch.nn.functional.interpolate(torch.tensor(scores), (12, 18), mode="bilinear", align_corners=False)
    assert np.array_equal(larger, whole[0, 0].numpy() > cut)
