"""An emulated engine's outputs against those of the same graph on this machine: what another processor changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgewright_benchmarks.engine_result import EngineResult, NativeAnswers
from edgewright_benchmarks.predictions import Prediction, answers_differ
from edgewright_runtime.likeness import Likeness

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


def compare_with_native(there: Sequence[Prediction], here: Sequence[Prediction], architecture: str) -> NativeAnswers:
    """Compare predictions for the same samples.

    Args:
        there: The emulated engine's, one a sample.
        here: This machine's.
        architecture: Of this machine.
    """
    differences = [_of_sample(one.outputs, other.outputs) for one, other in zip(there, here, strict=True)]
    return NativeAnswers(
        architecture=architecture,
        samples=len(differences),
        differing=sum(value != 0 for value in differences),
        changed=sum(_changed(one, other) for one, other in zip(there, here, strict=True)),
        largest=max((value for value in differences if value is not None), default=0.0),
        differences=tuple(differences),
    )


def notes_of(engine: EngineResult) -> tuple[str, ...]:
    """The notes of an engine: its reasons, and what the comparison found."""
    sentence = native_sentence(engine)
    return (*engine.reasons, sentence) if sentence else engine.reasons


def native_sentence(engine: EngineResult) -> str:
    """The result of the comparison as a sentence; empty without a comparison."""
    native = engine.native
    if native is None:
        return ""
    if not native.differing:
        return f"All {native.samples:,} samples give the same outputs as on {native.architecture}."
    largest = f"by {native.largest:.2g} at most"
    unclear = sum(value is None for value in native.differences)
    if unclear:
        largest += f", {unclear:,} of them in shape or by NaN"
    changes = "none changes the prediction" if not native.changed else f"{native.changed:,} change the prediction"
    return (
        f"{native.differing:,} of {native.samples:,} samples differ from {native.architecture} ({largest}); {changes}."
    )


def _of_sample(there: Arrays, here: Arrays) -> float | None:
    if all(np.array_equal(there[name], here[name], equal_nan=here[name].dtype.kind == "f") for name in here):
        return 0.0
    gap = Likeness().difference(there, here)
    return float(f"{gap:.3g}") if np.isfinite(gap) else None


def _changed(there: Prediction, here: Prediction) -> bool:
    differ = answers_differ(there, here)
    if differ is not None:
        return differ
    return any(_answer_changed(there.outputs[name], array) for name, array in here.outputs.items())


def _answer_changed(there: np.ndarray, here: np.ndarray) -> bool:
    if there.shape != here.shape:
        return True
    if here.dtype.kind != "f":
        return not np.array_equal(there, here)
    if not np.array_equal(np.isfinite(there), np.isfinite(here)):
        return True
    return here.size > 0 and here.ndim > 0 and not np.array_equal(there.argmax(-1), here.argmax(-1))
