"""Tables of samples, as builds and the bars read them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    """A CSV file; gives its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path
