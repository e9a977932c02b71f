"""Folders of files: a folder for each class, its name the label; or files alone, which are not labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgewright_benchmarks.data._lines import warn_of_indices
from edgewright_benchmarks.truth.ground_truth import LABEL_COLUMN, Form, is_class_index
from edgewright_targets import InputError


def read_folder(path: Path, form: Form) -> tuple[list[Any], list[Any] | None]:
    """Samples and their ground truth, in the order of their names; see `read_dataset`. Hidden files are left out."""
    entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    folders = [entry for entry in entries if entry.is_dir()]
    files = [entry for entry in entries if not entry.is_dir()]
    if not folders:
        return list(files), None
    if form.truth.is_file:
        return _pairs(path, form, [folder.name for folder in folders])
    if files:
        raise InputError(
            f"'{path}' holds files ({files[0].name}, ...) beside the folders of its classes.",
            hint="Give each file a class by its folder, or put all files side by side for data without labels.",
        )
    if form.truth.column != LABEL_COLUMN:
        raise InputError(
            f"'{path}': folders name classes, but this task has no classes.",
            hint=f"Pass a table with the columns {form.names[0]} and {form.truth.column}.",
        )
    samples: list[Any] = []
    labels: list[Any] = []
    for folder in folders:
        label = form.truth.read(folder.name, form.class_names, f"'{path}'")
        # A video may be a folder of its frames.
        found = sorted(
            file
            for file in folder.iterdir()
            if (file.is_file() or form.names == ("video",)) and not file.name.startswith(".")
        )
        samples += found
        labels += [label] * len(found)
    if any(is_class_index(folder.name, form.class_names) for folder in folders):
        warn_of_indices(f"'{path}': its folders are named by", form.class_names)
    return samples, labels


def _pairs(path: Path, form: Form, folders: list[str]) -> tuple[list[Any], list[Any] | None]:
    """A folder of inputs, such as `images`, and one of ground truth, such as `masks`: files of the same names."""
    names = (f"{form.names[0]}s", f"{form.truth.column}s")
    if names[0] not in folders or not set(folders) <= set(names):
        raise InputError(
            f"'{path}' has the folders {', '.join(folders)}; expected {' and '.join(names)}.",
            hint="Files with the same name belong together: images/7.jpg and masks/7.png.",
        )
    inputs, truths = (_by_stem(path / name) for name in names)
    if names[1] not in folders:
        return list(inputs.values()), None
    for some, others, lacks in ((inputs, truths, names[1]), (truths, inputs, names[0])):
        if lonely := [file for stem, file in some.items() if stem not in others]:
            raise InputError(
                f"'{path}': {len(lonely)} of {len(some)} files have no partner in '{lacks}', such as "
                f"'{lonely[0].parent.name}/{lonely[0].name}'."
            )
    labels = []
    for stem, sample in inputs.items():
        place = f"'{sample}'"
        labels.append(form.truth.read(truths[stem], form.class_names, place))
        if form.truth.check is not None:
            form.truth.check(sample, labels[-1], place)
    return list(inputs.values()), labels


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    found: dict[str, Path] = {}
    for file in sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")):
        if file.stem in found:
            raise InputError(f"'{folder}' has two files with the same name: {found[file.stem].name} and {file.name}.")
        found[file.stem] = file
    return found
