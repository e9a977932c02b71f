"""A word of a command line to a series, and a forecast to lines: what `edgewright run` takes and prints of series."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import Forecast

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def series_of(word: str) -> Any:
    """The columns of a table in the order of its rows, an array of an `.npy` file, or a list of JSON.

    Raises:
        InputError: It is nothing of the kind.
    """
    if word.lstrip().startswith("["):
        return _numbers(word)
    path = Path(word)
    suffix = path.suffix.lower()
    if not path.is_file() or suffix not in (*_SEPARATORS, ".npy"):
        raise InputError(
            f"'{word}' is neither a .csv, .tsv or .npy file nor a list of numbers.",
            hint="Pass a table with a header and a row for each step of time, the last one being the present, or "
            "numbers: '[1.5, 2, 2.5]'.",
        )
    if suffix == ".npy":
        from edgewright_runtime.arrays import read_array

        return read_array(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = [row for row in csv.reader(file, delimiter=_SEPARATORS[suffix], strict=True) if row] or [[]]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"'{word}' is not a valid table in UTF-8: {error}.") from error
    if any(len(row) != len(header) for row in rows):
        raise InputError(f"'{word}' has rows with other numbers of cells than its header.")
    # A gap is a missing value, which the step names with its column and place, and does not mind before the context.
    return {name.strip(): [row[place].strip() or "nan" for row in rows] for place, name in enumerate(header)}


def _numbers(word: str) -> Any:
    import numpy as np

    try:
        # An array: a list would be several series.
        return np.asarray(json.loads(word), np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"The series is not a list of numbers: {error}.") from error


def forecast_lines(answer: Forecast) -> list[str]:
    """A line for each column: its next values, the nearest first."""
    return [f"{name}  {' '.join(f'{value:.6g}' for value in values)}" for name, values in answer.items()]
