"""Which files a data set of Arrow's forms is made of: shards by their splits, or what `save_to_disk` wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath

from edgewright_benchmarks.data._stored import Stored
from edgewright_targets import InputError

PARQUET = ".parquet"
# `train-00000-of-00002.parquet`, `test.parquet`, `0000.parquet`
_SHARD = re.compile(r"(?P<split>.+?)-(?P<index>\d{5})-of-(?P<count>\d{5})(?:-[0-9a-f]+)?")


def find_stored(path: Path) -> Stored | None:
    """The data set of Arrow's forms that `path` names; None if it names no such data set.

    A folder of several splits is named with one of them behind it: `fashion/test`.

    Raises:
        InputError: It has several splits, or lacks files.
    """
    if path.suffix.lower() == PARQUET:
        return Stored(path, (path,)) if path.is_file() else None
    if (path / "dataset_dict.json").is_file():
        names = sorted(file.parent.name for file in path.glob("*/state.json"))
        raise _several(path, names)
    if (path / "state.json").is_file() and (path / "dataset_info.json").is_file():
        return Stored(path, _saved_files(path), path)
    if path.is_dir():
        splits = _splits(path)
        if len(splits) > 1:
            raise _several(path, sorted(splits))
        return Stored(path, _whole(next(iter(splits.values())))) if splits else None
    splits = _splits(path.parent) if path.parent.is_dir() else {}
    if path.name in splits:
        return Stored(path, _whole(splits[path.name]))
    # A table beside the shards has an ending, and is not one of their splits.
    if splits and not path.suffix:
        raise _several(path.parent, sorted(splits))
    return None


def _splits(folder: Path) -> dict[str, list[Path]]:
    """Shards of a folder by split; those in a folder of their own, other than `data`, by `<folder>/<split>`."""
    found: dict[str, list[Path]] = {}
    for file in sorted([*folder.glob("*.parquet"), *folder.glob("*/*.parquet")]):
        shard = _SHARD.fullmatch(file.stem)
        split = shard["split"] if shard else "" if file.stem.isdigit() else file.stem
        within = "" if file.parent == folder or file.parent.name == "data" else file.parent.name
        found.setdefault("/".join(part for part in (within, split) if part), []).append(file)
    return found


def _whole(shards: list[Path]) -> tuple[Path, ...]:
    shard = _SHARD.fullmatch(shards[0].stem)
    if shard is not None:
        there = {int(found["index"]) for file in shards if (found := _SHARD.fullmatch(file.stem))}
        count = int(shard["count"])
        missing = [index for index in range(count) if index not in there]
        if missing:
            name = f"{shard['split']}-{missing[0]:05}-of-{count:05}.parquet"
            raise InputError(
                f"'{shards[0].parent}': {len(missing)} of {count} shards are missing, the first is {name}.",
                hint="Copy all shards: figures from a part of a data set are not figures of the data set.",
            )
    return tuple(shards)


def _saved_files(folder: Path) -> tuple[Path, ...]:
    try:
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        names = [str(entry["filename"]) for entry in state["_data_files"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"'{folder / 'state.json'}' cannot be read: {error}.") from error
    for name in names:
        if PurePosixPath(name).name != name:
            raise InputError(f"'{folder / 'state.json'}' names a file outside its folder: {name!r}. It is not read.")
        if not (folder / name).is_file():
            raise InputError(f"'{folder}' lacks its file '{name}'.", hint="Copy the whole folder.")
    return tuple(folder / name for name in [*names, "state.json", "dataset_info.json"])


def _several(path: Path, names: list[str]) -> InputError:
    return InputError(
        f"'{path}' has several splits: {', '.join(names)}.",
        hint=f"Name one of them, for example: {path / names[0] if names else path}",
    )
