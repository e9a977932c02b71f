"""Files that a verb writes for the user: tried before long work begins, whole or not there when it ends."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from edgewright_targets import InputError


def check_writable(path: str | None, *, new_folder: bool = False) -> None:
    """Raise unless a file can be written at `path`; nothing is left there by the try.

    Args:
        path: Of the file; None is no file.
        new_folder: Its folder will be made.
    """
    if path is None:
        return
    folder = Path(path).absolute().parent
    if Path(path).is_dir():
        raise InputError(f"'{path}' cannot be written: it is a folder.")
    while new_folder and not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise InputError(f"'{path}' cannot be written: there is no folder '{folder}'.")
    if _special(Path(path)):
        return
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"'{path}' cannot be written: {error.strerror} ('{folder}').") from error


def write_file(path: str, write: Callable[[Path], object]) -> None:
    """Let `write` make a file aside, and give it its name when it is whole."""
    # Not above: its libraries would make `--help` slower.
    from edgewright_runtime.aside import folder_aside

    target = Path(path)
    try:
        if _special(target):
            write(target)
            return
        with folder_aside(target.absolute().parent, f".{target.name}.") as folder:
            made = folder / target.name
            write(made)
            made.replace(target)
    except OSError as error:
        raise InputError(f"'{path}' cannot be written: {error.strerror}.") from error


def _special(path: Path) -> bool:
    # /dev/stdout, a named pipe: nothing can take their place.
    return path.exists() and not path.is_file()
