"""Pipelines of scikit-learn and trees of LightGBM, converted to ONNX, with rows that they were not fitted on."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fitted_tables
import other_tables
from _intake_source import DATA, SPEC, Source, row
from _row import SAMPLES, Made

_CLASSES, _NUMBERS = "tabular-classification", "tabular-regression"


def _made(write: Callable[[Path], fitted_tables.Fitted]) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        fitted = write(folder)
        with fitted.data.open(encoding="utf-8", newline="") as file:
            rows = [{name: cell for name, cell in cells.items() if name != "label"} for cells in csv.DictReader(file)]
        return Made(spec=str(fitted.graph), data=fitted.data, samples=rows[:SAMPLES])

    return make


def _predicted(write: Callable[[Path], fitted_tables.Fitted]) -> Callable[[Made], list[Any]]:
    """What the pipeline itself predicts of the rows, fitted again: the same of the same seed."""

    def theirs(made: Made) -> list[Any]:
        fitted = write(Path(made.spec).parent)
        rows = fitted.rows[: len(made.samples)]
        given = rows["text"] if list(rows.columns) == ["text"] else rows.to_numpy()
        if not hasattr(fitted.pipeline, "predict_proba"):
            return [float(one) for one in fitted.pipeline.predict(given)]
        shares = fitted.pipeline.predict_proba(given)
        named = zip(fitted.pipeline.predict(given), shares, strict=True)
        return [[{"label": str(label), "score": float(row.max())}] for label, row in named]

    return theirs


def _of(name: str, weights: str, task: str, make: Any, theirs: Any, compared: str) -> Source:
    return Source(
        name=name,
        kind="table",
        weights=weights,
        task=task,
        make=make,
        first=(SPEC, "--task", task, "--evaluation", DATA),
        theirs=theirs,
        compared=compared,
    )


def _fitted(name: str, weights: str, task: str, write: Callable[[Path], fitted_tables.Fitted]) -> Source:
    compared = "label" if task == _CLASSES else "number"
    return _of(name, weights, task, _made(write), _predicted(write), compared)


def _as_family(name: str, asked: str, task: str, compared: str) -> Source:
    return _of(
        name,
        "scikit-learn, skl2onnx 1.20.0",
        task,
        lambda folder: row(asked).make(folder),
        lambda made: row(asked).theirs(made),
        compared,
    )


SOURCES = (
    _as_family("wine", "table-classes", _CLASSES, "label"),
    _as_family("diabetes", "table-numbers", _NUMBERS, "number"),
    _fitted("digits", "scikit-learn, skl2onnx 1.20.0", _CLASSES, other_tables.write_digits),
    _fitted("intents", "scikit-learn, skl2onnx 1.20.0", _CLASSES, other_tables.write_intents),
    _fitted("boosted", "LightGBM 4.7.0, onnxmltools 1.16.0", _NUMBERS, other_tables.write_boosted),
)
