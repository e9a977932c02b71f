"""One row of the bar of all families: a model from its source to its answers on a device, beside the source's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from _unlike import largest_difference, unlike
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.metrics import metric_value, metric_words
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import Package
from edgewright_targets import EdgewrightError
from tiny_targets import candidate_text, recipe_text, target_text

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
# Samples whose answers are compared, where a row says nothing else.
SAMPLES = 6


@dataclass(frozen=True, kw_only=True)
class Made:
    """A source with its data.

    Attributes:
        spec: The source, as `edgewright build` takes it.
        data: Evaluation data; None where the source brings its own examples.
        samples: What is compared: a path, a text, a dict of these, or `{"arrays": file.npz}`.
        labels: Class names, for a source that has none.
        options: Options of a call.
        unlabelled: The data has no right answers.
        tokens: Of a model that writes text its tokens are compared, and not the text.
    """

    spec: str
    data: Path | None
    samples: Sequence[Any]
    labels: tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    unlabelled: bool = False
    tokens: bool = True


@dataclass(frozen=True, kw_only=True)
class Row:
    """A family.

    Attributes:
        name: As `--only` takes it.
        task: As transformers' pipelines spell it, or `arrays`.
        weights: Where they come from, or that they are random.
        make: Writes the source and its data into a folder; raises `CannotFetchError` where it cannot be had.
        theirs: The answers of the source's own library, from the folder and the samples.
        compared: What these answers are, in a word.
        tolerance: Largest difference of raw outputs, as a share of the outputs' size, and of numbers in answers.
        unlike: Share of whole numbers in arrays (pixels, classes of pixels) that may differ.
        torchvision: It runs in a process that has torchvision.
    """

    name: str
    task: str
    weights: str
    make: Callable[[Path], Made]
    theirs: Callable[[Made], list[Any]]
    compared: str
    tolerance: float = 1e-3
    unlike: float = 0.0
    torchvision: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a row: `verdict` is pass, FAIL or not run; `note` says what is wrong."""

    name: str
    task: str
    weights: str
    compared: str
    largest: float | None
    metric: str
    verdict: str
    note: str = ""


def nothing_compared(row: Row, verdict: str, note: str) -> Outcome:
    """What came of a row that gave no figures; `note` says why."""
    return Outcome(
        name=row.name,
        task=row.task,
        weights=row.weights,
        compared="",
        largest=None,
        metric="",
        verdict=verdict,
        note=note,
    )


def run_row(row: Row, folder: Path) -> Outcome:
    """Build, run, compare. What goes wrong on the way is a FAIL with its reason; `CannotFetchError` is the caller's."""
    made = row.make(folder)
    try:
        return _compared(row, made, folder)
    except EdgewrightError as error:
        return nothing_compared(row, "FAIL", error.message)


def _compared(row: Row, made: Made, folder: Path) -> Outcome:
    target = folder / "float.toml"
    tables = (recipe_text("fp32", method="float"), candidate_text("fp32", "fp32"))
    target.write_text(target_text(*tables, baseline="fp32"), encoding="utf-8")
    right, inputs = (None, made.data) if made.unlabelled else (made.data, None)
    # Speed is not what is asked here.
    quick = MeterSettings(rounds=2, calls=2, loads=1, threads=1)
    options = BuildOptions(
        output=folder / "model.ortpackage",
        targets=(str(target),),
        calibration=inputs,
        evaluation=right,
        task=row.task,
        labels=made.labels,
        # Random models are here to be compared with their source, and not to be right.
        accept_baseline="random" in row.weights,
        meter=quick,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = Package.open(build(made.spec, options).package)
        source = open_source(made.spec, SourceOptions(row.task, made.labels))
        expected = source.reference([_opened(sample) for sample in made.samples])
        theirs = row.theirs(made)
    result = result_from_json(package.evidence("float"), "evidence")
    accuracy = result.engine("float-fp32").accuracy
    metric = next(((name, one.value) for name, one in accuracy.metrics.items()), None) if accuracy else None
    outputs, answers, heavy = on_device(package, "float-fp32", made, folder)
    largest = largest_difference(outputs, expected)
    problems = [f"{name} was imported" for name in heavy]
    if not largest <= row.tolerance:
        problems.append(f"outputs differ by {largest:.2g}")
    if len(theirs) != len(answers):
        problems.append(f"{len(answers)} answers, the source gives {len(theirs)}")
    if not any(np.size(one) for one in theirs):
        problems.append("every answer of the source is empty, so that nothing was compared")
    for index, (mine, their) in enumerate(zip(answers, theirs, strict=False)):
        if found := unlike(mine, their, row.tolerance, row.unlike):
            problems.append(f"sample {index}: {found}")
    shown = f"{metric_words(metric[0])} {metric_value(*metric)}" if metric else "none"
    what = f"outputs, {len(answers)} x {row.compared}"
    verdict = "FAIL" if problems else "pass"
    return Outcome(
        name=row.name,
        task=row.task,
        weights=row.weights,
        compared=what,
        largest=largest,
        metric=shown,
        verdict=verdict,
        note="; ".join(problems[:3]),
    )


def _opened(sample: Any) -> Any:
    if isinstance(sample, dict) and set(sample) == {"arrays"}:
        with np.load(sample["arrays"], allow_pickle=False) as file:
            return dict(file)
    return sample


def on_device(
    package: Package, engine: str, made: Made, folder: Path
) -> tuple[list[dict[str, Any]], list[Any], list[str]]:
    """Outputs and answers of an engine for each sample, without what the package was made with, and what was imported.

    Raises:
        EdgewrightError: It does not run so.
    """
    job, out = folder / "job.json", folder / "device"
    out.mkdir()
    job.write_text(
        json.dumps({"samples": list(made.samples), "options": dict(made.options), "tokens": made.tokens}, default=str)
    )
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'runtime'}{os.pathsep}{ROOT / 'targets'}"}
    command = [sys.executable, str(FOLDER / "_device.py"), str(package.root), engine, str(job), str(out)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise EdgewrightError(f"The package does not run without what it was made with: {last}")
    answered = json.loads((out / "answers.json").read_text(encoding="utf-8"))
    outputs = [dict(np.load(out / f"outputs-{index}.npz")) for index in range(len(made.samples))]
    return outputs, answered["answers"], answered["heavy"]
