"""Declared steps against the image processors of transformers they are derived from, on real photographs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import GLPNImageProcessorPil, ViTImageProcessorPil

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors._image_steps import image_steps, refuse_unlike
from edgewright_compiler.processors.image import PROCESSOR_FILE, ImageProcessor
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError
from photos import photos, write_kinds

# Name of a processor to its settings; those of well-known checkpoints where there is more than one.
_HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
PROCESSORS: dict[str, dict[str, Any]] = {
    "ViTImageProcessor": {},
    "DeiTImageProcessor": {},
    "BeitImageProcessor": {"do_center_crop": True, "size": {"height": 256, "width": 256}},
    "BitImageProcessor": {},
    "CLIPImageProcessor": {},
    "SiglipImageProcessor": {},
    "ConvNextImageProcessor": {"size": {"shortest_edge": 224}, "crop_pct": 0.875},
    "MobileNetV1ImageProcessor": _HALF,
    "MobileNetV2ImageProcessor": _HALF,
    "EfficientNetImageProcessor": {},
    "MobileViTImageProcessor": {},
}
VARIANTS: dict[str, dict[str, Any]] = {
    "large": {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}},
    "hamming": {"image_processor_type": "ViTImageProcessor", "resample": 5},
    "no-rescale": {"image_processor_type": "ViTImageProcessor", "do_rescale": False, "do_normalize": False},
    "small-crop": {
        "image_processor_type": "DeiTImageProcessor",
        "size": {"height": 30, "width": 31},
        "crop_size": {"height": 45, "width": 40},
    },
    "old-name": {"feature_extractor_type": "ViTFeatureExtractor"},
    "offset": {"image_processor_type": "EfficientNetImageProcessor", "rescale_offset": True, "include_top": False},
}
CASES = {name: {"image_processor_type": name, **settings} for name, settings in PROCESSORS.items()} | VARIANTS


def processor(folder: Path, settings: dict[str, Any], **config: Any) -> ImageProcessor:
    (folder / PROCESSOR_FILE).write_text(json.dumps(settings), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": "vit", **config}), encoding="utf-8")
    return ImageProcessor(Checkpoint(folder, config, ()))


def ours(made: ImageProcessor, sample: Any) -> Any:
    values: dict[str, Any] = {"image": sample}
    for step in made.steps(["pixel_values"]):
        values |= make_free_step(step)(values)
    return values["pixel_values"]


@pytest.mark.parametrize("name", CASES)
def test_pixels_are_the_source_s_own(name: str, tmp_path: Path) -> None:
    made = processor(tmp_path, CASES[name])
    for photo in photos():
        theirs = made.feeds(photo)["pixel_values"]
        # Not within a level of 256: the very same numbers.
        assert np.array_equal(ours(made, photo), theirs)
        assert theirs.std() > 0


def test_files_of_every_kind_are_opened_as_transformers_does(tmp_path: Path) -> None:
    made = processor(tmp_path, {"image_processor_type": "ViTImageProcessor", "size": {"height": 40, "width": 50}})
    for path in write_kinds(tmp_path):
        assert np.array_equal(ours(made, path), made.feeds(path)["pixel_values"]), path.name
        assert np.array_equal(ours(made, path.read_bytes()), made.feeds(path.read_bytes())["pixel_values"]), path.name


def test_one_channel(tmp_path: Path) -> None:
    settings = {"image_processor_type": "ViTImageProcessor", "size": {"height": 28, "width": 28}}
    made = processor(tmp_path, settings | {"image_mean": [0.3], "image_std": [0.4]}, num_channels=1)
    for path in write_kinds(tmp_path):
        found = ours(made, path)
        assert found.shape == (1, 1, 28, 28)
        assert np.array_equal(found, made.feeds(path)["pixel_values"]), path.name


@pytest.mark.parametrize(
    ("settings", "config", "says"),
    [
        ({"image_processor_type": "LevitImageProcessor"}, {}, "a step 'resize' of its own"),
        ({"image_processor_type": "ViTImageProcessor", "do_pad": True}, {}, "has the step 'do_pad'"),
        ({"image_processor_type": "CLIPImageProcessor", "do_center_crop": False}, {}, "resize to a shortest edge"),
        ({"image_processor_type": "ViTImageProcessor", "do_resize": False}, {}, "it has no step that sets a size"),
        ({"image_processor_type": "ViTImageProcessor"}, {"num_channels": 4}, "images of 4 channels"),
        ({"image_processor_type": "ViTImageProcessorFast", "resample": 1}, {}, "the step 'resize'"),
        ({"image_processor_type": "NoSuchProcessor"}, {}, r"there is no 'NoSuchProcessor' in transformers [\d.]+\.\n"),
    ],
)
def test_what_cannot_be_reproduced_is_named(
    tmp_path: Path, settings: dict[str, Any], config: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        processor(tmp_path, settings, **config)


def test_a_divisor_skips_no_comparison_but_that_of_glpn() -> None:
    """Where no image can be compared, nothing is claimed."""
    large = GLPNImageProcessorPil(size_divisor=200)
    with pytest.raises(InputError, match="makes edges a multiple of 200 pixels, which cannot be checked"):
        refuse_unlike(large, image_steps(large, 3, "x"), 3, "x")
    ignoring: Any = ViTImageProcessorPil()
    ignoring.size_divisor = 200
    decode, resize, last = image_steps(ignoring, 3, "x")
    refuse_unlike(ignoring, (decode, resize, last), 3, "x")
    wrong = StepSpec(resize.step, {**resize.options, "filter": "nearest"})
    with pytest.raises(InputError, match="the step 'resize' of its image processor"):
        refuse_unlike(ignoring, (decode, wrong, last), 3, "x")


def test_a_step_that_comes_out_differently_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof runs the steps: a wrong filter or a wrong mean is noticed, whatever made it wrong."""
    from edgewright_compiler.processors import _image_steps

    settings = {"image_processor_type": "ViTImageProcessor", "size": {"height": 20, "width": 20}}
    with monkeypatch.context() as patch:
        patch.setattr(_image_steps, "_FILTERS", ("nearest", "lanczos", "box", "bicubic", "box", "hamming"))
        with pytest.raises(InputError, match="the step 'resize' of its image processor ViTImageProcessorPil"):
            processor(tmp_path, settings)
    with monkeypatch.context() as patch:
        patch.setattr(_image_steps, "_of_channels", lambda values, channels: [0.4] * channels)
        with pytest.raises(InputError, match="the step 'normalize'"):
            processor(tmp_path, settings)


def test_the_other_form_of_transformers_is_within_one_level(tmp_path: Path) -> None:
    """Which form trained a model is not known: what a device computes must be near to both."""
    pytest.importorskip("torchvision")
    import transformers

    for name in ("ViTImageProcessor", "CLIPImageProcessor", "MobileNetV2ImageProcessor", "DeiTImageProcessor"):
        other = getattr(transformers, name)(do_rescale=False, do_normalize=False)
        made = processor(tmp_path, {"image_processor_type": name, "do_rescale": False, "do_normalize": False})
        for photo in photos():
            theirs = other(Image.fromarray(photo), return_tensors="np")["pixel_values"].astype(np.float64)
            gap = np.abs(ours(made, photo) - theirs)
            assert gap.max() <= 1
            assert (gap > 0).mean() < 0.01
