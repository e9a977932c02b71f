"""What a detector takes and gives, as a person declares it, and the step that decodes each kind of head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import step_class
from edgewright_runtime.steps.options import check_options
from edgewright_targets import InputError
from edgewright_targets.record import read_record

# Heads whose boxes are not suppressed: the graph has done it, or each thing has one box.
SUPPRESSED = ("boxes", "queries", "db")
# The anchors that YOLOv5 and YOLOv7 were trained with on COCO differ; these are YOLOv5's (models/yolov5s.yaml).
_YOLOV5 = (
    ((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),
    ((30.0, 61.0), (62.0, 45.0), (59.0, 119.0)),
    ((116.0, 90.0), (156.0, 198.0), (373.0, 326.0)),
)
_STRIDES = (8, 16, 32)


@dataclass(frozen=True, kw_only=True)
class DetectorSettings:
    """What a detector takes and gives.

    Attributes:
        head: `anchors`: one output of a decoded box and class scores for each anchor, as YOLO; `yolox`, `yolov5`
            (YOLOv7 and YOLOv3 as well), `yolov8` (to v11): their raw outputs; `ssd` and `retinanet`: class scores and
            deltas of anchors; `heat-maps`: a map of scores, one of sizes and one of offsets, as CenterFace; `queries`:
            logits and boxes, as DETR; `boxes`: the graph suppresses by itself and gives boxes, classes and scores, as
            Faster R-CNN; `db`: a map of where text is.
        height: Of the graph's input; 0 takes pictures of any size, made larger to a multiple of `multiple_of`.
        width: See `height`.
        stretch: Give up the proportions instead of adding a border.
        filter: How pictures are resized; `linear` is OpenCV's.
        colour: Of the border, 0 to 255.
        centre: A border on all sides; otherwise below and on the right.
        multiple_of: See `height`.
        scale: What pixels of 0 to 255 are multiplied with.
        mean: Then subtracted, one a channel; none is 0.
        std: Then divided by, one a channel; none is 1.
        order: Of the channels.
        threshold: Boxes of lower scores are not shown.
        overlap: The largest share of overlap that two boxes of a class may have.
        by_class: Boxes of different classes do not suppress one another.
        multi_label: Each class of a place is a box of its own; by default only of `ssd` and `retinanet`.
        max_boxes: The most boxes that are shown; 0 is as the step `name_boxes` has it.
        anchors_last: Of `anchors`: they are the output's last axis.
        objectness: Of `anchors`: the fifth value says whether there is anything.
        logits: Of `anchors` and `yolox`: scores are not probabilities yet.
        scores: What makes probabilities of scores; by default as the head's makers have it.
        strides: Pixels between two places of each grid.
        anchors: Width and height of the anchors of each grid, in pixels.
        grids: Of `ssd` and `retinanet`: rows and columns of each grid, where the stride does not say them.
        offset: Of `ssd` and `retinanet`: where in a place its anchors have their middle.
        weights: Of `ssd` and `retinanet`: what deltas are divided by.
        linear: Of `ssd` and `retinanet`: sizes are shares of the anchor's and not logarithms.
        exponential: Of `yolov5`: sizes are those of YOLOv3.
        bins: Of `yolov8`: whole numbers that a distance is the mean of; 1 is the distance itself.
        keypoints: Of `anchors`: points behind the class scores of each anchor, as YOLO-pose has them.
        keypoint_values: Of `keypoints`: x and y, or x, y and a score.
        stride: Of `heat-maps`: pixels between two values.
        first_class: The number of the first label; by default 1 of `ssd`, 0 of others.
        sides: Of `boxes`: the order of a box's sides.
        shares: Of `boxes`: sides are shares of the picture, not pixels.
        level: Of `db`: pixels with a higher value are text.
        enlarge: Of `db`: the "unclip ratio".
        dilate: Of `db`: regions grow by a pixel first.
        outputs: Names of the graph's outputs in the order that the head has them above; by default its own order.
    """

    head: Literal["anchors", "yolox", "yolov5", "yolov8", "ssd", "retinanet", "heat-maps", "queries", "boxes", "db"]
    height: int = 0
    width: int = 0
    stretch: bool = False
    filter: str = "linear"
    colour: int = 114
    centre: bool = True
    multiple_of: int = 32
    scale: float = 1 / 255
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    order: Literal["RGB", "BGR"] = "RGB"
    threshold: float = 0.25
    overlap: float = 0.7
    by_class: bool = True
    multi_label: bool | None = None
    max_boxes: int = 0
    anchors_last: bool = True
    objectness: bool = False
    logits: bool = False
    scores: Literal["softmax", "sigmoid", "probabilities"] | None = None
    strides: tuple[float, ...] = ()
    anchors: tuple[tuple[tuple[float, float], ...], ...] = ()
    grids: tuple[tuple[int, int], ...] = ()
    offset: float | None = None
    weights: tuple[float, float, float, float] | None = None
    linear: bool = False
    exponential: bool = False
    bins: int = 16
    keypoints: int = 0
    keypoint_values: Literal[2, 3] = 3
    stride: int = 4
    first_class: int | None = None
    sides: Literal["xyxy", "yxyx"] = "xyxy"
    shares: bool = False
    level: float = 0.3
    enlarge: float = 1.5
    dilate: bool = False
    outputs: tuple[str, ...] = ()

    @property
    def any_size(self) -> bool:
        """Whether pictures keep their size."""
        return not self.height


def read_settings(data: Any, place: str) -> DetectorSettings:
    """Settings from JSON.

    Raises:
        InputError: They are unknown, of another type, or contradict one another.
    """
    settings = read_record(DetectorSettings, data, place)
    if (settings.height > 0) != (settings.width > 0) or min(settings.height, settings.width) < 0:
        raise InputError(
            f"{place}: height and width must be given together; they are {settings.height} and {settings.width}."
        )
    if settings.stretch and (settings.any_size or settings.filter == "linear"):
        raise InputError(f"{place}: 'stretch' needs a height, a width, and a filter of Pillow such as 'bilinear'.")
    if settings.head in ("ssd", "retinanet") and not settings.anchors:
        raise InputError(
            f"{place}: the head '{settings.head}' needs 'anchors', the sizes of the anchors of each grid in pixels."
        )
    return settings


def decoding(settings: DetectorSettings, outputs: Sequence[str], image: str, place: str) -> StepSpec:
    """The step from the graph's outputs to candidates.

    Args:
        settings: What is declared.
        outputs: Names of the graph's outputs.
        image: Name of its input.
        place: Begins messages.

    Raises:
        InputError: The head needs other outputs, or a setting has a value that the step does not take.
    """
    names = settings.outputs or tuple(outputs)
    head = _HEADS[settings.head]
    if len(names) < head.least or not set(names) <= set(outputs):
        raise InputError(
            f"{place}: the head '{settings.head}' needs {head.needs}, but the graph has {', '.join(outputs)}.",
            hint="Name them in the setting 'outputs'.",
        )
    options = head.options(settings, names, image)
    if settings.multi_label is not None and head.step in _MULTI_LABEL:
        options["multi_label"] = settings.multi_label
    if options.get("multi_label", head.step == "decode_deltas") and head.step in _MULTI_LABEL:
        options["threshold"] = settings.threshold
    kind = step_class(head.step)
    try:
        check_options(kind, options)
        kind(**options)
    except (ValueError, TypeError) as error:
        raise InputError(f"{place}: the head '{settings.head}': {error}.") from error
    return StepSpec(head.step, options)


def _anchors(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    del image
    options: dict[str, object] = {
        "output": names[0],
        "anchors_last": settings.anchors_last,
        "objectness": settings.objectness,
        "logits": settings.logits,
    }
    if settings.keypoints:
        options |= {"keypoints": settings.keypoints, "keypoint_values": settings.keypoint_values}
    return options


def _on_grids(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    strides = [int(stride) for stride in settings.strides or _STRIDES]
    return {"outputs": list(names), "image": image, "strides": strides}


def _yolox(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    return {**_on_grids(settings, names, image), "logits": settings.logits or settings.scores == "sigmoid"}


def _yolov5(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    options = _on_grids(settings, names, image)
    options["anchors"] = [[list(pair) for pair in grid] for grid in settings.anchors or _YOLOV5]
    options["logits"] = settings.scores != "probabilities"
    return options | {"sizes": "exponential" if settings.exponential else "square"}


def _yolov8(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    options = _on_grids(settings, names, image)
    grids = len(settings.strides or _STRIDES)
    if len(names) in (2, 2 * grids):
        # Distances and scores apart: all of the one, then all of the other.
        options |= {"outputs": list(names[: len(names) // 2]), "scores": list(names[len(names) // 2 :])}
    return options | {"bins": settings.bins, "logits": settings.scores != "probabilities"}


def _deltas(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    half = len(names) // 2
    ssd = settings.head == "ssd"
    weights = settings.weights or ((10.0, 10.0, 5.0, 5.0) if ssd else (1.0,) * 4)
    options: dict[str, object] = {
        "scores": list(names[:half]),
        "deltas": list(names[half : 2 * half]),
        "image": image,
        "anchors": [[list(pair) for pair in grid] for grid in settings.anchors],
        "offset": settings.offset if settings.offset is not None else (0.5 if ssd else 0.0),
        "weights": list(weights),
        "linear": settings.linear,
        "activation": settings.scores or ("softmax" if ssd else "sigmoid"),
        "first_class": settings.first_class if settings.first_class is not None else int(ssd),
    }
    if settings.grids:
        options["grids"] = [list(grid) for grid in settings.grids]
    if settings.strides or not settings.grids:
        options["strides"] = list(settings.strides)
    return options


def _maps(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    del image
    return {**dict(zip(("scores", "sizes", "offsets"), names, strict=False)), "stride": settings.stride}


def _queries(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    del image
    return {"logits": names[0], "boxes": names[1], "scores": settings.scores or "sigmoid"}


def _boxes(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    options: dict[str, object] = dict(zip(("boxes", "classes", "scores"), names, strict=False))
    options["first_class"] = settings.first_class or 0
    if settings.sides != "xyxy":
        options["sides"] = settings.sides
    if settings.shares:
        options["image"] = image
    return options


def _db(settings: DetectorSettings, names: Sequence[str], image: str) -> dict[str, object]:
    return {
        "output": names[0],
        "image": image,
        "level": settings.level,
        "enlarge": settings.enlarge,
        "dilate": settings.dilate,
    }


@dataclass(frozen=True)
class _Head:
    """The step of a head, the fewest outputs that it reads, these in words, and its options."""

    step: str
    least: int
    needs: str
    options: Callable[[DetectorSettings, Sequence[str], str], dict[str, object]]


_HEADS = {
    "anchors": _Head("decode_anchors", 1, "1 output", _anchors),
    "yolox": _Head("decode_yolox", 1, "1 output, or one for each stride", _yolox),
    "yolov5": _Head("decode_yolov5", 1, "an output for each stride", _yolov5),
    "yolov8": _Head("decode_yolov8", 1, "1 output, or one or two for each stride", _yolov8),
    "ssd": _Head("decode_deltas", 2, "2 outputs (scores and deltas), or two for each grid", _deltas),
    "retinanet": _Head("decode_deltas", 2, "2 outputs (scores and deltas), or two for each grid", _deltas),
    "heat-maps": _Head("decode_heat_maps", 3, "3 outputs (scores, sizes, offsets)", _maps),
    "queries": _Head("decode_queries", 2, "2 outputs (logits, boxes)", _queries),
    "boxes": _Head("take_boxes", 1, "1 to 3 outputs (boxes, classes, scores)", _boxes),
    "db": _Head("decode_text_map", 1, "1 output", _db),
}
_MULTI_LABEL = ("decode_anchors", "decode_yolox", "decode_yolov5", "decode_yolov8", "decode_deltas")
