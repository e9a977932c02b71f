"""The image steps: what they take, what they refuse, and that a damaged file is never anything but a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgewright_runtime import SampleError
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from photos import photos, write_deep, write_kinds


def run(image: Any, *specs: tuple[str, dict[str, Any]]) -> Any:
    values: dict[str, Any] = {"image": image}
    for name, options in specs:
        values |= make_free_step(StepSpec(name, options))(values)
    return values


def decode(image: Any, mode: str = "RGB") -> Any:
    return run(image, ("decode_image", {"mode": mode}))["image"]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_kind_of_file_by_path_and_as_bytes(tmp_path: Path, mode: str) -> None:
    found = list(write_kinds(tmp_path))
    assert len(found) > 10
    for path in found:
        made = decode(path, mode)
        assert made.mode == mode, path.name
        assert made.size == ((107, 160) if path.name == "turned.jpg" else (160, 107)), path.name
        for other in (str(path), path.read_bytes()):
            assert np.array_equal(np.asarray(decode(other, mode)), np.asarray(made)), path.name


def test_arrays_and_pillow_images() -> None:
    (photo, _) = photos()
    made = run(photo, ("decode_image", {}))
    assert np.array_equal(np.asarray(made["image"]), photo)
    assert made["image_size"] == photo.shape[:2]
    given = Image.fromarray(photo)
    assert np.array_equal(np.asarray(decode(given)), photo)
    assert decode(photo[:, :, 0]).mode == "RGB"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"", r"is not an image, or not of a supported kind \(BMP, GIF"),
        (b"text that is not an image", "is not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image"),
        ("missing.jpg", "There is no image 'missing.jpg'"),
        (3, "a path, bytes or an array; found int"),
        (np.zeros((0, 8, 3), np.uint8), r"uint8 of the shape .* found uint8 \[0, 8, 3\]"),
        (np.zeros((8, 8, 3), np.float32), "found float32"),
        (np.zeros((3, 8, 8), np.uint8), r"found uint8 \[3, 8, 8\]"),
        (np.zeros((8, 8, 4), np.uint8), r"found uint8 \[8, 8, 4\]"),
    ],
)
def test_what_is_no_image(given: Any, says: str) -> None:
    with pytest.raises(SampleError, match=says):
        decode(given)


def test_a_folder_and_16_bits(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="cannot be read"):
        decode(tmp_path)
    with pytest.raises(SampleError, match="more than 8 bits per channel"):
        decode(write_deep(tmp_path))


def test_a_picture_that_unpacks_to_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = next(iter(write_kinds(tmp_path)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(SampleError, match="is too large"):
        decode(path)


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    """Cut off anywhere, or with bytes changed: an image comes out, or a SampleError, and nothing else."""
    random = np.random.default_rng(0)
    refused = 0
    for path in write_kinds(tmp_path):
        whole = path.read_bytes()
        with pytest.raises(SampleError):
            decode(whole[: len(whole) // 3])
        for _ in range(20):
            data = bytearray(whole)
            for place in random.integers(0, min(len(data), 400), 6):
                data[place] = random.integers(0, 256)
            try:
                decode(bytes(data))
            except SampleError:
                refused += 1
    assert refused > 50


def test_sizes() -> None:
    (photo, _) = photos()

    def size(*specs: tuple[str, dict[str, Any]]) -> Any:
        return run(photo, ("decode_image", {}), *specs)["image"].size

    assert size(("resize_image", {"filter": "bilinear", "height": 20, "width": 30})) == (30, 20)
    assert size(("resize_image", {"filter": "bicubic", "shortest_edge": 100})) == (149, 100)
    assert size(("crop_image", {"height": 500, "width": 100})) == (100, 500)


def test_what_lies_outside_is_black() -> None:
    made = run(np.full((2, 2, 3), 9, np.uint8), ("decode_image", {}), ("crop_image", {"height": 5, "width": 2}))
    # The larger half of the border is above, where transformers has it.
    assert np.asarray(made["image"])[:, 0, 0].tolist() == [0, 0, 9, 9, 0]


def test_normalize() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20
    options: dict[str, Any] = {
        "output": "pixels",
        "scale": 1 / 255,
        "normalize": [{"mean": [0.5] * 3, "std": [0.25] * 3}],
    }
    made = run(pixels, ("decode_image", {}), ("normalize_image", options))["pixels"]
    assert made.shape == (1, 3, 2, 2)
    assert made.dtype == np.float32
    assert np.allclose(made[0], (np.moveaxis(pixels, -1, 0) / 255 - 0.5) / 0.25, atol=1e-6)
    turned = run(pixels, ("decode_image", {}), ("normalize_image", {"output": "p", "order": "BGR", "shift": 1.0}))["p"]
    assert np.array_equal(turned[0, 0], pixels[:, :, 2] - np.float32(1))


@pytest.mark.parametrize(
    ("step", "options"),
    [
        ("decode_image", {"mode": "P"}),
        ("resize_image", {"filter": "best", "height": 1, "width": 1}),
        ("resize_image", {"filter": "box", "height": 1}),
        ("resize_image", {"filter": "box", "height": 1, "width": 1, "shortest_edge": 1}),
        ("resize_image", {"filter": "box", "shortest_edge": 0}),
        ("crop_image", {"height": 0, "width": 1}),
        ("normalize_image", {"output": "p", "normalize": [{"mean": [0] * 3, "std": [0, 1, 1]}]}),
        ("normalize_image", {"output": "p", "normalize": [{"mean": [0], "std": [1]}]}),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_wrong_options(step: str, options: dict[str, Any]) -> None:
    with pytest.raises((ValueError, LookupError)):
        make_free_step(StepSpec(step, options))
