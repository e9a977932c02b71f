"""Data of a whole application: a table whose columns are named by its inputs and by the values that are known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgewright_benchmarks.applications.value_metrics import VALUE_METRICS, metrics_of
from edgewright_benchmarks.data import (
    METADATA_FILES,
    PATH_COLUMNS,
    Dataset,
    check_there,
    data_digests,
    file_of_cell,
    read_rows,
)
from edgewright_runtime.applications.application import ApplicationPackage
from edgewright_runtime.samples import FILE_INPUTS
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

_ENDINGS = (".csv", ".tsv", ".jsonl")


def judged_values(package: ApplicationPackage) -> dict[str, str]:
    """Value to the metric that judges it where data has its ground truth."""
    checked = package.checked
    return metrics_of(checked.flow, checked.types, {name: one.manifest.task for name, one in package.models.items()})


def read_whole_data(path: str | Path, package: ApplicationPackage, *, most: int | None = None) -> Dataset:
    """Samples of an application: a dict of its inputs each, and as label a dict of the values that are known.

    Args:
        path: `.csv`, `.tsv` or `.jsonl` with a column for each input, and one for each value whose ground truth is
            known, named as in the application; or a folder with `metadata.csv` or `metadata.jsonl`.
        package: The application.
        most: Of more rows, draw so many.

    Raises:
        InputError: The file is missing, empty, in another form, or lacks an input.
    """
    table, flow, metrics = _table(Path(path)), package.checked.flow, judged_values(package)
    try:
        header, rows = read_rows(table, (*flow.input, *metrics))
        columns = {name: _column(table, header, name, flow.input) for name in flow.input}
        known = [value for value in metrics if value in header]
        samples = tuple(
            {name: _input(table, kind, name, row.get(columns[name]), place) for name, kind in flow.input.items()}
            for place, row in rows
        )
        digest, whole = data_digests([table], samples, [])
    except OSError as error:
        raise InputError(f"'{table}' cannot be read: {error}.") from error
    if not samples:
        raise InputError(f"'{table}' has no samples.")
    labels = tuple(
        {value: VALUE_METRICS[metrics[value]].read(row.get(value), f"{place}: {value}") for value in known}
        for place, row in rows
    )
    found = Dataset(name=Path(path).name, digest=digest, samples=samples, labels=labels if known else None, table=whole)
    return found if most is None else found.part(most)


def _table(path: Path) -> Path:
    if path.is_dir():
        found = [path / name for name in METADATA_FILES if (path / name).is_file()]
        if not found:
            raise InputError(
                f"'{path}' is a folder without {' or '.join(METADATA_FILES)}.",
                hint="Data of an application is a table with a column for each input.",
            )
        return found[0]
    if path.suffix.lower() not in _ENDINGS:
        raise InputError(
            f"'{path}': data of an application is a {', '.join(_ENDINGS)} file, or a folder with {METADATA_FILES[0]}."
        )
    check_there(path)
    return path


def _column(path: Path, header: list[str], name: str, inputs: Mapping[str, str]) -> str:
    """The column of an input; a file may also be called as such where there is one alone."""
    if name in header:
        return name
    files = [one for one, kind in inputs.items() if kind in FILE_INPUTS]
    if files == [name] and (found := [column for column in PATH_COLUMNS if column in header]):
        return found[0]
    raise InputError(
        f"'{path}' has no column '{name}'; its columns are: {first_few(header) or 'none'}.",
        hint=f"Name the columns as the inputs of the application: {', '.join(inputs)}.",
    )


def _input(path: Path, kind: str, name: str, cell: object, place: str) -> object:
    if kind in FILE_INPUTS:
        return file_of_cell(path, name, cell, place)
    if kind == "number":
        try:
            return float(str(cell))
        except ValueError:
            raise InputError(f"{place}: the {name} is not a number.") from None
    if not isinstance(cell, str) or not cell.strip():
        raise InputError(f"{place}: the {name} is empty.")
    return cell
