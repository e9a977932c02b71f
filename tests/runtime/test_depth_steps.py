"""Depths are, pixel by pixel, what transformers makes of the same output; sizes are those of its processors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import DPTImageProcessorPil, GLPNImageProcessorPil

from edgewright_runtime import SampleError
from edgewright_runtime.steps.image.depth import ReadDepth, cubic
from edgewright_runtime.steps.image.multiples import ScaleImage


@pytest.mark.parametrize("size", [(97, 61), (32, 24), (20, 50), (333, 500), (1, 7)])
def test_the_source_s_own_depths(size: tuple[int, int]) -> None:
    grid = np.random.default_rng(0).normal(3, 1, (32, 24)).astype(np.float32)
    outputs: Any = SimpleNamespace(predicted_depth=torch.from_numpy(grid)[None])
    for processor in (DPTImageProcessorPil(), GLPNImageProcessorPil()):
        post_process: Any = processor.post_process_depth_estimation
        (expected,) = post_process(outputs, target_sizes=[size])
        made = cubic(grid, *size)
        assert made.dtype == np.float32
        assert made.shape == size
        assert np.abs(made - expected["predicted_depth"].numpy()).max() < 1e-5


@pytest.mark.parametrize("shape", [(4, 6), (1, 4, 6), (1, 1, 4, 6), (1, 4, 6, 1)])
def test_one_map_in_every_form(shape: tuple[int, ...]) -> None:
    values = np.arange(24, dtype=np.float32)
    found = ReadDepth(depth="x", kind="metric")({"x": values.reshape(shape), "image_size": (4, 6)})["depth"]
    assert found["kind"] == "metric"
    assert np.array_equal(found["values"], values.reshape(4, 6))


@pytest.mark.parametrize("shape", [(1, 2, 4, 4), (2, 4, 4), (2, 4, 4, 1), (4,), (1, 1, 0, 4)])
def test_what_is_not_one_map(shape: tuple[int, ...]) -> None:
    with pytest.raises(SampleError, match="expected one map of depths"):
        ReadDepth(depth="x")({"x": np.zeros(shape, np.float32), "image_size": (4, 4)})
    with pytest.raises(ValueError, match="kind is 'near'"):
        ReadDepth(depth="x", kind="near")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1000, 90), (60, 61), (518, 518)])
def test_sizes_are_the_source_s_own(size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size)
    wanted = {"height": 98, "width": 126}
    kept = DPTImageProcessorPil(size=wanted, keep_aspect_ratio=True, ensure_multiple_of=14)
    cut = GLPNImageProcessorPil(size_divisor=32)
    steps = (ScaleImage(filter="bicubic", multiple_of=14, **wanted), ScaleImage(filter="bilinear", multiple_of=32))
    for processor, step in zip((kept, cut), steps, strict=True):
        whole: Any = processor
        expected = whole(picture, return_tensors="np")["pixel_values"].shape[2:]
        image: Any = step({"image": picture})["image"]
        assert (image.height, image.width) == expected
    # Less than a multiple becomes one, where the source fails.
    tiny: Any = steps[1]({"image": Image.new("RGB", (20, 70))})["image"]
    assert tiny.size == (32, 64)
