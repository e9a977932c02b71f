"""Graphs that read the picture of one line of text, such as PP-OCR's, from an `.onnx` file.

What they take and give is said in a file `recogniser.json` beside them; the characters are also taken from the metadata
of the file, where PaddleOCR's exporters and rapidocr write them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgewright_compiler.checkpoints.checkpoint import read_json
from edgewright_compiler.graphs.exported import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_compiler.graphs.read_graph import read_graph
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.detector_settings import settings_runner
from edgewright_compiler.processors.image_text import image_text_kind
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

SETTINGS_FILE = "recogniser.json"
# Where the metadata of a file has the characters, one a line.
METADATA_KEY = "character"
_ASSET, _FILE = "characters", "characters.json"
_CHARACTERS = f"{ASSET_PREFIX}{_ASSET}/{_FILE}"
_INPUT, _BLANK = "line", "<blank>"
_CHANNELS = 3


@dataclass(frozen=True, kw_only=True)
class LineSettings:
    """What a graph takes and gives; the defaults are PP-OCR's.

    Attributes:
        characters: In the order of the scores, without the blank before them; none are those of the file's metadata.
        space: After them there is a score for a space.
        height: Of the graph's input; 0 is what the graph says, or 48.
        width: What shorter lines are padded to, with zeros; 0 is what the graph says, or 320.
        scale: What pixels of 0 to 255 are multiplied with.
        mean: Then subtracted, one a channel.
        std: Then divided by, one a channel.
        order: Of the channels.
    """

    characters: tuple[str, ...] = ()
    space: bool = True
    height: int = 0
    width: int = 0
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.5,) * _CHANNELS
    std: tuple[float, ...] = (0.5,) * _CHANNELS
    order: Literal["RGB", "BGR"] = "BGR"


class LineProcessor:
    """From the picture of a line to the input of a graph, and from its scores to the text; see `Processor`.

    Args:
        path: The `.onnx` file.
        output: What the text is called.

    Raises:
        InputError: The file says nothing of its characters, or settings and graph contradict one another.
    """

    def __init__(self, path: Path, output: str) -> None:
        self._output = output
        self._place = f"'{path}'"
        model = read_graph(path)
        settings = _read_settings(path.parent / SETTINGS_FILE)
        characters = settings.characters or tuple(model.metadata_props.get(METADATA_KEY, "").splitlines())
        if not characters:
            raise InputError(
                f"{self._place}: its metadata has no '{METADATA_KEY}', and there is no {SETTINGS_FILE} beside the "
                "file: the characters of its scores are unknown.",
                hint='Write them there in their order, without the blank: {"characters": ["0", "1", "2"]}.',
            )
        self._characters = (_BLANK, *characters, *((" ",) if settings.space else ()))
        height, width = self._sizes(model, settings)
        # A graph of one width takes no other: longer lines are squeezed then, as PaddleOCR does it.
        self._longest = width if _fixed(model.graph.inputs[0], 3) else None
        self._settings = dataclasses.replace(settings, height=height, width=width)
        self._run = settings_runner(self.steps((_INPUT,)), self._place)

    def _sizes(self, model: onnx_ir.Model, settings: LineSettings) -> tuple[int, int]:
        inputs, outputs = model.graph.inputs, model.graph.outputs
        shapes = [value.shape for value in (*inputs[:1], *outputs[:1])]
        ranks = [None if shape is None else len(shape) for shape in shapes]
        channels = _fixed(inputs[0], 1) if ranks[0] == 4 else None
        if len(inputs) != 1 or len(outputs) != 1 or ranks != [4, 3] or channels not in (None, _CHANNELS):
            raise InputError(
                f"{self._place}: a graph for text lines takes [batch, {_CHANNELS}, height, width] and gives [batch, "
                f"places, characters]; this one takes {', '.join(_said(value) for value in inputs)} and gives "
                f"{', '.join(_said(value) for value in outputs)}."
            )
        scores = _fixed(outputs[0], 2)
        if scores not in (None, len(self._characters)):
            raise InputError(
                f"{self._place}: it gives {scores} scores, but there are {len(self._characters)} characters with the "
                f"blank{' and the space' if settings.space else ''}.",
                hint=f'To say whether a score stands for the space, write in {SETTINGS_FILE}: {{"space": false}}.',
            )
        found = []
        for axis, name, usual in ((2, "height", 48), (3, "width", 320)):
            asked, fixed = getattr(settings, name), _fixed(inputs[0], axis)
            if asked and fixed and asked != fixed:
                raise InputError(f"{self._place}: its {name} is {fixed}; {SETTINGS_FILE} says {asked}.")
            found.append(asked or fixed or usual)
        return found[0], found[1]

    def feeds(self, sample: Any) -> Arrays:
        """What the steps make of a picture: settings are all that the source has."""
        return {_INPUT: self._run(sample)[_INPUT]}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        (name,) = inputs
        given = self._settings
        fit: dict[str, object] = {"height": given.height, "width": given.width}
        if self._longest:
            fit["longest"] = self._longest
        normalize = {
            "output": name,
            "channels": _CHANNELS,
            "scale": given.scale,
            "normalize": [{"mean": list(given.mean), "std": list(given.std)}],
            "order": given.order,
        }
        return (
            StepSpec("decode_image", {"mode": "RGB"}),
            StepSpec("fit_line", fit),
            StepSpec("normalize_image", normalize),
            StepSpec("pad_line", {"array": name, "width": given.width}),
        )

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from the graph's outputs to the prediction."""
        options = {"scores": outputs[0], "characters": _CHARACTERS, "output": self._output}
        return (StepSpec("spell_line", options),)

    def keep(self, folder: Path) -> None:
        """Copy the files that the steps need into the assets of the component in `folder`."""
        destination = folder / ASSETS_FOLDER / _ASSET
        destination.mkdir(parents=True)
        text = json.dumps(self._characters, ensure_ascii=False, indent=0)
        (destination / _FILE).write_text(text + "\n", encoding="utf-8")


def _read_settings(path: Path) -> LineSettings:
    if not path.is_file():
        return LineSettings()
    settings = read_record(LineSettings, read_json(path), f"'{path}'")
    if {len(settings.mean), len(settings.std)} != {_CHANNELS} or not all(settings.std):
        raise InputError(f"'{path}': mean and std have {_CHANNELS} numbers each, and no std is 0.")
    return settings


def _fixed(value: onnx_ir.Value, axis: int) -> int | None:
    size = None if value.shape is None else value.shape[axis]
    return size if isinstance(size, int) and size > 0 else None


def _said(value: onnx_ir.Value) -> str:
    return f"{value.name} {value.shape or ''}".strip()


def line_kind(output: str) -> ProcessorKind:
    """The kind for a task that takes an image: of a checkpoint that of images and texts, of a file that of lines."""
    kind = image_text_kind("image")
    files = (*kind.files, SETTINGS_FILE)
    return dataclasses.replace(kind, beside=lambda path, task: LineProcessor(path, output), files=files)  # noqa: ARG005 - it serves one task
