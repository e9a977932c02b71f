"""Object detection from a source to boxes on a picture, with the real command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tiny_detectors
from command import QUICK, Command
from edgewright_cli.draw_boxes import draw_boxes
from edgewright_runtime import SampleError, load
from edgewright_runtime.answer_types import FoundBox


@pytest.fixture(scope="session")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with boxes, to calibrate on and to choose on: do not write into it."""
    folder = tmp_path_factory.mktemp("things")
    tiny_detectors.write_pictures(folder / "train", seed=1)
    tiny_detectors.write_pictures(folder / "validation", seed=2)
    return folder


def build(command: Command, source: object, things: Path, *more: object) -> Path:
    output = command.folder / "out.ortpackage"
    data = (
        "--calibration",
        things / "train",
        "--evaluation",
        things / "validation" / "annotations.json",
        "--accept-baseline",
    )
    done = command("build", source, *data, "--target", command.target, "-o", output, *QUICK, "-q", *more)
    assert done.code == 0, done.err
    return output


@pytest.mark.slow
def test_a_checkpoint(command: Command, things: Path, tmp_path: Path) -> None:
    """YOLOS, by transformers: the build itself compares the graph with its source, on pictures of several sizes."""
    import torch
    from transformers import AutoImageProcessor, AutoModelForObjectDetection

    checkpoint = tiny_detectors.write_checkpoint(tmp_path / "yolos", "yolos")
    package = build(command, checkpoint, things)
    evidence = json.loads(command("inspect", package, "--json").out)["evidence"]
    (result,) = evidence.values() if isinstance(evidence, dict) else evidence
    engines = {engine["name"]: engine for engine in result["engines"]}
    assert list(engines["tiny-cpu-fp32"]["accuracy"]["metrics"]) == ["map", "ap_50", "ap_75"]
    # Static int8 can be made of it and runs; whether it is taken is measured.
    assert engines["tiny-cpu-int8"]["status"] in ("accepted", "refused")
    assert command("verify", package).code == 0
    file = things / "validation" / "images" / "1.png"
    drawn = command.folder / "boxed.png"
    exact = ("--engine", "tiny-cpu-fp32")
    done = command("run", package, file, "--json", "--threshold", 0.2, "--out", drawn, *exact)
    assert done.code == 0, done.err
    found = json.loads(done.out)["answers"][0]["boxes"]
    model = AutoModelForObjectDetection.from_pretrained(checkpoint)
    loader = AutoImageProcessor.from_pretrained(checkpoint, backend="pil")  # type: ignore[no-untyped-call]
    with Image.open(file) as picture, torch.no_grad():
        outputs = model(pixel_values=loader(picture, return_tensors="pt")["pixel_values"])
        sizes = [(picture.height, picture.width)]
        with Image.open(drawn) as boxed:
            assert boxed.size == picture.size
            assert (np.asarray(boxed) != np.asarray(picture)).any()
    (theirs,) = loader.post_process_object_detection(outputs, threshold=0.2, target_sizes=sizes)
    best = theirs["scores"].argsort(descending=True, stable=True)
    assert len(found) == len(best) > 3
    assert np.allclose([box["score"] for box in found], theirs["scores"][best], atol=1e-4)
    corners = sorted(tuple(box["box"].values()) for box in found)
    assert np.allclose(corners, sorted(map(tuple, theirs["boxes"].tolist())), atol=0.02)
    # Pictures of different sizes together: each is answered by itself.
    pictures = [things / "validation" / "images" / f"{index}.png" for index in range(3)]
    with load(package) as model:
        together = model(pictures, threshold=0.2)
        assert together == [model(one, threshold=0.2) for one in pictures]
        assert {len(boxes) for boxes in together} != {0}
        assert model(pictures[0], threshold=1.0) == []
        assert model(pictures, threshold=0.2, batch_size=2) == together
        with pytest.raises(SampleError, match="a number from 0 to 1"):
            model(pictures[0], threshold=7)
    several = command.folder / "several"
    assert command("run", package, *pictures, "--out", several).code == 0
    assert sorted(path.name for path in several.iterdir()) == ["0.png", "1.png", "2.png"]
    done = command("bench", package, "--data", things / "validation", "--json", *QUICK)
    assert done.code == 0, done.err
    assert json.loads(done.out)["engines"][0]["accuracy"]["samples"] == 12
    says = ["is not an image, or not of a supported kind"]
    command.refuses("run", package, things / "train" / "annotations.json", says=says)
    command.refuses("run", package, file, "--threshold", "7", says=["'7' is not a number from 0 to 1"])
    command.refuses("run", package, file, "--out", "boxed.txt", says=["does not end as an image file does"])
    (tmp_path / "rows.json").write_text('{"images": []}', encoding="utf-8")
    says = ["is not a COCO file: it has no list 'annotations'"]
    command.refuses("bench", package, "--data", tmp_path / "rows.json", says=says)


def test_what_is_drawn_stays_in_the_picture() -> None:
    """Of any size, boxes beyond its edges included; each class has its colour, the surest box is on top."""
    boxes: list[FoundBox] = [
        {"label": "cat", "score": 0.9, "box": {"xmin": -20.0, "ymin": 2.0, "xmax": 30.0, "ymax": 900.0}},
        {"label": "a dog of great size", "score": 0.5, "box": {"xmin": 8.0, "ymin": 9.0, "xmax": 8.2, "ymax": 9.1}},
    ]
    for size in ((1, 1), (20, 30), (64, 64), (640, 427), (4000, 3000)):
        picture = Image.new("RGB", size, (90, 90, 90))
        drawn = draw_boxes(picture, boxes)
        assert drawn.size == size
        assert picture.getcolors() == [(size[0] * size[1], (90, 90, 90))]
    only = np.asarray(draw_boxes(Image.new("RGB", (200, 200)), boxes[:1]))
    assert (only[100, 0] == only[150, 29]).all()
    assert only[100, 0].any()
    assert not only[100, 100].any()
    other = np.asarray(draw_boxes(Image.new("RGB", (200, 200)), [{**boxes[0], "label": "dog"}]))
    assert (other[150, 0] != only[150, 0]).any()
