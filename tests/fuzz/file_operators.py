"""Mutations of files and folders: what stands at a path is something else than a file."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz.room import Room

# The file or folder that is replaced, and where the case happens.
FileOperator = Callable[[Random, Path, Room], None]


def _gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def pipe(random: Random, path: Path, room: Room) -> None:
    """A pipe that nobody writes into."""
    _gone(path)
    os.mkfifo(path)


def link(random: Random, path: Path, room: Room) -> None:
    """A link: out of the folder, to a device, to itself, or to what stood there."""
    _link(path, room, random.choice((room.canary / "secret.txt", room.canary, *_PLACES)))


def own_link(random: Random, path: Path, room: Room) -> None:
    """A link in what the user names: to follow it is right, as caches of checkpoints are full of them."""
    _link(path, room, random.choice(_PLACES))


_PLACES = (Path("/dev/zero"), Path("/dev/full"), Path("/"), Path("kept"), Path("itself"))


def _link(path: Path, room: Room, place: Path) -> None:
    kept = room.folder / "kept"
    path.rename(kept)
    path.symlink_to({"kept": kept, "itself": path}.get(str(place), place))


def device(random: Random, path: Path, room: Room) -> None:
    """A device that never ends, or a socket where no device can be made."""
    _gone(path)
    try:
        os.mknod(path, 0o20666, os.makedev(1, 5))
    except OSError:
        with socket.socket(socket.AF_UNIX) as listener:
            place = Path.cwd()
            os.chdir(path.parent)
            listener.bind(path.name)
            os.chdir(place)


def folder(random: Random, path: Path, room: Room) -> None:
    """A folder."""
    _gone(path)
    path.mkdir()


def missing(random: Random, path: Path, room: Room) -> None:
    """Nothing."""
    _gone(path)


def empty(random: Random, path: Path, room: Room) -> None:
    """A file without bytes, or of holes: larger than the memory of a case, and still read through in seconds."""
    _gone(path)
    path.touch()
    os.truncate(path, random.choice((0, 1, 2**20, 3 * 2**30)))


# Of what the user names.
OWN_FILES: dict[str, FileOperator] = {
    "pipe": pipe,
    "link": own_link,
    "device": device,
    "folder": folder,
    "missing": missing,
    "holes": empty,
}
FILES = OWN_FILES | {"link": link}
