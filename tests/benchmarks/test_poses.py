"""Keypoints: figures are COCO's own, data is read in every form, and what cannot be scored is refused."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import tiny_poses
from edgewright_benchmarks.data import Dataset, DataWarning, read_dataset
from edgewright_benchmarks.tasks import find_task
from edgewright_benchmarks.truth.keypoints import TruePose, plain_name, true_poses
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

TASK = find_task("keypoint-detection")
# COCO's, in its order.
PERSON = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip


def outputs(answers: list[Any]) -> list[dict[str, Any]]:
    return [{"heatmaps": np.zeros(1, np.float32), ANSWER: pack_answer(answer)} for answer in answers]


def pose(points: Any, *, sure: float = 0.9, box: Any = (0, 0, 100, 200), labels: Any = PERSON, **more: Any) -> Any:
    sides = dict(zip(("xmin", "ymin", "xmax", "ymax"), map(float, box), strict=True))
    named = [{"label": label, "x": x, "y": y, "score": 1.0} for label, (x, y) in zip(labels, points, strict=True)]
    return {"score": sure, "box": sides, "keypoints": named, **more}


def people(count: int) -> tuple[list[Any], list[Any]]:
    """Ground truth of samples with one or two people, and what an imperfect model finds."""
    random = np.random.default_rng(3)
    truth, found = [], []
    for index in range(count):
        those, mine = [], []
        for _ in range(1 + index % 2):
            points = random.uniform((0, 0), (100, 200), (17, 2))
            seen = random.integers(0, 3, 17)
            seen[0] = 2
            rows = tuple((x, y, int(visible)) for (x, y), visible in zip(points.tolist(), seen, strict=True))
            those.append(TruePose(rows, (0.0, 0.0, 100.0, 200.0), float(random.uniform(5000, 20000))))
            moved = points + random.normal(0, random.uniform(1, 20), (17, 2))
            mine.append(pose(moved.tolist(), sure=float(random.uniform(0, 1))))
        truth.append(tuple(those))
        found.append(mine)
    truth[1] += (TruePose(((0.0, 0.0, 0),) * 17, (0.0, 0.0, 50.0, 50.0), 2500.0, crowd=True),)
    return truth, found


def by_coco(truth: list[Any], found: list[Any]) -> Any:
    """The figures that COCO's own evaluation prints: mean average precision, and at 0.5 and 0.75."""
    true = [
        {"keypoints": [value for point in one.points for value in point], "num_keypoints": one.labelled}
        | {"bbox": list(one.box), "area": one.area, "iscrowd": int(one.crowd), "image_id": image, "category_id": 1}
        for image, poses in enumerate(truth, start=1)
        for one in poses
    ]
    results = [
        {"image_id": image, "category_id": 1, "score": one["score"]}
        | {"keypoints": [value for point in one["keypoints"] for value in (point["x"], point["y"], 1)]}
        for image, poses in enumerate(found, start=1)
        for one in poses
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        right = COCO()
        right.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(1, len(truth) + 1)],
            "categories": [{"id": 1}],
            "annotations": [entry | {"id": number} for number, entry in enumerate(true, start=1)],
        }
        right.createIndex()
        judged = COCOeval(right, right.loadRes(results), "keypoints")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return judged.stats[:3]


def test_the_figures_are_those_of_coco() -> None:
    truth, found = people(40)
    exact = [[pose([point[:2] for point in one.points]) for one in poses if not one.crowd] for poses in truth]
    accuracy = score(TASK.labelled, outputs(found), truth, outputs(exact), max_drop=0.01)
    expected = by_coco(truth, found)
    for name, value in zip(("oks_map", "oks_ap_50", "oks_ap_75"), expected, strict=True):
        assert accuracy.metrics[name].value == pytest.approx(value, abs=1e-9)
        assert accuracy.metrics[name].low < value < accuracy.metrics[name].high
    assert 0.2 < expected[0] < 0.8
    assert accuracy.drop.value == pytest.approx(1 - expected[0], abs=1e-6)
    assert list(accuracy.metrics) == ["oks_map", "oks_ap_50", "oks_ap_75", "pck"]


def test_points_that_are_near() -> None:
    """PCK: a fifth of the longer edge is 40 pixels here; unknown points do not count, nor do poses nobody is shown."""
    labels = ("a", "b", "c")
    truth = [(TruePose(((10.0, 10.0, 2), (50.0, 50.0, 1), (0.0, 0.0, 0)), (0.0, 0.0, 100.0, 200.0), 9000.0),)] * 4
    right, near = [(10, 10), (50, 50), (0, 0)], [(10, 10), (50, 91), (0, 0)]
    found = [[pose(points, labels=labels)] for points in (right, right, near)]
    hidden = [pose(near, labels=labels), pose(right, labels=labels, shown=False)]
    metrics = score(TASK.labelled, outputs([*found, hidden]), truth, outputs([*found, hidden])).metrics
    assert metrics["pck"].value == pytest.approx(6 / 8)


def test_agreement_and_numbers_that_are_not_finite() -> None:
    _, found = people(12)
    right = outputs(found)
    assert score(TASK.unlabelled, right, None, right).metrics["agreement"].value == pytest.approx(1)
    for poses in found[:6]:
        for one in poses:
            one["keypoints"][3]["x"] = float("nan")
    broken = score(TASK.unlabelled, outputs(found), None, right).metrics["agreement"].value
    assert 0.2 < broken < 0.8
    nothing = outputs([[]] * 4)
    with pytest.raises(InputError, match="finds no pose in any sample"):
        score(TASK.unlabelled, nothing, None, nothing)
    crowd = [(TruePose(((0.0, 0.0, 0),) * 17, (0.0, 0.0, 50.0, 50.0), 2500.0, crowd=True),)] * 4
    with pytest.raises(InputError, match="No sample of the data has a known keypoint"):
        score(TASK.labelled, nothing, crowd, nothing)
    with pytest.raises(InputError, match="scored by the pipeline's output"):
        score(TASK.labelled, [{"heatmaps": np.zeros(1)}] * 12, people(12)[0], right)


def read(path: Path, input_name: str = "image+box", names: tuple[str, ...] = tiny_poses.LABELS) -> Dataset:
    return read_dataset(path, task="keypoint-detection", input_name=input_name, class_names=names)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tiny_poses.write_figures(tmp_path / "data", count=4)


def test_what_is_read_of_coco(file: Path) -> None:
    """A sample for each figure with its box; where the model takes no box, one for each picture with all of them."""
    entries = json.loads(file.read_text(encoding="utf-8"))["annotations"]
    found = read(file)
    assert found.labels is not None
    assert len(found.samples) == len(found.labels) == len(entries) - 1 == 6
    assert found.samples[1] == {"image": file.parent / "images" / "1.png", "box": list(map(float, entries[1]["bbox"]))}
    first = entries[0]["keypoints"]
    assert found.labels[0][0].points[1] == (first[3], first[4], 2)
    assert found.labels[0][0].area == entries[0]["area"]
    assert found.labels[2][0].points[1] == (0, 0, 0)
    whole = read(file.parent, "image")
    assert [sample.name for sample in whole.samples] == ["0.png", "1.png", "2.png", "3.png"]
    assert whole.labels is not None
    assert [len(poses) for poses in whole.labels] == [1, 2, 1, 3]
    assert whole.labels[3][2].crowd
    # In the order of the model, which may leave some out.
    other = read(file, names=("R_Wrist", "nose"))
    assert other.labels is not None
    assert other.labels[0][0].points == (tuple(first[6:9]), tuple(first[:3]))
    with pytest.warns(DataWarning, match=r"other names than the model's labels \('left_wrist' is 'tail'\)"):
        read(file, names=("nose", "tail", "fin"))


def test_a_person_without_a_known_point_is_neither_right_nor_wrong(file: Path) -> None:
    """As COCO has it: what is found there does not count against a detector; most people of its pictures are so."""
    change(file, lambda data: data["annotations"][2].update(keypoints=[0] * 9, num_keypoints=0))
    found, boxes = read(file, "image"), read(file)
    assert found.labels is not None
    assert [len(poses) for poses in found.labels] == [1, 2, 1, 3]
    assert len(boxes.samples) == 5
    answers = []
    for poses in found.labels:
        mine = []
        for one in (one for one in poses if not one.crowd):
            left, top, width, height = one.box
            # Of a person without a known point what is found lies inside of the box, and is the surest of all.
            points = [point[:2] if one.labelled else (left, top) for point in one.points]
            box, sure = (left, top, left + width, top + height), 0.5 if one.labelled else 0.9
            mine.append(pose(points, box=box, labels=tiny_poses.LABELS, sure=sure))
        answers.append(mine)
    figures = score(TASK.labelled, outputs(answers), found.labels, outputs(answers)).metrics
    assert figures["oks_map"].value == pytest.approx(1.0)


def change(file: Path, edit: Callable[[Any], object]) -> None:
    data = json.loads(file.read_text(encoding="utf-8"))
    edit(data)
    file.write_text(json.dumps(data, indent=1), encoding="utf-8")


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda data: data["categories"][0].pop("keypoints"), "has no keypoints"),
        (lambda data: data["categories"][0].update(keypoints=["a", "b"]), "has 2 keypoints.*the model has 3 labels"),
        (lambda data: data["categories"][0].update(keypoints=[1]), "names of its keypoints are not a list of texts"),
        (lambda data: data["annotations"][1]["keypoints"].pop(), r"annotations\[1\]: its keypoints are 8 numbers"),
        (lambda data: data["annotations"][1].update(area=0), r"area of the thing is 0; it must be above 0"),
        (lambda data: data["annotations"][1]["keypoints"].__setitem__(2, 7), "visible is 0, 1 or 2; found 7"),
        (lambda data: data["annotations"][1].update(image_id=7), "there is no picture with the id 7"),
        (lambda data: data["images"][3].update(width=999), "is .* and the file says 999 x"),
    ],
)
def test_coco_files_that_do_not_fit(file: Path, edit: Callable[[Any], object], says: str) -> None:
    change(file, edit)
    with pytest.raises(InputError, match=says):
        read(file)


def table(folder: Path, *rows: dict[str, Any]) -> Path:
    Image.new("RGB", (100, 80)).save(folder / "a.png")
    path = folder / "table.jsonl"
    path.write_text("".join(json.dumps({"image": "a.png", **row}) + "\n" for row in rows), encoding="utf-8")
    return path


def test_what_is_read_of_a_table(tmp_path: Path) -> None:
    points = [[10, 20], None, [30, 60, 1]]
    box = [5, 5, 40, 60]
    annotation = {"keypoints": [10, 20, 2, 0, 0, 0, 30, 60, 1], "bbox": box, "area": 900}
    rows: tuple[dict[str, Any], ...] = (
        {"box": box, "keypoints": points},
        {"box": None, "keypoints": {"Nose": [10, 20], "R_Wrist": [30, 60, 1]}},
        {"keypoints": json.dumps(annotation)},
        {"keypoints": [points, points]},
        {"keypoints": [annotation]},
    )
    found = read(table(tmp_path, *rows))
    assert found.labels is not None
    photo = tmp_path / "a.png"
    assert list(found.samples) == [{"image": photo, "box": box}, photo, photo, photo, photo]
    wanted = ((10, 20, 2), (0, 0, 0), (30, 60, 1))
    assert {pose.points for poses in found.labels for pose in poses} == {wanted}
    # Without a box that around the known points, of which a thing takes about half.
    assert found.labels[0][0].box == (10, 20, 20, 40)
    assert found.labels[0][0].area == pytest.approx(0.53 * 800)
    assert found.labels[2][0] == found.labels[4][0] == TruePose(wanted, (5, 5, 40, 60), 900)
    assert len(found.labels[3]) == 2
    lines = tmp_path / "table.csv"
    cells = ('"[5, 5, 40, 60]","[[10, 20], null, [30, 60, 1]]"', ',"[[1,2],[3,4],[5,6]]"')
    lines.write_text("image,box,keypoints\n" + "".join(f"a.png,{row}\n" for row in cells), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = read(lines)
    assert list(same.samples) == [{"image": photo, "box": box}, photo]
    (tmp_path / "pictures").mkdir()
    photo.rename(tmp_path / "pictures" / "a.png")
    assert [path.name for path in read(tmp_path / "pictures").samples] == ["a.png"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"keypoints": [[1, 2], [3, 4]]}, "2 keypoints; the model has 3 labels"),
        ({"keypoints": [[1, 2], [3, 4], [5]]}, r"a keypoint must be \[x, y\] or \[x, y, visible\]; found '\[5\]'"),
        ({"keypoints": [[1, 2], [3, 4], [5, "6"]]}, "a keypoint must be"),
        ({"keypoints": [[1, 2], [3, 4], [5, 6, 3]]}, "visible is 0, 1 or 2; found 3"),
        ({"keypoints": [None, None, None]}, "no keypoint is known"),
        ({"keypoints": [[1, 2], None, None]}, "area of the thing is 0.0; it must be above 0"),
        ({"keypoints": {"Nose": [1, 2], "Tail": [3, 4]}}, "unknown keypoint 'Tail'"),
        ({"keypoints": "[[1, 2]"}, "the keypoints are not valid JSON"),
        ({"keypoints": [[1, 2], [3, 4], [900, 6]]}, r"the keypoint \[900, 6\] is not inside its picture, which is 100"),
        ({"keypoints": [[1, 2], [3, 4], [5, 6]], "box": [1, 2, 3]}, "a box must be four numbers"),
        ({"keypoints": [[1, 2], [3, 4], [5, 6]], "box": "around"}, "a box must be four numbers"),
        ({"keypoints": {"keypoints": [[1, 2], [3, 4], [5, 6]], "bbox": [9, 9, -1, 3]}}, "a box has the width -1"),
    ],
)
def test_tables_that_do_not_fit(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(table(tmp_path, row))


def test_names_of_several_makers_are_the_same() -> None:
    for name in ("L_Eye", "left eye", "LeftEye", "left-eye"):
        assert plain_name(name) == "left_eye"
    assert plain_name("R_Ankle") == "right_ankle"
    assert true_poses([[1, 2], [3, 9]], ("a", "b"), "here")[0].labelled == 2
