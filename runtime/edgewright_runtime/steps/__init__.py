"""Declared steps: what happens to a sample around the graphs. Adding one is adding a class and a line here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from edgewright_runtime.errors import PackageError
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.manifest import StepSpec
    from edgewright_runtime.package import Package

# Step name in a package -> `module:class`; imported when a package asks for it, so that text needs no image library.
STEPS = {
    "tokenize": "edgewright_runtime.steps.text:Tokenize",
    "infer": "edgewright_runtime.steps.infer:Infer",
    "classify": "edgewright_runtime.steps.labels:Classify",
    "tokenize_question": "edgewright_runtime.steps.question:TokenizeQuestion",
    "find_answer": "edgewright_runtime.steps.question:FindAnswer",
    "tag_words": "edgewright_runtime.steps.words:TagWords",
    "decode_image": "edgewright_runtime.steps.image:DecodeImage",
    "resize_image": "edgewright_runtime.steps.image:ResizeImage",
    "crop_image": "edgewright_runtime.steps.image:CropImage",
    "normalize_image": "edgewright_runtime.steps.image:NormalizeImage",
    "load_audio": "edgewright_runtime.steps.audio_file:LoadAudio",
    "waveform": "edgewright_runtime.steps.audio_features:Waveform",
    "log_mel": "edgewright_runtime.steps.audio_features:LogMel",
    "ctc_decode": "edgewright_runtime.steps.ctc:CtcDecode",
}


class Step(Protocol):
    """Reads named values of a sample, returns the values it adds or replaces."""

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
        return _step_class(spec.step)(package, engine, **spec.options)
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise PackageError(f"'{package.root}': the step '{spec.step}' has wrong options: {error}.") from error


def make_free_step(spec: StepSpec) -> Step:
    """A step that needs neither files of a package nor an engine, such as those of images: for trying it alone."""
    return _step_class(spec.step)(None, None, **spec.options)


def _step_class(name: str) -> Callable[..., Step]:
    module, _, class_name = STEPS[name].partition(":")
    return cast("Callable[..., Step]", getattr(importlib.import_module(module), class_name))
