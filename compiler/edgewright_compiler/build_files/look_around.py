"""What a first build file can say of a source: its task, its labels, and the data that lie beside it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edgewright_benchmarks.data import PARQUET, READERS, DataWarning, read_dataset
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.sources import Source, SourceOptions, open_source
from edgewright_compiler.sources.labels_file import read_labels
from edgewright_targets import InputError
from edgewright_targets.errors import first_line

# What people call data of a purpose, the clearest first.
NAMES = {
    "evaluation": ("validation", "valid", "val", "dev", "evaluation", "eval"),
    "calibration": ("calibration", "calib", "train", "training"),
    "test": ("test", "testing"),
}
_LABELS = ("labels.txt", "labels.json", "classes.txt", "classnames.txt")


@dataclass(frozen=True)
class FoundData:
    """Data of a purpose.

    Attributes:
        path: From the folder of the build file.
        samples: How many; 0 where they cannot be read.
        labelled: Whether they have ground truth.
        problem: Why they cannot be read for this source; empty where they can.
    """

    path: str
    samples: int = 0
    labelled: bool = False
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """A source and what lies beside it.

    Attributes:
        source: As a build file in the folder names it.
        name: Of the model.
        task: Of the source.
        asked_task: It was said, and not found.
        labels: How many classes have names.
        labels_file: The file that has them, from the folder of the build file; empty where the source does.
        data: Purpose (see `NAMES`) to what was found.
    """

    source: str
    name: str
    task: str
    asked_task: bool
    labels: int
    labels_file: str
    data: dict[str, FoundData]


def look_around(
    spec: str, folder: Path, *, task: str | None, labels: str | None, fetch: bool, progress: Progress
) -> Surroundings:
    """Open a source, and look for data in its folder, in those beside it and here.

    Args:
        spec: The source, as it is named from the working folder.
        folder: Where the build file will be.
        task: Instead of the task that the source tells.
        labels: File with class names.
        fetch: Whether a source of the Hugging Face hub is fetched.
        progress: Told what is read.

    Raises:
        InputError: The source cannot be opened.
    """
    places = tuple(_places(spec, folder))
    source, labels = _open(spec, SourceOptions(task, fetch=fetch), labels, places, progress)
    return Surroundings(
        # Another name than that of a file stays as it is: a function of Python, an id of the hub.
        source=_from(folder, Path(spec)) if Path(spec).exists() else spec,
        name=Path(source.name).name,
        task=source.task,
        asked_task=task is not None,
        labels=len(source.labels),
        labels_file="" if labels is None else _from(folder, Path(labels)),
        data={
            purpose: data for purpose in NAMES if (data := _find(purpose, places, folder, source, progress)) is not None
        },
    )


def _open(
    spec: str, options: SourceOptions, labels: str | None, places: tuple[Path, ...], progress: Progress
) -> tuple[Source, str | None]:
    """The source, and the file with its labels: one that lies beside it only where it has none of its own."""

    def opened(file: str | None) -> Source:
        return open_source(spec, replace(options, labels=read_labels(file) if file else None), progress=progress)

    beside = next((str(place / name) for place in places[:1] for name in _LABELS if (place / name).is_file()), None)
    try:
        source = opened(labels)
    except InputError:
        if labels is not None or beside is None:
            raise
        return opened(beside), beside
    if labels is None and beside is not None and not source.labels and source.task != "arrays":
        return opened(beside), beside
    return source, labels


def _places(spec: str, folder: Path) -> Iterator[Path]:
    """Folders where data may lie, the nearest to the source first."""
    near = [Path(spec).absolute().parent, Path(spec).absolute().parent.parent] if Path(spec).exists() else []
    seen = set()
    for place in (*near, folder.absolute()):
        for one in (place, place / "data"):
            if one not in seen and one.is_dir():
                seen.add(one)
                yield one


def _find(purpose: str, places: tuple[Path, ...], folder: Path, source: Source, progress: Progress) -> FoundData | None:
    """The first data of this purpose that the source takes; if it takes none, the first that it does not take."""
    refused = None
    for path in _candidates(purpose, places):
        here = _from(Path.cwd(), path)
        progress.note(f"Reading {here}")
        try:
            with warnings.catch_warnings():
                # A build says it again.
                warnings.simplefilter("ignore", DataWarning)
                data = read_dataset(
                    here,
                    task=source.task,
                    input_name=source.input_name,
                    class_names=source.labels,
                    arrays=source.arrays(),
                    windows=source.windows,
                )
        except InputError as error:
            refused = refused or FoundData(_from(folder, path), problem=first_line(error))
            continue
        return FoundData(_from(folder, path), len(data.samples), data.labels is not None)
    return refused


def _candidates(purpose: str, places: tuple[Path, ...]) -> Iterator[Path]:
    for place in places:
        for name in NAMES[purpose]:
            for path in sorted(place.glob(f"{name}*")):
                is_table = path.is_file() and path.stem == name and path.suffix.lower() in (*READERS, PARQUET)
                if is_table or (path.is_dir() and path.name == name):
                    yield path


def _from(folder: Path, path: Path) -> str:
    """A path from a folder, with `/` on every system."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        # Another drive.
        return path.absolute().as_posix()
