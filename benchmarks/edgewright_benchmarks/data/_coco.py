"""COCO's JSON of pictures, boxes and categories; the pictures lie beside it.

The text is taken apart entry by entry: of an annotation with its polygons only the box and the keypoints are kept, and
pictures are paths.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgewright_benchmarks.data._coco_poses import coco_poses
from edgewright_benchmarks.truth.ground_truth import Form, class_index
from edgewright_benchmarks.truth.keypoints import KEYPOINTS
from edgewright_benchmarks.truth.objects import TrueBox, checked_box, refuse_outside
from edgewright_benchmarks.truth.picture_size import picture_size
from edgewright_targets import InputError

_PARTS = ("images", "annotations", "categories")
_SPACE = re.compile(r"[ \t\n\r]*")


def read_coco(path: Path, form: Form) -> tuple[list[Any], list[Any] | None]:
    """Samples and their ground truth, as `read_dataset` gives them."""
    found: dict[str, list[tuple[str, Any]]] = {}
    keys = []
    for key, place, entry in _entries(path):
        keys.append(key)
        if key in _PARTS:
            found.setdefault(key, [])
            if entry is not None:
                found[key].append((place, _kept(key, entry, place)))
    if missing := [part for part in _PARTS if part not in found]:
        listing = ", ".join(dict.fromkeys(keys)) or "nothing"
        raise InputError(f"'{path}' is not a COCO file: it has no list '{missing[0]}' (it has: {listing}).")
    pictures: dict[Any, tuple[str, Mapping[str, object]]] = {}
    for place, entry in found["images"]:
        if entry["id"] in pictures:
            raise InputError(f"{place}: there is another picture with the id {entry['id']!r}.")
        pictures[entry["id"]] = place, entry
    names = {entry["id"]: str(entry["name"]) for _, entry in found["categories"]}
    _check_ids(found["annotations"], pictures, names)
    folder = _folder(path, [entry["file_name"] for _, entry in found["images"]])
    if form.truth is KEYPOINTS:
        files = {identity: _file(folder, place, entry) for identity, (place, entry) in pictures.items()}
        return coco_poses(path, form, files, found["categories"], found["annotations"])
    boxes: dict[Any, list[TrueBox]] = {identity: [] for identity in pictures}
    sizes = {identity: _size(entry) for identity, (_, entry) in pictures.items()}
    for place, entry in found["annotations"]:
        label = form.class_names[class_index(names[entry["category_id"]], form.class_names, place)]
        box = TrueBox(label, entry["bbox"], entry["iscrowd"])
        refuse_outside(box, sizes[entry["image_id"]], place)
        boxes[entry["image_id"]].append(box)
    samples = [_file(folder, place, entry) for place, entry in pictures.values()]
    return samples, [tuple(boxes[identity]) for identity in pictures]


def _check_ids(annotations: list[tuple[str, Any]], pictures: Mapping[Any, Any], names: Mapping[Any, str]) -> None:
    for place, entry in annotations:
        if entry["image_id"] not in pictures:
            raise InputError(f"{place}: there is no picture with the id {entry['image_id']!r}.")
        if entry["category_id"] not in names:
            known = ", ".join(repr(identity) for identity in list(names)[:20])
            raise InputError(f"{place}: there is no category with the id {entry['category_id']!r}; there are: {known}.")


def _kept(key: str, entry: Any, place: str) -> dict[str, object]:
    """What is needed of an entry."""
    needed = {"images": ("id", "file_name"), "categories": ("id", "name")}.get(key, ("image_id", "category_id", "bbox"))
    if not isinstance(entry, dict):
        raise InputError(f"{place}: expected a JSON object.")
    for name in needed:
        if name not in entry or isinstance(entry[name], dict) or (name != "bbox" and isinstance(entry[name], list)):
            raise InputError(f"{place} has no usable '{name}'.")
    if key == "images":
        return {name: entry.get(name) for name in ("id", "file_name", "width", "height")}
    if key == "categories":
        return {name: entry[name] for name in (*needed, "keypoints") if name in entry}
    box = checked_box(entry["bbox"], place)
    more = {name: entry[name] for name in ("keypoints", "area") if name in entry}
    return {"image_id": entry["image_id"], "category_id": entry["category_id"], "bbox": box, **more} | {
        "iscrowd": bool(entry.get("iscrowd", 0))
    }


def _size(entry: Mapping[str, object]) -> tuple[int, int] | None:
    width, height = entry["width"], entry["height"]
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None


def _folder(path: Path, names: list[Any]) -> Path:
    """Where the pictures lie: beside the file, or where COCO itself and its exporters put them."""
    split = path.stem.removeprefix("person_keypoints_").removeprefix("instances_")
    known = (path.parent, path.parent / "images", path.parent.parent / split, path.parent.parent / "images")
    for folder in known:
        if names and (folder / str(names[0])).is_file():
            return folder
    return path.parent


def _file(folder: Path, place: str, entry: Mapping[str, object]) -> Path:
    file = folder / str(entry["file_name"])
    if not file.is_file():
        raise InputError(f"{place}: there is no file '{entry['file_name']}'.", hint=f"Searched at '{file}'.")
    declared, size = _size(entry), picture_size(file)
    if declared and size and declared not in (size, size[::-1]):
        raise InputError(
            f"{place}: '{entry['file_name']}' is {size[0]} x {size[1]}, and the file says "
            f"{declared[0]} x {declared[1]}: the boxes belong to a picture of another size."
        )
    return file


def _entries(path: Path) -> Iterator[tuple[str, str, Any]]:
    """Key, place and value of each entry of the lists in the file; of an empty list and of other values None."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"'{path}' is not UTF-8: byte {error.start} cannot be decoded.") from error
    reader = _Reader(path, text)
    reader.expect("{")
    while not reader.take("}"):
        key = reader.value()
        reader.expect(":")
        if not reader.take("["):
            reader.value()
            yield str(key), reader.place(), None
            reader.separate("}")
            continue
        index = 0
        yield str(key), reader.place(), None
        while not reader.take("]"):
            place = f"{reader.place()}: {key}[{index}]"
            yield str(key), place, reader.value()
            reader.separate("]")
            index += 1
        reader.separate("}")


class _Reader:
    """Goes through a text of JSON, value by value."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self._decoder = json.JSONDecoder()

    def place(self) -> str:
        """The place of the next value in the file, for messages."""
        self._skip()
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return f"'{self._path}', line {self._line}"

    def value(self) -> Any:
        """The value that comes next."""
        self._skip()
        try:
            value, self._at = self._decoder.raw_decode(self._text, self._at)
        except (ValueError, RecursionError) as error:
            place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            raise InputError(f"'{self._path}'{place}: not valid JSON: {error}.") from error
        return value

    def take(self, sign: str) -> bool:
        """Whether this sign comes next; then it is passed."""
        self._skip()
        there = self._text.startswith(sign, self._at)
        self._at += len(sign) if there else 0
        return there

    def expect(self, sign: str) -> None:
        """Pass a sign that must come next."""
        if not self.take(sign):
            raise InputError(f"{self.place()}: not valid JSON of COCO: expected '{sign}'; it may be cut off.")

    def separate(self, end: str) -> None:
        """Pass a comma, unless the end comes next."""
        if self.take(","):
            return
        self._skip()
        if not self._text.startswith(end, self._at):
            raise InputError(f"{self.place()}: not valid JSON of COCO: expected ',' or '{end}'; it may be cut off.")

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
