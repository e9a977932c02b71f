"""Average precision against COCO's own code, and what an interval of it is worth."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest

from edgewright_benchmarks.accuracy import _average_precision
from edgewright_benchmarks.accuracy._average_precision import average_precision
from edgewright_benchmarks.accuracy.detection import BoxAgreement, LabelledBoxes
from edgewright_benchmarks.truth.objects import TrueBox
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

LABELS = ("cat", "dog", "hen", "cow")


def entry(label: str, score: float, box: Any) -> dict[str, Any]:
    left, top, width, height = (float(side) for side in box)
    sides = {"xmin": left, "ymin": top, "xmax": left + width, "ymax": top + height}
    return {"label": label, "score": score, "box": sides, "shown": score > 0.5}


def made(pictures: int, seed: int, noise: float = 4.0) -> tuple[list[list[Any]], list[tuple[TrueBox, ...]]]:
    """A detector that is somewhat right: shifted boxes, some missed, some of other classes, some that are nothing."""
    random = np.random.default_rng(seed)
    found: list[list[Any]] = []
    truth = []
    for _ in range(pictures):
        things = [
            TrueBox(str(random.choice(LABELS[:3])), (*random.uniform(0, 200, 2), *random.uniform(20, 60, 2)), crowd)
            for crowd in random.random(random.integers(0, 5)) < 0.1
        ]
        boxes = [
            entry(str(random.choice([thing.label, LABELS[3]], p=[0.9, 0.1])), round(float(random.random()), 2), box)
            for thing in things
            if random.random() < 0.8
            for box in [np.maximum(np.array(thing.box) + random.normal(0, noise, 4), 1)]
        ]
        boxes += [
            entry(str(random.choice(LABELS)), round(float(0.6 * random.random()), 2), random.uniform(1, 100, 4))
            for _ in range(random.integers(0, 3))
        ]
        found.append(boxes)
        truth.append(tuple(things))
    return found, truth


def by_coco(found: list[list[Any]], truth: list[tuple[TrueBox, ...]]) -> Any:
    """The same with nothing but COCO's code: all ten overlaps, and two of them."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        annotations = [
            {
                "image_id": index,
                "category_id": LABELS.index(box.label),
                "bbox": list(box.box),
                "iscrowd": int(box.crowd),
            }
            | {"area": box.box[2] * box.box[3]}
            for index, boxes in enumerate(truth)
            for box in boxes
        ]
        reference.dataset = {
            "images": [{"id": index} for index in range(len(truth))],
            "categories": [{"id": index} for index in range(len(LABELS))],
            "annotations": [one | {"id": index + 1} for index, one in enumerate(annotations)],
        }
        reference.createIndex()
        rows = [
            [index, left, top, right - left, bottom - top, one["score"], LABELS.index(one["label"])]
            for index, boxes in enumerate(found)
            for one in boxes
            for left, top, right, bottom in [one["box"].values()]
        ]
        judged = COCOeval(reference, reference.loadRes(np.array(rows)), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return judged.stats[:3]


def outputs(found: list[list[Any]]) -> list[dict[str, Any]]:
    return [{ANSWER: pack_answer(boxes)} for boxes in found]


@pytest.mark.parametrize("pictures", [30, 300])
def test_the_metric_is_coco_s(pictures: int) -> None:
    """Also with more pictures than are left out one by one."""
    found, truth = made(pictures, seed=pictures)
    expected = by_coco(found, truth)
    answers = outputs(found)
    metrics = score(LabelledBoxes(), answers, truth, answers).metrics
    assert [interval.value for interval in metrics.values()] == pytest.approx(list(expected), abs=1e-12)
    assert 0.1 < expected[0] < 0.9
    for interval in metrics.values():
        assert interval.low < interval.value < interval.high


def test_the_interval_is_that_of_a_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The spread of the metric over other pictures like these, found by drawing them; in groups as well."""
    found, truth = made(120, seed=5)
    whole = average_precision(found, truth)
    assert whole is not None
    random = np.random.default_rng(1)
    drawn = []
    # The value alone, without what each picture adds.
    monkeypatch.setattr(_average_precision, "_GROUPS", 1)
    for _ in range(150):
        chosen = random.integers(0, len(truth), len(truth))
        precision = average_precision([found[at] for at in chosen], [truth[at] for at in chosen])
        assert precision is not None
        drawn.append(precision.value.mean())
    monkeypatch.setattr(_average_precision, "_GROUPS", 40)
    grouped = average_precision(found, truth)
    assert grouped is not None
    for one in (whole, grouped):
        spread = one.scores.mean(axis=1).std(ddof=1) / np.sqrt(len(truth))
        assert spread == pytest.approx(float(np.std(drawn)), rel=0.3)
        assert np.allclose(one.scores.mean(axis=0), one.value)


def test_a_worse_detector_and_the_same() -> None:
    found, truth = made(60, seed=2)
    worse = [[box for box in boxes if index % 3] for index, boxes in enumerate(found)]
    baseline = outputs(found)
    lost = score(LabelledBoxes(), outputs(worse), truth, baseline, max_drop=0.01)
    best, other = (average_precision(one, truth) for one in (found, worse))
    assert best is not None
    assert other is not None
    assert lost.drop.value == pytest.approx(float((best.value - other.value).mean()))
    assert lost.drop.value > 0.05
    assert lost.drop.low < lost.drop.value < lost.drop.high
    same = score(LabelledBoxes(), outputs(found), truth, baseline, max_drop=0.01)
    # Sixty pictures without a difference prove little: the bound is not zero, and it says how many would do.
    assert same.drop.value == 0
    assert same.drop.high > 0.01
    assert same.samples_needed is not None
    assert same.samples_needed > 60


def test_without_labels_the_baseline_s_boxes_are_right() -> None:
    found, _ = made(20, seed=3)
    baseline = outputs(found)
    agreement = score(BoxAgreement(), baseline, None, baseline).metrics["agreement"]
    assert agreement.value == pytest.approx(1, abs=1e-9)
    nothing: list[list[Any]] = [[] for _ in found]
    lost = score(BoxAgreement(), outputs(nothing), None, baseline, max_drop=0.01)
    assert lost.metrics["agreement"].value == 0
    assert lost.drop.value == pytest.approx(1, abs=1e-9)
    with pytest.raises(InputError, match="finds no box in any picture"):
        score(BoxAgreement(), baseline, None, outputs(nothing))


def test_nothing_to_find() -> None:
    answers = outputs([[entry("cat", 0.9, (0, 0, 5, 5))]])
    with pytest.raises(InputError, match="average precision is not defined"):
        score(LabelledBoxes(), answers, [()], answers)
    with pytest.raises(InputError, match="boxes of 1 pictures, found 0"):
        score(LabelledBoxes(), answers, None, answers)
