"""An emulated engine's answers beside those of the same graph on this machine: what another processor changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_benchmarks.result import EngineResult, NativeAnswers
from edgewright_runtime.likeness import Likeness
from edgewright_runtime.samples import graph_outputs, unpack_answer

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


def compare_with_native(there: Sequence[Arrays], here: Sequence[Arrays], architecture: str) -> NativeAnswers:
    """Compare outputs of the same samples.

    Args:
        there: The emulated engine's, a dict for each sample.
        here: This machine's.
        architecture: Of this machine.
    """
    pairs = [(graph_outputs(one), graph_outputs(other)) for one, other in zip(there, here, strict=True)]
    differences = [_of_sample(one, other) for one, other in pairs]
    return NativeAnswers(
        architecture=architecture,
        samples=len(differences),
        differing=sum(value != 0 for value in differences),
        changed=sum(_changed(one, other) for one, other in zip(there, here, strict=True)),
        largest=max((value for value in differences if value is not None), default=0.0),
        differences=tuple(differences),
    )


def notes_of(engine: EngineResult) -> tuple[str, ...]:
    """All that is to be said about an engine: its reasons, and what the comparison found."""
    sentence = native_sentence(engine)
    return (*engine.reasons, sentence) if sentence else engine.reasons


def native_sentence(engine: EngineResult) -> str:
    """What the comparison found, for people; empty where there was none."""
    found = engine.native
    if found is None:
        return ""
    if not found.differing:
        return f"All {found.samples:,} samples are answered exactly as on {found.architecture}."
    largest = f"by {found.largest:.2g} at most"
    unclear = sum(value is None for value in found.differences)
    if unclear:
        largest += f", {unclear:,} of them in shape or by a value that is no number"
    changes = "none changes the answer" if not found.changed else f"{found.changed:,} change the answer"
    return f"{found.differing:,} of {found.samples:,} samples differ from {found.architecture} ({largest}); {changes}."


def _of_sample(there: Arrays, here: Arrays) -> float | None:
    if all(np.array_equal(there[name], here[name], equal_nan=here[name].dtype.kind == "f") for name in here):
        return 0.0
    gap = Likeness().difference(there, here)
    return float(f"{gap:.3g}") if np.isfinite(gap) else None


def answers_differ(outputs: Arrays, others: Arrays) -> bool | None:
    """Whether the answers beside two samples' outputs tell something else; None where the other tells nothing."""
    mine, told = (_told(unpack_answer(one)) for one in (outputs, others))
    if told is None:
        return None
    return not np.array_equal(mine, told) if isinstance(told, np.ndarray) else bool(mine != told)


def _changed(there: Arrays, here: Arrays) -> bool:
    differ = answers_differ(there, here)
    if differ is not None:
        return differ
    there, here = graph_outputs(there), graph_outputs(here)
    return any(_answer_changed(there[name], here[name]) for name in here)


def _told(answer: Any) -> Any:
    """What an answer tells apart from its scores and places: texts, labels, whole numbers; None where it is nothing."""
    if isinstance(answer, np.ndarray) or answer is None:
        # A mask or a picture; a vector is told from the outputs.
        return None if answer is None or answer.dtype.kind == "f" else answer
    if isinstance(answer, list):
        # Of boxes of all scores, those that a person is shown.
        shown = [one for one in answer if not (isinstance(one, dict) and one.get("shown") is False)]
        told = [_told(one) for one in shown]
        return told if any(one is not None for one in told) or not answer else None
    if isinstance(answer, dict):
        parts = {name: _told(part) for name, part in answer.items()}
        kept = {name: part.tolist() if isinstance(part, np.ndarray) else part for name, part in parts.items()}
        return kept if any(part is not None for part in kept.values()) else None
    return None if isinstance(answer, float) else answer


def _answer_changed(there: np.ndarray, here: np.ndarray) -> bool:
    if there.shape != here.shape:
        return True
    if here.dtype.kind != "f":
        return not np.array_equal(there, here)
    if not np.array_equal(np.isfinite(there), np.isfinite(here)):
        return True
    return here.size > 0 and here.ndim > 0 and not np.array_equal(there.argmax(-1), here.argmax(-1))
