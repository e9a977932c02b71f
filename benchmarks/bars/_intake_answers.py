"""What is wrong with a package that a source of the bar of intake became: its task, what it needs, its answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from _intake_source import Source
from _row import Made, on_device
from _unlike import unlike
from edgewright_benchmarks.bench import build_evidence
from edgewright_runtime import Package


def problems(source: Source, made: Made, path: Path) -> str:
    """What is wrong with a package that was built; empty where nothing is."""
    package = Package.open(path)
    if package.manifest.task != source.task:
        return f"built for {package.manifest.task}"
    result = build_evidence(package)
    _, answers, heavy = on_device(package, result.baseline, made, path.parent)
    if heavy:
        return f"{heavy[0]} was imported on the device"
    theirs = source.theirs(made)
    if all(map(_empty, theirs)):
        return "every answer of the source is empty, so that nothing was compared"
    if len(theirs) != len(answers):
        return f"{len(answers)} answers, the source gives {len(theirs)}"
    pairs = enumerate(zip(answers, theirs, strict=True))
    ordered = ((index, source.arranged(mine), source.arranged(their)) for index, (mine, their) in pairs)
    found = ((index, unlike(mine, their, source.tolerance, source.unlike)) for index, mine, their in ordered)
    return next((f"sample {index}: {words}" for index, words in found if words), "")


def _empty(answer: Any) -> bool:
    """Whether there is nothing in an answer to compare; a number is something, and so is 0."""
    return not (answer.size if isinstance(answer, np.ndarray) else isinstance(answer, float) or answer)
