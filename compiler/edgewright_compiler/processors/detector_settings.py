"""Detectors that come without a processor: what their graph takes and gives is said in settings.

Settings are a file `detector.json` beside an `.onnx` file, what a function returns third, or what Ultralytics writes
into the files that it exports.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

SETTINGS_FILE = "detector.json"
INPUT = "pixel_values"


@dataclass(frozen=True, kw_only=True)
class DetectorSettings:
    """What a detector takes and gives.

    Attributes:
        head: `anchors`: one output of a box and class scores for each anchor, as YOLO; `heat-maps`: a map of scores,
            one of sizes and one of offsets, as CenterFace; `queries`: logits and boxes, as DETR; `boxes`: the graph
            suppresses by itself and gives boxes, classes and scores, as Faster R-CNN.
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
        anchors_last: Of `anchors`: they are the output's last axis.
        objectness: Of `anchors`: the fifth value says whether there is anything.
        logits: Of `anchors`: scores are not probabilities yet.
        scores: Of `queries`: see the step `decode_queries`.
        stride: Of `heat-maps`: pixels between two values.
        first_class: Of `boxes`: the number of the first label.
        outputs: Names of the graph's outputs in the order that the head has them above; by default its own order.
    """

    head: Literal["anchors", "heat-maps", "queries", "boxes"]
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
    anchors_last: bool = True
    objectness: bool = False
    logits: bool = False
    scores: Literal["softmax", "sigmoid"] = "sigmoid"
    stride: int = 4
    first_class: int = 0
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
    return settings


class DetectorProcessor:
    """From a picture to the input of a graph, by settings; see `Processor`.

    Raises:
        InputError: A setting is one that no step takes.
    """

    def __init__(self, settings: DetectorSettings, place: str, labels: tuple[str, ...] = ()) -> None:
        self.settings = settings
        self.labels = labels
        self.any_size = settings.any_size
        self._place = place
        # Tried here, where a wrong value can still be said in the words of whoever wrote it.
        self._run = settings_runner(self.steps((INPUT,)), place)

    def feeds(self, sample: Any) -> Arrays:
        """What the steps make of a picture: settings are all that the source has."""
        return {INPUT: self._run(sample)[INPUT]}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        if len(inputs) != 1:
            raise InputError(f"{self._place}: a detector has one input; this one has {', '.join(inputs)}.")
        settings = self.settings
        border = {"colour": settings.colour, "centre": settings.centre}
        size = {"height": settings.height, "width": settings.width}
        sized: tuple[StepSpec, ...]
        if settings.any_size:
            sized = (StepSpec("pad_image", {"multiple_of": settings.multiple_of, **border}),)
        elif settings.stretch:
            sized = (StepSpec("resize_image", {"filter": settings.filter, **size}),)
        else:
            fit = StepSpec("fit_image", {"filter": settings.filter, "rounding": "nearest", **size})
            sized = (fit, StepSpec("pad_image", {**size, **border}))
        normalize: dict[str, object] = {
            "output": inputs[0],
            "channels": 3,
            "scale": settings.scale,
            "order": settings.order,
        }
        if settings.mean or settings.std:
            pair = {"mean": list(settings.mean or (0.0,) * 3), "std": list(settings.std or (1.0,) * 3)}
            normalize["normalize"] = [pair]
        return (StepSpec("decode_image", {"mode": "RGB"}), *sized, StepSpec("normalize_image", normalize))

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from the graph's outputs to the prediction."""
        settings = self.settings
        names = settings.outputs or tuple(outputs)
        wanted = {"anchors": 1, "heat-maps": 3, "queries": 2, "boxes": 3}[settings.head]
        if len(names) < wanted or not set(names) <= set(outputs):
            raise InputError(
                f"{self._place}: the head '{settings.head}' needs {wanted} outputs, but the graph has "
                f"{', '.join(outputs)}.",
                hint="Name them in the setting 'outputs'.",
            )
        decode = {"anchors": self._anchors, "heat-maps": self._maps, "queries": self._queries, "boxes": self._boxes}
        suppress = {"overlap": settings.overlap, "threshold": settings.threshold, "by_class": settings.by_class}
        alone = settings.head in ("boxes", "queries")
        name = StepSpec("name_boxes", {"threshold": settings.threshold})
        return (decode[settings.head](names), *(() if alone else (StepSpec("suppress_boxes", suppress),)), name)

    def _anchors(self, names: Sequence[str]) -> StepSpec:
        settings = self.settings
        options = {"anchors_last": settings.anchors_last, "objectness": settings.objectness, "logits": settings.logits}
        return StepSpec("decode_anchors", {"output": names[0], **options})

    def _maps(self, names: Sequence[str]) -> StepSpec:
        options = dict(zip(("scores", "sizes", "offsets"), names, strict=False))
        return StepSpec("decode_heat_maps", {**options, "stride": self.settings.stride})

    def _queries(self, names: Sequence[str]) -> StepSpec:
        return StepSpec("decode_queries", {"logits": names[0], "boxes": names[1], "scores": self.settings.scores})

    def _boxes(self, names: Sequence[str]) -> StepSpec:
        options = dict(zip(("boxes", "classes", "scores"), names, strict=False))
        return StepSpec("take_boxes", {**options, "first_class": self.settings.first_class})

    def keep(self, folder: Path) -> None:
        """Nothing: the steps need no files."""


def settings_runner(steps: Sequence[StepSpec], place: str) -> Callable[[Any], dict[str, Any]]:
    """What makes all values of a picture by steps that need no package.

    Raises:
        InputError: A setting is one that no step takes.
    """
    try:
        made = [make_free_step(step) for step in steps]
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(f"{place}: the value of a setting is not valid: {error}.") from error

    def run(sample: Any) -> dict[str, object]:
        values = {"image": sample}
        for step in made:
            values |= step(values)
        return values

    return run


def settings_of_ultralytics(graph: onnx_ir.Model) -> tuple[DetectorSettings, tuple[str, ...]] | None:
    """Settings and labels from the metadata of a file that Ultralytics exported; None of another one.

    Raises:
        InputError: It is one for another task, or suppresses boxes by itself.
    """
    metadata = graph.metadata_props
    if "names" not in metadata or "stride" not in metadata:
        return None
    names, stride, size = (_literal(metadata.get(key, "")) for key in ("names", "stride", "imgsz"))
    if not isinstance(names, dict) or sorted(names) != list(range(len(names))):
        return None
    where = f"'{graph.graph.name or 'the graph'}'"
    if metadata.get("task", "detect") != "detect":
        raise InputError(f"{where}: its metadata says that it is for '{metadata['task']}', which is not detection.")
    shape = graph.graph.outputs[0].shape
    if shape is not None and len(shape) == 3 and shape[2] == 6:
        raise InputError(
            f"{where}: it was exported with non-maximum suppression inside, which is not supported.",
            hint="Export it again without: nms=False, end2end=False.",
        )
    fixed = isinstance(size, (list, tuple)) and len(size) == 2
    height, width = (int(edge) for edge in size) if fixed else (0, 0)
    multiple = int(stride) if isinstance(stride, int) else 32
    settings = DetectorSettings(head="anchors", height=height, width=width, multiple_of=multiple)
    return settings, tuple(str(names[index]) for index in range(len(names)))


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
