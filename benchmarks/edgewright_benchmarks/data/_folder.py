"""Folders of files: a folder for each class, its name the label; or files alone, which are not labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgewright_benchmarks.truth import LABEL_COLUMN, Form
from edgewright_targets import InputError


def read_folder(path: Path, form: Form) -> tuple[list[Any], list[Any] | None]:
    """Samples and what is right, in the order of their names; see `read_dataset`. Hidden files are left out."""
    entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    folders = [entry for entry in entries if entry.is_dir()]
    files = [entry for entry in entries if not entry.is_dir()]
    if not folders:
        return list(files), None
    if files:
        raise InputError(
            f"'{path}' holds files ({files[0].name}, ...) beside the folders of its classes.",
            hint="Give each file a class by its folder, or put all files side by side for data without labels.",
        )
    if form.truth.column != LABEL_COLUMN:
        raise InputError(
            f"'{path}': folders name classes, and this task is not about classes.",
            hint=f"Pass a table with the columns {form.names[0]} and {form.truth.column}.",
        )
    samples: list[Any] = []
    labels: list[Any] = []
    for folder in folders:
        label = form.truth.read(folder.name, form.class_names, f"'{path}'")
        found = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        samples += found
        labels += [label] * len(found)
    return samples, labels
