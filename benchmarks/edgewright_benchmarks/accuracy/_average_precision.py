"""Average precision of boxes as COCO defines it, and what each picture adds to it.

Boxes are matched by `pycocotools`, COCO's own code. What comes after matching is written here a second time, because an
interval needs it for many sets of pictures: mean average precision is not a mean over pictures, so each picture is left
out once, and its score is the jackknife's pseudo-value (B. Efron, The Jackknife, the Bootstrap and Other Resampling
Plans, 1982, chapter 2). Their mean is the metric and their spread is its spread, so that paired drops are means of
paired differences, as with the metrics of `_corpus`.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewright_benchmarks.truth.objects import TrueBox
from edgewright_runtime.answer_types import FoundBox

# COCO's: overlaps at which a box counts as found, and recalls at which precision is read.
OVERLAPS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0.0, 1.0, 101)
_MOST_BOXES, _MOST_POSES = 100, 20
# Of more pictures than this, groups are left out together: the same spread for a bounded amount of work.
_GROUPS = 200


Found = Sequence[FoundBox]
# What COCO's code takes of a box.
CocoEntry = dict[str, int | float | list[float]]


@dataclass(frozen=True)
class ClassMatches:
    """What was found of one class in all pictures, best first.

    Attributes:
        picture: Where each box was found; shape (boxes,).
        right: Whether it is a thing that is there, for each overlap; shape (overlaps, boxes).
        wrong: Whether it is not; neither in a crowd.
        things: How many there are in each picture; shape (pictures,).
    """

    picture: NDArray[np.int64]
    right: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    things: NDArray[np.int64]


@dataclass(frozen=True)
class Precision:
    """Mean average precision at each overlap.

    Attributes:
        value: Shape (overlaps,).
        scores: A score for each picture, whose mean over pictures is `value`; shape (pictures, overlaps).
        span: The largest share of all things, classes weighing the same, that one picture holds, times the pictures.
    """

    value: NDArray[np.float64]
    scores: NDArray[np.float64]
    span: float


def average_precision(found: Sequence[Found], truth: Sequence[Sequence[TrueBox]]) -> Precision | None:
    """Of the boxes found in each picture against its ground truth; None for a picture without ground truth."""
    labels = sorted({box.label for boxes in truth for box in boxes})
    numbers = {label: index for index, label in enumerate(labels)}
    matches = matched(
        [[_true(box, numbers) for box in boxes] for boxes in truth],
        # A class that is nowhere has no average precision, so what was found of it does not count.
        [[_found(box, numbers) for box in boxes if box["label"] in numbers] for boxes in found],
        len(labels),
    )
    return precision_of(matches, len(truth))


def precision_of(matches: Sequence[ClassMatches], pictures: int) -> Precision | None:
    """What matches in so many pictures come to; None where there is nothing to find."""
    classes = [one for one in matches if one.things.any()]
    if not classes:
        return None
    everything = np.ones((1, pictures), dtype=bool)
    groups = min(pictures, _GROUPS)
    group = np.arange(pictures) * groups // pictures
    kept = group[None, :] != np.arange(groups)[:, None]
    value = _mean(classes, everything)[0]
    without = _mean(classes, kept) if groups > 1 else value[None, :]
    pseudo = groups * value - (groups - 1) * without
    # The jackknife's own mean corrects a bias; the metric is what people know.
    spread = pseudo - pseudo.mean(axis=0)
    # A group stands for its pictures: the mean of so many pictures with this spread varies as that of the groups does.
    scores = value + np.sqrt(pictures / groups) * spread[group]
    scores += value - scores.mean(axis=0)
    weights = sum(one.things / one.things.sum() for one in classes) / len(classes)
    return Precision(value, scores, max(1.0, pictures * float(np.max(weights))))


def _mean(classes: Sequence[ClassMatches], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The mean over classes that are there, for each set of pictures and each overlap; shape (sets, overlaps)."""
    total = np.zeros((len(kept), len(OVERLAPS)))
    count = np.zeros((len(kept), 1))
    for one in classes:
        things = kept @ one.things
        there = things > 0
        total[there] += _class_precision(one, kept[there], things[there])
        count[there] += 1
    return total / np.maximum(count, 1)


def _class_precision(one: ClassMatches, kept: NDArray[np.bool_], things: NDArray[Any]) -> NDArray[np.float64]:
    found = np.zeros((len(kept), len(OVERLAPS)))
    if not one.picture.size:
        return found
    counted = kept[:, one.picture]
    for at in range(len(OVERLAPS)):
        right = np.cumsum(counted & one.right[at], axis=1, dtype=np.float64)
        wrong = np.cumsum(counted & one.wrong[at], axis=1, dtype=np.float64)
        precision = right / (right + wrong + np.spacing(1))
        # What is the best precision at this recall or a higher one?
        precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        recall = right / things[:, None]
        for row in range(len(kept)):
            places = np.searchsorted(recall[row], _RECALLS, side="left")
            found[row, at] = precision[row][places[places < recall.shape[1]]].sum() / len(_RECALLS)
    return found


def matched(
    truth: Sequence[Sequence[CocoEntry]],
    found: Sequence[Sequence[CocoEntry]],
    classes: int,
    *,
    sigmas: Sequence[float] = (),
) -> list[ClassMatches]:
    """What COCO's code matches in pictures, for each class.

    Args:
        truth: What is there in each picture, as annotations.
        found: What was found in each, with scores.
        classes: Their number; `category_id` counts from 0.
        sigmas: Of keypoints: how far those who label them are apart, as COCO has it. Without them boxes are matched.
    """
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        judged = COCOeval(_coco(truth, classes), _coco(found, classes), "keypoints" if sigmas else "bbox")
        if sigmas:
            judged.params.kpt_oks_sigmas = np.array(sigmas)
        judged.params.imgIds = list(range(len(truth)))
        judged.params.catIds = list(range(classes))
        judged.params.iouThrs = OVERLAPS
        judged.params.maxDets = [_MOST_POSES if sigmas else _MOST_BOXES]
        judged.params.areaRng, judged.params.areaRngLbl = [[0, 1e10]], ["all"]
        judged.evaluate()
    pictures = len(truth)
    return [_class(judged.evalImgs[at * pictures : (at + 1) * pictures]) for at in range(classes)]


def _class(pictures: Sequence[Mapping[str, NDArray[Any]] | None]) -> ClassMatches:
    things = np.array([0 if one is None else int((one["gtIgnore"] == 0).sum()) for one in pictures])
    some = [(index, one) for index, one in enumerate(pictures) if one is not None]
    scores = np.concatenate([np.asarray(one["dtScores"], dtype=np.float64) for _, one in some] or [np.zeros(0)])
    place = np.concatenate([np.full(len(one["dtScores"]), index) for index, one in some] or [np.zeros(0)])
    empty = np.zeros((len(OVERLAPS), 0), dtype=bool)
    matched = np.concatenate([one["dtMatches"].astype(bool) for _, one in some] or [empty], axis=1)
    ignored = np.concatenate([one["dtIgnore"].astype(bool) for _, one in some] or [empty], axis=1)
    # COCO's order among equal scores: as the pictures come.
    order = np.argsort(-scores, kind="mergesort")
    right, wrong = matched & ~ignored, ~matched & ~ignored
    return ClassMatches(place[order].astype(np.int64), right[:, order], wrong[:, order], things)


def _coco(pictures: Sequence[Sequence[CocoEntry]], classes: int) -> Any:
    from pycocotools.coco import COCO

    made = COCO()
    # Numbers begin at 1: COCO's code takes the number 0 of a match for none.
    boxes = [box | {"image_id": index} for index, boxes in enumerate(pictures) for box in boxes]
    made.dataset = {
        "images": [{"id": index} for index in range(len(pictures))],
        "categories": [{"id": index} for index in range(classes)],
        "annotations": [box | {"id": number} for number, box in enumerate(boxes, start=1)],
    }
    made.createIndex()
    return made


def _true(box: TrueBox, numbers: Mapping[str, int]) -> CocoEntry:
    _, _, width, height = box.box
    return {
        "category_id": numbers[box.label],
        "bbox": list(box.box),
        "area": width * height,
        "iscrowd": int(box.crowd),
    }


def _found(box: FoundBox, numbers: Mapping[str, int]) -> CocoEntry:
    left, top, right, bottom = (box["box"][side] for side in ("xmin", "ymin", "xmax", "ymax"))
    return {
        "category_id": numbers[box["label"]],
        "bbox": [left, top, right - left, bottom - top],
        "area": (right - left) * (bottom - top),
        "iscrowd": 0,
        "score": box["score"],
    }
