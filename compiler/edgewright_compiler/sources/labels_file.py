"""Class names in a file, for sources that have none."""

from __future__ import annotations

import json
from pathlib import Path

from edgewright_benchmarks.data import open_text
from edgewright_targets import InputError

# What it is called beside a model, the first that there is.
_NAMES = ("labels.txt", "labels.json", "classes.txt")


def read_labels(path: str | Path) -> tuple[str, ...]:
    """The names in a text file, one a line, or in a list of JSON, by class index.

    Raises:
        InputError: It cannot be read, or two names are alike.
    """
    try:
        with open_text(Path(path)) as file:
            # Not `splitlines`: a name may hold another line separator of Unicode than those that end a line of a file.
            lines = list(file)
    except OSError as error:
        raise InputError(f"The labels '{path}' cannot be read: {error}.") from error
    if Path(path).suffix == ".json":
        try:
            names = json.loads("".join(lines))
        except (ValueError, RecursionError) as error:
            raise InputError(f"The labels '{path}' are not valid JSON: {error}.") from error
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(f"The labels '{path}' must be a list of names, by class index.")
    else:
        names = [line.strip() for line in lines if line.strip()]
    if not names or len(set(names)) != len(names):
        raise InputError(f"The labels '{path}' must be names, each different, one per line, by class index.")
    return tuple(names)


def labels_beside(folder: Path) -> tuple[str, ...]:
    """The names in the file of labels in a folder; empty where there is none.

    Raises:
        InputError: It cannot be read, or two names are alike.
    """
    found = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
    return read_labels(found) if found else ()
