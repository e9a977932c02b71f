"""Declared steps: what happens to a sample around the graphs. Adding one is adding a class and a line here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, Self, cast, runtime_checkable

from edgewright_runtime.errors import PackageError
from edgewright_runtime.steps.options import check_options
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.manifest import StepSpec
    from edgewright_runtime.package import Package

# Step name in a package -> `module:class`; imported when a package asks for it, so that text needs no image library.
STEPS = {
    "tokenize": "edgewright_runtime.steps.text.tokenize:Tokenize",
    "default_arrays": "edgewright_runtime.steps.graph.arrays:DefaultArrays",
    "drop_sample_axis": "edgewright_runtime.steps.graph.arrays:DropSampleAxis",
    "infer": "edgewright_runtime.steps.graph.infer:Infer",
    "classify": "edgewright_runtime.steps.graph.labels:Classify",
    "score_labels": "edgewright_runtime.steps.graph.labels:ScoreLabels",
    "tokenize_question": "edgewright_runtime.steps.text.question:TokenizeQuestion",
    "tokenize_passages": "edgewright_runtime.steps.text.passages:TokenizePassages",
    "rank_passages": "edgewright_runtime.steps.text.passages:RankPassages",
    "find_answer": "edgewright_runtime.steps.text.question:FindAnswer",
    "fill_mask": "edgewright_runtime.steps.text.masked:FillMask",
    "pool_tokens": "edgewright_runtime.steps.text.vectors:PoolTokens",
    "dense": "edgewright_runtime.steps.text.vectors:Dense",
    "tag_words": "edgewright_runtime.steps.text.words:TagWords",
    "decode_image": "edgewright_runtime.steps.image.pixels:DecodeImage",
    "resize_image": "edgewright_runtime.steps.image.pixels:ResizeImage",
    "crop_image": "edgewright_runtime.steps.image.pixels:CropImage",
    "normalize_image": "edgewright_runtime.steps.image.pixels:NormalizeImage",
    "segment_image": "edgewright_runtime.steps.image.masks:SegmentImage",
    "load_video": "edgewright_runtime.steps.video.frames:LoadVideo",
    "for_frames": "edgewright_runtime.steps.video.frames:ForFrames",
    "draw_latent": "edgewright_runtime.steps.image.generator:DrawLatent",
    "to_picture": "edgewright_runtime.steps.image.generator:ToPicture",
    "fit_image": "edgewright_runtime.steps.image.fit:FitImage",
    "pad_image": "edgewright_runtime.steps.image.fit:PadImage",
    "fit_line": "edgewright_runtime.steps.image.text_line:FitLine",
    "pad_line": "edgewright_runtime.steps.image.text_line:PadLine",
    "spell_line": "edgewright_runtime.steps.image.text_line:SpellLine",
    "decode_queries": "edgewright_runtime.steps.boxes.heads:DecodeQueries",
    "decode_anchors": "edgewright_runtime.steps.boxes.heads:DecodeAnchors",
    "decode_heat_maps": "edgewright_runtime.steps.boxes.heads:DecodeHeatMaps",
    "take_boxes": "edgewright_runtime.steps.boxes.heads:TakeBoxes",
    "suppress_boxes": "edgewright_runtime.steps.boxes.suppression:SuppressBoxes",
    "name_boxes": "edgewright_runtime.steps.boxes.suppression:NameBoxes",
    "embed_texts": "edgewright_runtime.steps.image.similarity:EmbedTexts",
    "zero_shot": "edgewright_runtime.steps.image.similarity:ZeroShot",
    "match": "edgewright_runtime.steps.image.similarity:Match",
    "similarity": "edgewright_runtime.steps.image.similarity:Similarity",
    "load_audio": "edgewright_runtime.steps.audio.file:LoadAudio",
    "waveform": "edgewright_runtime.steps.audio.features:Waveform",
    "log_mel": "edgewright_runtime.steps.audio.features:LogMel",
    "filter_bank": "edgewright_runtime.steps.audio.filter_bank:FilterBank",
    "infer_windows": "edgewright_runtime.steps.audio.windows:InferWindows",
    "infer_frames": "edgewright_runtime.steps.audio.frames:InferFrames",
    "speech_segments": "edgewright_runtime.steps.audio.segments:SpeechSegments",
    "infer_stream": "edgewright_runtime.steps.audio.streams:InferStream",
    "spot_keywords": "edgewright_runtime.steps.audio.keywords:SpotKeywords",
    "ctc_decode": "edgewright_runtime.steps.audio.ctc:CtcDecode",
    "prefix": "edgewright_runtime.steps.text.prefix:Prefix",
    "prompt": "edgewright_runtime.steps.text.prompt:Prompt",
    "transcribe": "edgewright_runtime.steps.audio.transcribe:Transcribe",
    "generate": "edgewright_runtime.steps.text.generate:Generate",
    "score": "edgewright_runtime.steps.text.score:Score",
}

# Step name -> modules beyond numpy and onnxruntime that it imports when it is made or called; a step without a line
# imports none. Devices over ssh are given what the steps of a package need.
LIBRARIES = {
    "tokenize": ("tokenizers",),
    "tokenize_question": ("tokenizers",),
    "tokenize_passages": ("tokenizers",),
    "fill_mask": ("tokenizers",),
    "embed_texts": ("tokenizers",),
    "prompt": ("tokenizers",),
    "transcribe": ("tokenizers",),
    "generate": ("tokenizers",),
    "decode_image": ("PIL",),
    "resize_image": ("PIL",),
    "fit_image": ("PIL",),
    "pad_image": ("PIL",),
    "fit_line": ("PIL",),
    "load_video": ("av", "PIL"),
    "load_audio": ("soundfile", "soxr"),
}


class Step(Protocol):
    """Reads named values of a sample, returns the values it adds or replaces.

    A step that takes options of a call names them in `options`, a tuple of its class, and finds them by `call_of`.
    """

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Run the step on one sample."""


class TextStream:
    """Iterate over it for the pieces of an answer.

    Args:
        pieces: The pieces; it returns how the answer came about.
        segments: A list that it fills as it goes.

    Attributes:
        facts: How the answer came about; filled when the last piece was given.
        segments: Of a transcript with times: `start`, `end` and `text` of those that were given so far.
    """

    def __init__(
        self, pieces: Generator[str, None, dict[str, Any]], segments: list[dict[str, Any]] | None = None
    ) -> None:
        self.facts: dict[str, Any] = {}
        self.segments = [] if segments is None else segments
        self._pieces = pieces

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            self.facts = end.value or self.facts
            raise StopIteration from None


@runtime_checkable
class StreamingStep(Protocol):
    """A step that can give what it makes piece by piece."""

    def stream(self, values: Mapping[str, Any]) -> TextStream:
        """The pieces of the answer."""


@runtime_checkable
class BatchStep(Protocol):
    """A step that can take several samples at once."""

    def many(self, batch: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Run the step on samples, in their order."""


@runtime_checkable
class GraphStep(Protocol):
    """A step that runs a component.

    Where the call has a recorder, the step adds what it gives the graph to the list under the name of the component.

    Attributes:
        component: Which one.
        wired: Input of the graph to the value that it is given, as far as values are given.
    """

    component: str
    wired: Mapping[str, str]

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Run the step on one sample."""


def make_step(spec: StepSpec, package: Package, engine: Engine) -> Step:
    """The step that `spec` declares.

    Raises:
        PackageError: Unknown step, or options it does not take.
    """
    if spec.step not in STEPS:
        raise PackageError(
            f"'{package.root}': unknown step '{spec.step}' in the pipeline.", hint=nearest(spec.step, STEPS)
        )
    try:
        return _made(spec, package, engine)
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise PackageError(f"'{package.root}': the step '{spec.step}' has wrong options: {error}.") from error


def make_free_step(spec: StepSpec) -> Step:
    """A step that needs neither files of a package nor an engine, such as those of images: for trying it alone."""
    return _made(spec, None, None)


def _made(spec: StepSpec, package: Package | None, engine: Engine | None) -> Step:
    kind = _step_class(spec.step)
    check_options(kind, spec.options)
    made: Step = kind(package, engine, **spec.options)
    return made


def _step_class(name: str) -> type:
    module, _, class_name = STEPS[name].partition(":")
    return cast("type", getattr(importlib.import_module(module), class_name))
