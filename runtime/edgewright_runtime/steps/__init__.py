"""Declared steps: what happens to a sample around the graphs.

`STEPS` says all that others need to know of a step before it is made. Adding one is adding a class and an entry here.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from edgewright_runtime.errors import PackageError
from edgewright_runtime.steps.options import check_options, surroundings_of
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.manifest import StepSpec
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.protocols import Step

# Options of a call that every step which generates text takes: the fields of `GenerationSettings` but for those that
# the model itself decides. They are named here because a pipeline that generates nothing does not import that module.
_GENERATION = (
    "max_new_tokens",
    "max_length",
    "min_new_tokens",
    "min_length",
    "do_sample",
    "temperature",
    "top_k",
    "top_p",
    "seed",
    "num_beams",
    "length_penalty",
    "early_stopping",
    "repetition_penalty",
    "no_repeat_ngram_size",
    "bad_words_ids",
    "suppress_tokens",
    "begin_suppress_tokens",
    "stop",
)


@dataclass(frozen=True, kw_only=True)
class StepKind:
    """What is known of a step by its name.

    Attributes:
        place: `module:class` below `edgewright_runtime.steps`; imported when a package asks for the step, so that a
            package of texts needs no library of images.
        libraries: Modules beyond numpy and onnxruntime that it imports when it is made or called. Devices over ssh are
            given what the steps of a package need.
        call_options: Options of a call that it takes. A step whose own options in a manifest name further ones has
            those in `options`. What people are told of them is in `call_options.py`.
        chooses: The largest value along the last axis of an output of the graph decides what it gives.
        loops: It runs its component again and again, with a state (its option `loop`).
        tokenizes: It makes tokens of texts, `max_length` at most, for the inputs in its option `outputs`.
        any_arrays: It takes named arrays as they come. Where a pipeline has other steps, they may read any name.
    """

    place: str
    libraries: tuple[str, ...] = ()
    call_options: tuple[str, ...] = ()
    chooses: bool = False
    loops: bool = False
    tokenizes: bool = False
    any_arrays: bool = False


# By the names that steps have in packages.
STEPS = {
    "tokenize": StepKind(place="text.tokenize:Tokenize", libraries=("tokenizers",), tokenizes=True),
    "default_arrays": StepKind(place="graph.arrays:DefaultArrays", any_arrays=True),
    "repeat_rows": StepKind(place="graph.arrays:RepeatRows"),
    "drop_sample_axis": StepKind(place="graph.arrays:DropSampleAxis", any_arrays=True),
    "infer": StepKind(place="graph.infer:Infer", call_options=("batch_size",), any_arrays=True),
    "classify": StepKind(place="graph.labels:Classify", chooses=True),
    "score_labels": StepKind(place="graph.labels:ScoreLabels"),
    "read_row": StepKind(place="table.row:ReadRow"),
    "give_number": StepKind(place="table.row:GiveNumber"),
    "read_series": StepKind(place="table.series:ReadSeries"),
    "give_forecast": StepKind(place="table.series:GiveForecast"),
    "pose_hypotheses": StepKind(
        place="text.hypotheses:PoseHypotheses", call_options=("candidate_labels", "hypothesis_template")
    ),
    "weigh_hypotheses": StepKind(place="text.hypotheses:WeighHypotheses", chooses=True),
    "to_vector": StepKind(place="graph.vectors:ToVector"),
    "tokenize_question": StepKind(place="text.question:TokenizeQuestion", libraries=("tokenizers",), tokenizes=True),
    "tokenize_passages": StepKind(place="text.passages:TokenizePassages", libraries=("tokenizers",), tokenizes=True),
    "rank_passages": StepKind(place="text.passages:RankPassages"),
    "tokenize_document": StepKind(place="text.document:TokenizeDocument", libraries=("tokenizers",), tokenizes=True),
    "find_words": StepKind(place="text.document:FindWords"),
    "find_answer": StepKind(place="text.question:FindAnswer"),
    "fill_mask": StepKind(place="text.masked:FillMask", libraries=("tokenizers",)),
    "pool_tokens": StepKind(place="text.vectors:PoolTokens"),
    "dense": StepKind(place="text.vectors:Dense"),
    "tag_words": StepKind(place="text.words:TagWords", chooses=True),
    "decode_image": StepKind(place="image.pixels:DecodeImage", libraries=("PIL",)),
    "resize_image": StepKind(place="image.pixels:ResizeImage", libraries=("PIL",)),
    "scale_image": StepKind(place="image.multiples:ScaleImage", libraries=("PIL",)),
    "crop_image": StepKind(place="image.pixels:CropImage"),
    "crop_box": StepKind(place="image.region:CropBox", libraries=("PIL",)),
    "normalize_image": StepKind(place="image.pixels:NormalizeImage"),
    "segment_image": StepKind(place="image.masks:SegmentImage"),
    "read_depth": StepKind(place="image.depth:ReadDepth"),
    "read_keypoints": StepKind(place="image.keypoints:ReadKeypoints"),
    "pad_array": StepKind(place="image.padded:PadArray"),
    "prompt_points": StepKind(place="image.prompts:PromptPoints"),
    "read_masks": StepKind(place="image.prompted:ReadMasks"),
    "load_video": StepKind(place="video.frames:LoadVideo", libraries=("av", "PIL")),
    "for_frames": StepKind(place="video.frames:ForFrames"),
    "draw_latent": StepKind(place="image.generator:DrawLatent"),
    "to_picture": StepKind(place="image.generator:ToPicture"),
    "fit_image": StepKind(place="image.fit:FitImage", libraries=("PIL",)),
    "pad_image": StepKind(place="image.fit:PadImage", libraries=("PIL",)),
    "fit_line": StepKind(place="image.text_line:FitLine", libraries=("PIL",)),
    "pad_line": StepKind(place="image.text_line:PadLine"),
    "spell_line": StepKind(place="image.text_line:SpellLine"),
    "decode_queries": StepKind(place="boxes.heads:DecodeQueries"),
    "decode_anchors": StepKind(place="boxes.heads:DecodeAnchors", call_options=("threshold",)),
    "decode_yolox": StepKind(place="boxes.grid_heads:DecodeYolox", call_options=("threshold",)),
    "decode_yolov5": StepKind(place="boxes.grid_heads:DecodeYolov5", call_options=("threshold",)),
    "decode_yolov8": StepKind(place="boxes.grid_heads:DecodeYolov8", call_options=("threshold",)),
    "decode_deltas": StepKind(place="boxes.deltas:DecodeDeltas", call_options=("threshold",)),
    "decode_text_map": StepKind(place="boxes.text_map:DecodeTextMap"),
    "decode_heat_maps": StepKind(place="boxes.heads:DecodeHeatMaps"),
    "take_boxes": StepKind(place="boxes.taken:TakeBoxes"),
    "suppress_boxes": StepKind(place="boxes.suppression:SuppressBoxes", call_options=("threshold",)),
    "name_boxes": StepKind(place="boxes.suppression:NameBoxes", call_options=("threshold",)),
    "name_poses": StepKind(place="boxes.poses:NamePoses", call_options=("threshold",)),
    "embed_texts": StepKind(
        place="image.similarity:EmbedTexts",
        libraries=("tokenizers",),
        call_options=("candidate_labels", "hypothesis_template"),
        tokenizes=True,
    ),
    "zero_shot": StepKind(place="image.similarity:ZeroShot", chooses=True),
    "match": StepKind(place="image.similarity:Match"),
    "similarity": StepKind(place="image.similarity:Similarity"),
    "load_audio": StepKind(place="audio.file:LoadAudio", libraries=("soundfile", "soxr")),
    "waveform": StepKind(place="audio.features:Waveform"),
    "log_mel": StepKind(place="audio.features:LogMel"),
    "filter_bank": StepKind(place="audio.filter_bank:FilterBank"),
    "infer_windows": StepKind(place="audio.windows:InferWindows", call_options=("batch_size",)),
    "infer_frames": StepKind(place="audio.frames:InferFrames", loops=True),
    "speech_segments": StepKind(place="audio.segments:SpeechSegments", call_options=("threshold",)),
    "infer_stream": StepKind(place="audio.streams:InferStream", loops=True),
    "spot_keywords": StepKind(place="audio.keywords:SpotKeywords", call_options=("threshold",)),
    "ctc_decode": StepKind(place="audio.ctc:CtcDecode", call_options=("num_beams",)),
    "prefix": StepKind(place="text.prefix:Prefix"),
    "prompt": StepKind(place="text.prompt:Prompt", libraries=("tokenizers",)),
    "transcribe": StepKind(
        place="audio.transcribe:Transcribe",
        libraries=("tokenizers",),
        call_options=(*_GENERATION, "batch_size", "timestamps"),
    ),
    "generate": StepKind(
        place="text.generate:Generate",
        libraries=("tokenizers",),
        call_options=(*_GENERATION, "batch_size"),
        loops=True,
    ),
    "score": StepKind(place="text.score:Score", loops=True),
}

_UNKNOWN = StepKind(place="")


def step_kind(name: str) -> StepKind:
    """What is known of the step of this name; nothing where it is unknown, as `make_step` refuses it."""
    return STEPS.get(name, _UNKNOWN)


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
        return _made(spec, {"package": package, "engine": engine})
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise PackageError(f"'{package.root}': the step '{spec.step}' has wrong options: {error}.") from error


def make_free_step(spec: StepSpec) -> Step:
    """A step that needs neither files of a package nor an engine, such as those of images: for trying it alone."""
    return _made(spec, {})


def step_class(name: str) -> type:
    """The class of a step, imported."""
    module, _, class_name = STEPS[name].place.partition(":")
    return cast("type", getattr(importlib.import_module(f"{__name__}.{module}"), class_name))


def _made(spec: StepSpec, surroundings: dict[str, Package | Engine]) -> Step:
    """The step, given the package and the engine where its class asks for them."""
    kind = step_class(spec.step)
    check_options(kind, spec.options)
    made: Step = kind(*(surroundings[name] for name in surroundings_of(kind)), **spec.options)
    return made
