"""The steps around detectors against the processors of transformers they are derived from: pixels, and boxes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors.detection import DetectionProcessor
from edgewright_compiler.processors.detector_heads import read_settings
from edgewright_compiler.processors.detector_settings import DetectorProcessor
from edgewright_compiler.processors.image import PROCESSOR_FILE
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.boxes.suppression import SIDES, NameBoxes
from edgewright_runtime.steps.call import CallOptions
from edgewright_runtime.steps.values import Values
from edgewright_targets import InputError
from photos import photos

_NAMES = ("Detr", "Yolos", "ConditionalDetr", "DeformableDetr", "RTDetr")
CASES: dict[str, dict[str, Any]] = {f"{name}ImageProcessor": {} for name in _NAMES}
VARIANTS: dict[str, dict[str, Any]] = {
    "limited": {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 300, "longest_edge": 333}},
    "as-it-is": {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 427, "longest_edge": 900}},
    "inside": {"image_processor_type": "ConditionalDetrImageProcessor", "size": {"max_height": 301, "max_width": 299}},
    "cut": {"image_processor_type": "YolosImageProcessor", "size": {"shortest_edge": 201, "longest_edge": 333}},
    "exact": {"image_processor_type": "DetrImageProcessor", "size": {"height": 200, "width": 150}},
    "not-at-all": {"image_processor_type": "DetrImageProcessor", "do_resize": False},
}


def processor(folder: Path, settings: dict[str, Any]) -> DetectionProcessor:
    (folder / PROCESSOR_FILE).write_text(json.dumps(settings), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": "detr"}), encoding="utf-8")
    return DetectionProcessor(Checkpoint(folder, {}, ()))


def run(steps: Any, values: dict[str, Any]) -> dict[str, Any]:
    for step in steps:
        values |= make_free_step(step)(values)
    return values


@pytest.mark.parametrize("name", [*CASES, *VARIANTS])
def test_pixels_are_the_source_s_own(name: str, tmp_path: Path) -> None:
    made = processor(tmp_path, VARIANTS.get(name) or {"image_processor_type": name})
    for photo in (photos()[0], np.ascontiguousarray(np.rot90(photos()[1])), photos()[0][:31, :50]):
        theirs = made.feeds(photo)["pixel_values"]
        ours = run(made.steps(["pixels"]), {"image": photo})
        assert np.array_equal(ours["pixels"], theirs), photo.shape
        assert ours["image_size"] == photo.shape[:2]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("threshold", [0.0, 0.3])
def test_boxes_are_the_source_s_own(name: str, threshold: float, tmp_path: Path) -> None:
    import torch
    from transformers import AutoImageProcessor

    made = processor(tmp_path, {"image_processor_type": name})
    loader: Any = AutoImageProcessor
    source = loader.from_pretrained(tmp_path, backend="pil")
    generator = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(1, 40, 6, generator=generator)
    boxes = torch.rand(1, 40, 4, generator=generator)
    outputs = SimpleNamespace(logits=logits, pred_boxes=boxes)
    (theirs,) = source.post_process_object_detection(outputs, threshold=threshold, target_sizes=[(427, 640)])
    decode, name_them = made.answer(["logits", "pred_boxes"])
    values = {"logits": logits.numpy(), "pred_boxes": boxes.numpy(), "image_size": (427, 640)}
    values |= make_free_step(decode)(values)
    package: Any = SimpleNamespace(manifest=SimpleNamespace(labels=tuple("abcdef")))
    found = NameBoxes(package, **name_them.options)(
        Values.for_call(values, CallOptions(options={"threshold": threshold}))
    )["boxes"]
    best = theirs["scores"].argsort(descending=True, stable=True)[:100]
    assert len(found) == len(best) > 10
    expected = theirs["boxes"][best].numpy()
    assert np.allclose([[box["box"][side] for side in SIDES] for box in found], expected, rtol=0, atol=1e-3)
    assert np.allclose([box["score"] for box in found], theirs["scores"][best], rtol=0, atol=1e-6)
    assert [box["label"] for box in found] == ["abcdef"[index] for index in theirs["labels"][best]]


def test_the_settings_of_the_page_are_valid() -> None:
    """Each block of docs/detection.md gives steps that can be made."""
    page = Path(__file__).parents[2] / "docs" / "detection.md"
    blocks = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        settings = read_settings(json.loads(block), block)
        decode, *_ = DetectorProcessor(settings, block).answer(settings.outputs or ("a", "b", "c"))
        make_free_step(decode)
    heads = {json.loads(block)["head"] for block in blocks}
    assert heads == {"anchors", "yolox", "yolov5", "yolov8", "ssd", "retinanet", "boxes", "db"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"image_processor_type": "ViTImageProcessor"},
            "the boxes of its image processor ViTImageProcessor are not supported",
        ),
        (
            {"image_processor_type": "DetrImageProcessor", "pad_size": {"height": 9, "width": 9}},
            "'pad' to a fixed size",
        ),
        ({"image_processor_type": "NoSuchProcessor"}, "cannot be loaded"),
    ],
)
def test_what_cannot_be_reproduced_is_named(tmp_path: Path, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        processor(tmp_path, settings)


def test_the_filter_without_smoothing_is_that_of_torch() -> None:
    """What OpenCV and torch call bilinear reads four pixels, however far it shrinks."""
    import torch
    from torch.nn.functional import interpolate

    for photo in photos():
        for height, width in ((213, 320), (300, 449), (640, 960)):
            options = {"filter": "linear", "height": height, "width": width, "rounding": "nearest"}
            made = run([StepSpec("decode_image"), StepSpec("fit_image", options)], {"image": photo})
            pixels = np.asarray(made["image"]).astype(np.float32)
            given = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float()
            theirs = interpolate(given, size=pixels.shape[:2], mode="bilinear", antialias=False)[0].permute(1, 2, 0)
            # Rounding to a whole level is all that differs.
            assert np.abs(pixels - theirs.numpy()).max() < 0.51
