"""What people get from a model, as the steps write it: plain dicts, which go into JSON as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    import numpy as np


class LabelScore(TypedDict):
    """A label with its score."""

    label: str
    score: float


class RankedPassage(TypedDict):
    """A passage in its place: its number among those given, from 0."""

    index: int
    score: float
    text: str


class FoundAnswer(TypedDict):
    """A part of the context, from the character `start` up to `end`."""

    text: str
    score: float
    start: int
    end: int


class FoundWords(TypedDict):
    """Some words of a document; `words` are the first and the last of them, from 0."""

    text: str
    score: float
    words: list[int]


class Entity(TypedDict):
    """A tagged part of a text: characters from `start` up to `end`; `words` are its first and its last, from 0."""

    label: str
    score: float
    text: str
    start: int
    end: int
    words: list[int]


class FoundBox(TypedDict):
    """A box: its sides `xmin`, `ymin`, `xmax`, `ymax` in pixels.

    `points` are there where a model gives them: x and y in pixels, and a score where it gives one. Of a pose they are
    its keypoints, of a line of text its corners, clockwise from the upper left. `shown` is there for scoring only:
    whether a person would be given this box.
    """

    label: str
    score: float
    box: dict[str, float]
    points: NotRequired[list[list[float]]]
    shown: NotRequired[bool]


class Keypoint(TypedDict):
    """A named point of a thing: x and y in pixels, and how sure it is; a score of a heatmap may be beyond 1."""

    label: str
    x: float
    y: float
    score: float


class FoundPose(TypedDict):
    """The keypoints of one thing, and its box: sides `xmin`, `ymin`, `xmax`, `ymax` in pixels.

    `shown` is there for scoring only, as of a `FoundBox`.
    """

    score: float
    box: dict[str, float]
    keypoints: list[Keypoint]
    shown: NotRequired[bool]


class MaskSegment(TypedDict):
    """A class of a mask: its label, its number in the mask, its share of the pixels."""

    label: str
    index: int
    share: float


class Segmentation(TypedDict):
    """Class indices of pixels, [height, width], and the classes that occur, the largest first."""

    mask: np.ndarray[Any, Any]
    segments: list[MaskSegment]


# The next values of each column, the nearest first.
Forecast = dict[str, list[float]]


class FoundMask(TypedDict):
    """A mask of one thing, bool [height, width] of the picture, and how good the model expects it to be.

    `share` is the part of the picture that it covers.
    """

    score: float
    share: float
    mask: np.ndarray[Any, Any]


class DepthMap(TypedDict):
    """Depths of pixels, float32 [height, width]: `metric` are distances, of `relative` ones larger is nearer."""

    kind: Literal["metric", "relative"]
    values: np.ndarray[Any, Any]


class SpeechSegment(TypedDict):
    """Speech from `start` up to `end`, in seconds."""

    start: float
    end: float


class Detection(TypedDict):
    """A score at a time in seconds."""

    time: float
    score: float


class HeardKeyword(TypedDict):
    """A keyword at the time in seconds at which it was said."""

    label: str
    time: float
    score: float


class KeywordScore(TypedDict):
    """The highest score of a keyword in a recording, and where it was detected."""

    label: str
    score: float
    detections: list[Detection]


class TextSegment(TypedDict):
    """What is said from `start` up to `end`, in seconds."""

    start: float
    end: float
    text: str


class GenerationFacts(TypedDict, total=False):
    """How a text came about.

    `tokens` are those that were made, `ended_by` what ended the text, `limit` the most tokens that were allowed, `seed`
    is there where tokens were drawn, `language` where a speech recogniser was told or found one, `segments` where a
    recording was heard in windows.
    """

    tokens: list[int]
    ended_by: str
    limit: int
    seed: int
    language: str
    segments: list[TextSegment]
