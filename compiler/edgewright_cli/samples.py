"""Words of a command line to samples, and answers to lines: what `edgewright run` takes and prints."""

from __future__ import annotations

import csv
import json
import mimetypes
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from edgewright_cli.series import forecast_lines, series_of
from edgewright_runtime.samples import (
    ARRAYS_INPUT,
    FILE_INPUTS,
    JSON_INPUTS,
    LATENT_INPUT,
    LIST_INPUTS,
    PLACE_INPUTS,
    ROW_INPUT,
    SERIES_INPUT,
    input_names,
    needed_names,
)
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import (
        DepthMap,
        Entity,
        FoundAnswer,
        FoundBox,
        FoundMask,
        FoundPose,
        KeywordScore,
        LabelScore,
        MaskSegment,
        RankedPassage,
        Segmentation,
    )

# Characters of a golden sample that are shown, and how many values of one of several.
_SAMPLE_WIDTH = 60
_VALUES_SHOWN = 4
# Kinds of files that are not texts, as their endings say it.
_MEDIA = {"audio": "a recording", "image": "a picture", "video": "a video"}
# The column of the ground truth, which no model takes.
_LABEL = "label"


class DepthFacts(TypedDict):
    """What can be read of a map of depths: its size in pixels, and three of its values."""

    kind: str
    height: int
    width: int
    least: float
    median: float
    most: float


class MaskFacts(TypedDict):
    """What can be read of a mask of a thing: its score, its share of the picture, and its size in pixels."""

    score: float
    share: float
    height: int
    width: int


def read_samples(words: Sequence[str], pipeline_input: str) -> list[tuple[str, Any]]:
    """A sample for each word, with what to call it.

    One input is a word; several are `NAME=VALUE` words, together one sample. `-` reads samples from standard input, one
    a line.

    Raises:
        InputError: They are not what a pipeline with this input takes.
    """
    if not words:
        takes = {
            ARRAYS_INPUT: "an .npz file of named arrays",
            LATENT_INPUT: "seeds",
            ROW_INPUT: "rows of a table",
            SERIES_INPUT: "a series",
        }
        raise InputError(f"No input was given; this model takes {takes.get(pipeline_input, pipeline_input)}.")
    if pipeline_input == ARRAYS_INPUT:
        return [_arrays_of(words)]
    if pipeline_input == ROW_INPUT:
        return _rows(words)
    if pipeline_input == SERIES_INPUT:
        return [(word, series_of(word)) for word in words]
    names = input_names(pipeline_input)
    needed = needed_names(pipeline_input)
    # A file whose name has a sign of equality is still a file.
    named = any(word.partition("=")[0] in names for word in words)
    if len(needed) > 1 or (len(names) > 1 and named):
        return [_named(words, names)]
    return input_values(words, needed[0])


def input_values(words: Sequence[str], kind: str) -> list[tuple[str, Any]]:
    """A value of this kind for each word, or for each line of standard input where the word is `-`."""
    return [(word, input_value(kind, word)) for word in (_lines(kind) if list(words) == ["-"] else words)]


def _rows(words: Sequence[str]) -> list[tuple[str, Any]]:
    """The rows of tables, or one whose cells are `COLUMN=VALUE` words."""
    if all("=" in word for word in words):
        return [(" ".join(words), dict(word.split("=", 1) for word in words))]
    return [row for word in words for row in _rows_of(word)]


def _rows_of(word: str) -> list[tuple[str, Any]]:
    path = Path(word)
    if path.suffix.lower() != ".csv" or not path.is_file():
        raise InputError(
            f"This model takes a row of a table; '{word}' is neither a .csv file nor a cell.",
            hint="Pass the file of a table with a header, or the cells of one row: COLUMN=VALUE COLUMN=VALUE ...",
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"'{word}' is not valid CSV in UTF-8: {error}.") from error
    if any(None in row or None in row.values() for row in rows):
        raise InputError(f"'{word}' has rows with other numbers of cells than its header.")
    cells = ({name: cell for name, cell in row.items() if name != _LABEL} for row in rows)
    return [(f"{word}, row {number}", row) for number, row in enumerate(cells, start=1)]


def _named(words: Sequence[str], names: Sequence[str]) -> tuple[str, Any]:
    pairs = [word.split("=", 1) for word in words if "=" in word]
    parts = dict(pairs)
    lists = {name: [value for key, value in pairs if key == name] for name in names if name in LIST_INPUTS}
    # A list has a word for each entry, all else one.
    count = len(parts) + sum(max(0, len(values) - 1) for values in lists.values())
    needed = {name for name in names if name not in PLACE_INPUTS}
    if count != len(words) or not needed <= set(parts) <= set(names):
        raise InputError(f"This model takes {' and '.join(names)}.", hint=f"Pass them as: {_named_example(names)}")
    return " ".join(words), {
        name: [_text(value, name) for value in lists[name]] if name in lists else input_value(name, parts[name])
        for name in names
        if name in parts
    }


def _named_example(names: Sequence[str]) -> str:
    words = [f"{name}=... {name}=..." if name in LIST_INPUTS else _PLACES.get(name, f"{name}=...") for name in names]
    return " ".join(words)


# How places in a picture are written on the command line.
_PLACES = {"box": "box=[X,Y,WIDTH,HEIGHT]", "points": "points=[[X,Y],...]"}


def _place(name: str, word: str) -> Any:
    try:
        found = json.loads(word)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{name}='{word[:_SAMPLE_WIDTH]}' is not JSON: {error}.", hint=f"Write {_PLACES[name]}."
        ) from error
    if not isinstance(found, list):
        raise InputError(f"{name}='{word[:_SAMPLE_WIDTH]}' is not a list of numbers.", hint=f"Write {_PLACES[name]}.")
    return found


def input_value(name: str, word: str) -> Any:
    """What a word stands for as an input called `name`: a text, the path of a file, a latent.

    Raises:
        InputError: There is no such file, or it is no such thing.
    """
    if name == LATENT_INPUT:
        return _latent(word)
    if name in PLACE_INPUTS:
        return _place(name, word)
    if name in JSON_INPUTS:
        return _json(name, word)
    if name not in FILE_INPUTS:
        return _text(word, name)
    path = Path(word)
    if not path.is_file() and not (name == "video" and path.is_dir()):
        raise InputError(f"There is no file '{word}'.", hint=f"This model takes the path of a file: {name}.")
    return path


def _text(word: str, name: str) -> str:
    """A word that is a text.

    Raises:
        InputError: It is the path of a picture, a recording or a video.
    """
    kind = (mimetypes.guess_type(word)[0] or "").partition("/")[0]
    # Not of a Path, which fails at texts longer than a name.
    if kind in _MEDIA and os.path.isfile(word):  # noqa: PTH113
        raise InputError(
            f"This model takes a text ({name}), and '{word}' is {_MEDIA[kind]}.",
            hint="Pass the text itself, or texts one per line on standard input: - < sentences.txt",
        )
    return word


def _json(name: str, word: str) -> list[object]:
    path = Path(word)
    try:
        text = path.read_text(encoding="utf-8-sig") if path.suffix.lower() == ".json" and path.is_file() else word
        found = json.loads(text)
    except (ValueError, OSError, RecursionError):
        found = None
    if not isinstance(found, list) or not found:
        raise InputError(
            f"The {name} are neither a list of JSON nor a .json file: '{word[:60]}'.",
            hint='Pass a list of JSON, such as words=["Total","12.50"], or a file with one: words=words.json.',
        )
    return found


def _latent(word: str) -> Any:
    if word.isascii() and word.isdigit():
        return int(word)
    path = Path(word)
    if path.suffix not in (".npz", ".npy") or not path.is_file():
        raise InputError(
            f"'{word}' is neither a seed nor a file of latents.",
            hint="Pass a whole number such as 7, an .npy file of one array, or an .npz file of arrays by input.",
        )
    from edgewright_runtime.arrays import read_array, read_arrays

    return dict(read_arrays(path)) if path.suffix == ".npz" else read_array(path)


def _lines(name: str) -> list[str]:
    kind = "path" if name in FILE_INPUTS else "text"
    try:
        # Bytes, because the locale decides how Python reads text; None where standard input is closed.
        data = sys.stdin.buffer.read() if sys.stdin is not None else b""
        lines = [line.rstrip("\r") for line in data.decode("utf-8-sig").split("\n") if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(f"Standard input is not UTF-8: byte {error.start} cannot be decoded.") from error
    if not lines:
        raise InputError(
            f"Standard input has no {kind}.", hint=f"Give one {kind} per line, for example: < sentences.txt"
        )
    return lines


def _arrays_of(words: Sequence[str]) -> tuple[str, Any]:
    if len(words) != 1:
        raise InputError(f"This model takes one .npz file of named arrays; {len(words)} inputs were given.")
    path = Path(words[0])
    if path.suffix != ".npz" or not path.is_file():
        raise InputError(
            f"This model takes named arrays: an .npz file; '{path}' is not an .npz file.",
            hint="Make one with numpy.savez('input.npz', name=array, ...).",
        )
    from edgewright_runtime.arrays import read_arrays

    return words[0], dict(read_arrays(path))


def sample_words(sample: Any) -> str:
    """A golden sample in some words: whoever gives a package away shall see what of their data is in it."""
    if isinstance(sample, str):
        text = " ".join(sample.split())
        return f"'{text if len(text) <= _SAMPLE_WIDTH else text[: _SAMPLE_WIDTH - 3] + '...'}'"
    if isinstance(sample, bytes):
        return f"a file of {len(sample):,} bytes"
    if isinstance(sample, Mapping):
        shown = list(sample.items())[:_VALUES_SHOWN]
        rest = f", {len(sample) - len(shown)} more" if len(sample) > len(shown) else ""
        return ", ".join(f"{str(name)[:_SAMPLE_WIDTH]}: {sample_words(value)}" for name, value in shown) + rest
    if isinstance(sample, (list, tuple)):
        return f"{len(sample)} values"
    return f"{sample.dtype} {list(sample.shape)}" if hasattr(sample, "dtype") else str(sample)[:_SAMPLE_WIDTH]


def plain(output_name: str, answer: Any) -> Any:
    """An answer as JSON has it: arrays as lists, and of pictures only what can be read."""
    if output_name in ANSWER_FACTS:
        return ANSWER_FACTS[output_name](answer)
    return answer.tolist() if hasattr(answer, "tolist") else answer


def answer_lines(output_name: str, answer: Any, *, drawn: bool = True) -> list[str]:
    """An answer as lines for people.

    Args:
        output_name: What the pipeline calls it.
        answer: It.
        drawn: Whether the call has the option `--out`, which draws maps.
    """
    lines = ANSWER_LINES.get(output_name, _as_json)(plain(output_name, answer))
    if drawn and output_name == "depth":
        lines[-1] += " (--out FILE.png draws them)"
    return lines


def _segments_facts(answer: Segmentation) -> list[MaskSegment]:
    return list(answer["segments"])


def _segments(segments: Sequence[MaskSegment]) -> list[str]:
    return [f"{entry['label']}  {entry['share']:.1%} of the picture" for entry in segments]


def _depth_facts(answer: DepthMap) -> DepthFacts:
    import numpy as np

    values = answer["values"]
    low, middle, high = (float(found) for found in np.quantile(values, [0, 0.5, 1]))
    height, width = values.shape
    return {"kind": answer["kind"], "height": height, "width": width, "least": low, "median": middle, "most": high}


def _depth(facts: DepthFacts) -> list[str]:
    kind = "distance" if facts["kind"] == "metric" else "relative depth (larger is nearer)"
    size = f"{facts['width']} x {facts['height']} pixels"
    return [f"{kind} from {facts['least']:.4g} to {facts['most']:.4g}, median {facts['median']:.4g}; {size}"]


def _masks_facts(answer: Sequence[FoundMask]) -> list[MaskFacts]:
    return [
        {"score": one["score"], "share": one["share"], "height": one["mask"].shape[0], "width": one["mask"].shape[1]}
        for one in answer
    ]


def _masks(facts: Sequence[MaskFacts]) -> list[str]:
    return [f"{one['score']:.4f}  {one['share']:.1%} of the picture" for one in facts]


def _picture_facts(answer: Any) -> dict[str, int]:
    one = answer.ndim == 2 or (answer.ndim == 3 and answer.shape[2] == 3)
    pictures, height, width = (1, *answer.shape[:2]) if one else answer.shape[:3]
    return {"pictures": pictures, "height": height, "width": width}


def _picture(facts: Mapping[str, int]) -> list[str]:
    count = "a picture" if facts["pictures"] == 1 else f"{facts['pictures']} pictures"
    return [f"{count} of {facts['width']} x {facts['height']} (--out FILE.png writes it)"]


def _labels(answer: Sequence[LabelScore]) -> list[str]:
    return [f"{entry['label']}  {entry['score']:.4f}" for entry in answer]


def _ranking(answer: Sequence[RankedPassage]) -> list[str]:
    return [f"{entry['score']:.4f}  {' '.join(entry['text'].split())}" for entry in answer]


def _entities(answer: Sequence[Entity]) -> list[str]:
    return [f"{entry['text']}  {entry['label']}  {entry['score']:.4f}" for entry in answer] or ["(nothing)"]


def _tokens(answer: Sequence[Sequence[Mapping[str, object]]]) -> list[str]:
    return [f"{entry['text']}  {entry['score']:.4f}" for mask in answer for entry in mask]


def _answer(answer: FoundAnswer) -> list[str]:
    return [f"{answer['text']}  {answer['score']:.4f}"]


def _boxes(answer: Sequence[FoundBox]) -> list[str]:
    return [
        f"{entry['label']}  {entry['score']:.4f}  {' '.join(f'{side:.0f}' for side in entry['box'].values())}"
        for entry in answer
    ] or ["(nothing)"]


def _poses(answer: Sequence[FoundPose]) -> list[str]:
    """A line for each pose, and below it one for each of its keypoints."""
    lines = []
    for pose in answer:
        lines.append(f"{pose['score']:.4f}  {' '.join(f'{side:.0f}' for side in pose['box'].values())}")
        lines += [f"  {one['label']}  {one['x']:.1f} {one['y']:.1f}  {one['score']:.4f}" for one in pose["keypoints"]]
    return lines or ["(nothing)"]


def _keywords(answer: Sequence[KeywordScore]) -> list[str]:
    moments = (", ".join(f"{found['time']:.2f} s" for found in entry["detections"]) for entry in answer)
    return [f"{entry['label']}  {entry['score']:.4f}  {at or '-'}" for entry, at in zip(answer, moments, strict=True)]


def _as_json(answer: Any) -> list[str]:
    return [answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)]


# What a pipeline gives -> its lines; what is not here is printed as it is, or as JSON.
ANSWER_LINES: dict[str, Callable[[Any], list[str]]] = {
    "labels": _labels,
    "scored_labels": _labels,
    "ranking": _ranking,
    "entities": _entities,
    "answer": _answer,
    "tokens": _tokens,
    "picture": _picture,
    "segmentation": _segments,
    "depth": _depth,
    "masks": _masks,
    "boxes": _boxes,
    "poses": _poses,
    "keywords": _keywords,
    "forecast": forecast_lines,
}
# What a pipeline gives -> what JSON and lines say of it, where the answer itself is for the eye.
ANSWER_FACTS: dict[str, Callable[[Any], Any]] = {
    "picture": _picture_facts,
    "segmentation": _segments_facts,
    "depth": _depth_facts,
    "masks": _masks_facts,
}
