"""COCO's JSON as data: what is read of it, and what is said of a file that does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import tiny_detectors
from edgewright_benchmarks.data import Dataset, read_dataset
from edgewright_benchmarks.truth.objects import TrueBox
from edgewright_targets import InputError


def read(path: Path, task: str = "object-detection") -> Dataset:
    return read_dataset(path, task=task, input_name="image", class_names=tiny_detectors.LABELS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tiny_detectors.write_pictures(tmp_path / "data", count=4)


def test_what_is_read(file: Path) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    found = read(file)
    assert [sample.name for sample in found.samples] == ["0.png", "1.png", "2.png", "3.png"]
    assert found.labels is not None
    assert sum(map(len, found.labels)) == len(data["annotations"])
    first = data["annotations"][0]
    label = tiny_detectors.LABELS[first["category_id"] - 10]
    assert found.labels[first["image_id"] - 100][0] == TrueBox(label, tuple(first["bbox"]))
    assert found.labels[-1] == ()
    # The folder means its file; annotations before pictures, in one line, are the same; a polygon is passed over.
    folder = read(file.parent)
    assert (folder.samples, folder.labels, folder.name) == (found.samples, found.labels, "data")
    data["annotations"][0] |= {"segmentation": [[1, 2, 3, 4]], "iscrowd": 1}
    file.write_text(json.dumps({key: data[key] for key in ("annotations", "categories", "images")}), encoding="utf-8")
    other = read(file)
    assert other.labels is not None
    assert other.labels[first["image_id"] - 100][0].crowd
    assert other.digest != found.digest


def test_where_coco_itself_puts_its_pictures(file: Path) -> None:
    (file.parent / "annotations").mkdir()
    (file.parent / "images").rename(file.parent / "val2017")
    found = read(file.rename(file.parent / "annotations" / "instances_val2017.json"))
    assert found.samples[0].parent.name == "val2017"


def change(file: Path, edit: Callable[[Any], object]) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    edit(data)
    file.write_text(json.dumps(data, indent=1), encoding="utf-8")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda data: data.pop("categories"), "no list 'categories'.*it has: info, images, annotations"),
        (lambda data: data["annotations"][1].pop("bbox"), r"line \d+: annotations\[1\] has no usable 'bbox'"),
        (lambda data: data["annotations"][0].update(bbox=[1, 2, 3]), r"annotations\[0\]: a box must be four numbers"),
        (lambda data: data["annotations"][0].update(bbox=[90, 9, -50, 5]), "a box has the width -50 .*"),
        (lambda data: data["annotations"][0].update(bbox=[5, 5, 500, 5]), "is not inside its picture, which is"),
        (lambda data: data["annotations"][0].update(image_id=7), r"line \d+: annotations\[0\]: there is no picture"),
        (lambda data: data["annotations"][0].update(category_id=7), "no category with the id 7; there are: 10, 11"),
        (lambda data: [one.update(name="rad") for one in data["categories"]], "unknown label 'rad'"),
        (lambda data: data["images"][2].update(file_name="x.png"), r"images\[2\]: there is no file 'x.png'"),
        (lambda data: data["images"][2].pop("id"), r"images\[2\] has no usable 'id'"),
        (lambda data: data["images"][2].update(id=100), "another picture with the id 100"),
        (lambda data: data["images"][3].update(width=999), "is .* and the file says 999 x"),
        (lambda data: data["images"].append(3), r"images\[4\]: expected a JSON object"),
        (lambda data: data["images"].clear(), "there is no picture with the id"),
    ],
)
def test_a_file_that_does_not_fit(file: Path, edit: Callable[[Any], object], says: str) -> None:
    change(file, edit)
    with pytest.raises(InputError, match=says):
        read(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: not valid JSON of COCO: expected '{'"),
        ("[]", "expected '{'"),
        ("{}", "no list 'images' .*it has: nothing"),
        ('{\n"images": [\n{"id": 1,]}', "line 3: not valid JSON"),
        ('{"images": [{"id": 1, "file_name": "a"}', r"expected ',' or '\]'; it may be cut off"),
        ('{"images" []}', "expected ':'"),
        ('{"images": []', "expected ',' or '}'"),
    ],
)
def test_text_that_is_no_coco(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        read(tmp_path / "a.json")


def test_other_tasks_take_no_coco(file: Path) -> None:
    with pytest.raises(InputError, match=r"its data is a \.csv, \.jsonl or"):
        read(file, task="image-classification")


def test_objects_in_a_table(file: Path) -> None:
    """What Hugging Face's image folders have: a line a picture, its boxes and classes as lists."""
    expected = read(file)
    assert expected.labels is not None
    lines: list[dict[str, Any]] = []
    for sample, boxes in zip(expected.samples, expected.labels, strict=True):
        objects = {"bbox": [list(box.box) for box in boxes]}
        kinds = [tiny_detectors.LABELS.index(box.label) for box in boxes]
        lines.append({"file_name": f"images/{sample.name}", "objects": {**objects, "categories": kinds}})
    table = file.parent / "metadata.jsonl"
    table.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert read(file.parent).labels == expected.labels
    lines[0]["objects"]["bbox"] = [[0, 0, 999, 3]]
    lines[0]["objects"]["categories"] = ["red"]
    table.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with pytest.raises(InputError, match=r"line 1, box 0: the box .* is not inside its picture"):
        read(table)
    for broken in ({"bbox": [[1, 2, 3, 4]], "categories": []}, [1], "no JSON"):
        lines[0]["objects"] = broken
        table.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        with pytest.raises(InputError, match=r"line 1: the objects"):
            read(table)


def test_a_picture_that_lies_on_its_side(tmp_path: Path) -> None:
    """Boxes are in the picture as it is shown; cameras write it down as it was taken."""
    upright = Image.Exif()
    upright[0x0112] = 6
    Image.new("RGB", (90, 40)).save(tmp_path / "a.jpg", exif=upright)
    rows = {"images": [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 90}]}
    rows |= {"annotations": [{"image_id": 1, "category_id": 1, "bbox": [5, 50, 30, 38]}]}
    rows |= {"categories": [{"id": 1, "name": "red"}]}
    (tmp_path / "annotations.json").write_text(json.dumps(rows), encoding="utf-8")
    assert read(tmp_path).labels is not None
