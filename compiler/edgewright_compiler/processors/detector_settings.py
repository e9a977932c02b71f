"""Detectors that come without a processor: what their graph takes and gives is said in settings.

Settings are a file `detector.json` beside an `.onnx` file, what a function returns third, or what Ultralytics writes
into the files that it exports.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgewright_compiler.processors.detector_heads import SUPPRESSED, DetectorSettings, decoding
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

SETTINGS_FILE = "detector.json"
INPUT = "pixel_values"


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
        self._input = INPUT
        # Tried here, where a wrong value can still be said in the words of whoever wrote it.
        self._run = settings_runner(self.steps((INPUT,)), place)

    def feeds(self, sample: Any) -> Arrays:
        """What the steps make of a picture: settings are all that the source has."""
        return {INPUT: self._run(sample)[INPUT]}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        if len(inputs) != 1:
            raise InputError(f"{self._place}: a detector has one input; this one has {', '.join(inputs)}.")
        self._input = inputs[0]
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
        suppress = {"overlap": settings.overlap, "threshold": settings.threshold, "by_class": settings.by_class}
        name: dict[str, object] = {"threshold": settings.threshold}
        if settings.max_boxes:
            name["max_boxes"] = settings.max_boxes
        decode = decoding(settings, outputs, self._input, self._place)
        alone = settings.head in SUPPRESSED
        between = () if alone else (StepSpec("suppress_boxes", suppress),)
        return (decode, *between, StepSpec("name_boxes", name))

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
        InputError: It is one for another task.
    """
    metadata = graph.metadata_props
    if "names" not in metadata or "stride" not in metadata:
        return None
    names, stride, size = (_literal(metadata.get(key, "")) for key in ("names", "stride", "imgsz"))
    if not isinstance(names, dict) or sorted(names) != list(range(len(names))):
        return None
    where = f"'{graph.graph.name or 'the graph'}'"
    kind = metadata.get("task", "detect")
    if kind not in ("detect", "pose"):
        raise InputError(f"{where}: its metadata says that it is for '{kind}', which is not detection.")
    points = _literal(metadata.get("kpt_shape", "")) if kind == "pose" else (0, 3)
    if not (isinstance(points, (list, tuple)) and len(points) == 2 and points[1] in (2, 3)):
        raise InputError(f"{where}: its metadata says that it is for poses, but not how many points they have.")
    fixed = isinstance(size, (list, tuple)) and len(size) == 2
    height, width = (int(edge) for edge in size) if fixed else (0, 0)
    multiple = int(stride) if isinstance(stride, int) else 32
    shape = graph.graph.outputs[0].shape
    # With suppression inside, and of YOLOv10 and YOLO26, which need none: six values of each box, however many.
    head: Literal["anchors", "boxes"] = "boxes" if shape is not None and list(shape[2:]) == [6] else "anchors"
    settings = DetectorSettings(
        head=head,
        height=height,
        width=width,
        multiple_of=multiple,
        keypoints=int(points[0]),
        keypoint_values=2 if points[1] == 2 else 3,
    )
    return settings, tuple(str(names[index]) for index in range(len(names)))


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
