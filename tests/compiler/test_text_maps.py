"""Lines of text out of maps: by hand, and against the decoder of rapidocr with the real PP-OCRv6."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import skimage.data
from PIL import Image

from edgewright_compiler.processors.detector_heads import read_settings
from edgewright_compiler.processors.detector_settings import DetectorProcessor
from edgewright_runtime import SampleError
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.boxes.suppression import SIDES, NameBoxes
from makers import taken_out
from photos import crops
from real_models import unpacked_wheel

EDGE = 320
# As rapidocr's own configuration has them.
SETTINGS = {"head": "db", "order": "BGR", "mean": [0.5] * 3, "std": [0.5] * 3, "threshold": 0.5, "enlarge": 1.6}
LIBRARIES = ("opencv-python-headless==4.13.0.92", "pyclipper==1.4.0", "shapely==2.1.2")


def boxes_of(array: Any, size: tuple[int, int], **more: object) -> list[Any]:
    processor = DetectorProcessor(read_settings({**SETTINGS, **more}, "settings"), "settings")
    processor.steps(["x"])
    outputs = {"map": array}
    values: dict[str, Any] = {"outputs": outputs, "x": np.zeros((1, 3, *size)), "image_size": size, **outputs}
    *steps, name = processor.answer(["map"])
    for step in steps:
        values |= make_free_step(step)(values)
    package: Any = SimpleNamespace(manifest=SimpleNamespace(labels=("text",)))
    found: list[Any] = NameBoxes(package, **name.options)(values)["boxes"]
    return found


def test_a_line_is_found_and_enlarged() -> None:
    """A region of 40 x 10 pixels, from the first to the last of them 39 x 9, grows by its area over its girth."""
    array = np.zeros((1, 1, 64, 96), dtype=np.float32)
    array[0, 0, 20:30, 30:70] = 0.9
    (line,) = boxes_of(array, (64, 96))
    by = 39 * 9 * 1.6 / (2 * (39 + 9))
    assert [line["box"][side] for side in SIDES] == pytest.approx([30 - by, 20 - by, 69 + by, 29 + by], abs=1)
    assert line["score"] == pytest.approx(0.9)
    assert line["points"][0] == [line["box"]["xmin"], line["box"]["ymin"]]
    # Half of its pixels are no longer text: its score is below the threshold.
    array[0, 0, 20:30, 31:69:2] = 0.05
    assert boxes_of(array, (64, 96)) == []


def test_a_turned_line_keeps_its_corners() -> None:
    """Pixels of which a line at 30 degrees covers the middle."""
    y, x = np.mgrid[:128, :128] - 64.0
    cosine, sine = np.cos(np.pi / 6), np.sin(np.pi / 6)
    inside = (np.abs(x * cosine + y * sine) <= 40) & (np.abs(y * cosine - x * sine) <= 8)
    (line,) = boxes_of(inside[None, None].astype(np.float32), (128, 128))
    points = np.array(line["points"])
    long, short = np.hypot(*(points[1] - points[0])), np.hypot(*(points[3] - points[0]))
    by = 80 * 16 * 1.6 / (2 * (80 + 16))
    assert long == pytest.approx(80 + 2 * by, abs=3)
    assert short == pytest.approx(16 + 2 * by, abs=3)
    slope = (points[1] - points[0]) / long
    assert slope == pytest.approx([cosine, sine], abs=0.03)


def test_regions_that_touch_at_a_corner_are_one() -> None:
    array = np.zeros((1, 1, 64, 64), dtype=np.float32)
    array[0, 0, 8:20, 8:20] = array[0, 0, 20:32, 20:32] = 1
    assert len(boxes_of(array, (64, 64), threshold=0.0)) == 1
    array[0, 0, 19] = 0
    assert len(boxes_of(array, (64, 64), threshold=0.0)) == 2


def test_a_turned_line_at_the_edge() -> None:
    """Its rectangle ends beyond the map: what is there of it counts."""
    y, x = np.mgrid[:64, :64]
    inside = np.abs(x - y - 40) < 12
    (line,) = boxes_of(inside[None, None].astype(np.float32), (64, 64))
    assert line["score"] > 0.5
    assert line["box"]["xmax"] == 63


def test_maps_of_other_shapes_are_refused() -> None:
    with pytest.raises(SampleError, match=r"'map' is \[1, 2, 64, 64\]; expected a map \[1, 1, 64, 64\]"):
        boxes_of(np.zeros((1, 2, 64, 64), dtype=np.float32), (64, 64))
    # A quarter of the size on each side is what some give.
    assert boxes_of(np.zeros((1, 1, 16, 16), dtype=np.float32), (64, 64)) == []


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The class that decodes in rapidocr, with the libraries that it needs."""
    folder = tmp_path_factory.mktemp("libraries")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run([*command, "--target", folder, *LIBRARIES], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{', '.join(LIBRARIES)} could not be fetched: {done.stderr.strip()[-200:]}")
    sys.path.append(str(folder))
    modules = {name: importlib.import_module(name) for name in ("cv2", "pyclipper")}
    typed: dict[str, Any] = {
        "Polygon": importlib.import_module("shapely.geometry").Polygon,
        "Tuple": tuple,
        "List": list,
    }
    file = unpacked_wheel("rapidocr") / "rapidocr" / "ch_ppocr_det" / "utils.py"
    return taken_out(file, ("DBPostProcess",), **modules, **typed)["DBPostProcess"]


@pytest.mark.slow
@pytest.mark.parametrize("dilate", [False, True])
def test_lines_are_those_of_rapidocr(decoder: Any, dilate: bool) -> None:
    """Real maps of twenty pictures, ten of them of print: the same lines, nearly all to the pixel.

    OpenCV's corners are float32, and the decoder cuts off parts of pixels: one that should be a whole number may become
    the one below it, which moves a line by a pixel or leaves a row out of its score.
    """
    model = unpacked_wheel("rapidocr") / "rapidocr" / "models" / "PP-OCRv6_det_small.onnx"
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    theirs = decoder(thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=dilate)
    processor = DetectorProcessor(read_settings(SETTINGS, "settings"), "settings")
    lines = exact = close = 0
    for picture in pictures():
        pixels = processor.feeds(picture)["pixel_values"]
        (array,) = session.run(None, {session.get_inputs()[0].name: pixels})
        boxes, scores = theirs(array, picture.shape[:2])
        mine = boxes_of(array, picture.shape[:2], dilate=dilate)
        assert len(mine) == len(boxes)
        lines += len(mine)
        for box, score in zip(boxes, scores, strict=True):
            same = [one for one in mine if np.abs(np.array(one["points"]) - box).max() <= 1]
            assert len(same) == 1, (box, [one["points"] for one in mine])
            exact += int(np.array_equal(same[0]["points"], box))
            close += int(same[0]["score"] == pytest.approx(score, abs=1e-3))
            assert same[0]["score"] == pytest.approx(score, abs=0.1)
    assert min(exact, close) > 0.9 * lines, (exact, close, lines)
    assert lines > 30


def pictures() -> list[Any]:
    """Parts of a scanned page and of a page on a screen, turned a little by every other, and of photographs."""
    folder = Path(skimage.data.__file__).parent
    found = []
    for name, places in (("page.png", ((0, 0), (40, 60), (0, 64))), ("text.png", ((0, 0), (0, 128)))):
        with Image.open(folder / name) as file:
            page = file.convert("RGB")
        for left, top in ((left, min(top, page.height - 160)) for top, left in places):
            part = page.crop((left, top, left + EDGE, top + 160))
            found += [np.asarray(part), np.asarray(part.rotate(8, fillcolor=(200, 200, 200)))]
    return [*found, *crops(288)[: 20 - len(found)]]
