"""Rows of tables: pipelines of scikit-learn, whose own predictions are the answers to compare with."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fitted_tables
from _row import SAMPLES, Made, Row

_WEIGHTS = "scikit-learn, fitted on its own data"


def _made(write: Callable[[Path], fitted_tables.Fitted]) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        fitted = write(folder)
        with fitted.data.open(encoding="utf-8", newline="") as file:
            rows = [{name: cell for name, cell in row.items() if name != "label"} for row in csv.DictReader(file)]
        return Made(spec=str(fitted.graph), data=fitted.data, samples=rows[:SAMPLES])

    return make


def _classes(made: Made) -> list[Any]:
    fitted = fitted_tables.write_wine(Path(made.spec).parent)
    rows = fitted.rows.to_numpy()[: len(made.samples)]
    shares = fitted.pipeline.predict_proba(rows)
    named = zip(fitted.pipeline.predict(rows), shares, strict=True)
    return [[{"label": str(label), "score": float(row.max())}] for label, row in named]


def _numbers(made: Made) -> list[Any]:
    fitted = fitted_tables.write_diabetes(Path(made.spec).parent)
    return [float(one) for one in fitted.pipeline.predict(fitted.rows[: len(made.samples)])]


ROWS = (
    Row(
        name="table-classes",
        task="tabular-classification",
        weights=_WEIGHTS,
        make=_made(fitted_tables.write_wine),
        theirs=_classes,
        compared="label",
    ),
    Row(
        name="table-numbers",
        task="tabular-regression",
        weights=_WEIGHTS,
        make=_made(fitted_tables.write_diabetes),
        theirs=_numbers,
        compared="number",
    ),
)
