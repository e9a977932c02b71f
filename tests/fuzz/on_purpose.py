"""Faults made on purpose, one of each kind: the fuzz test must find them. Prints how each ended, as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgewright_targets import InputError
from fuzz.child import Limits, run_apart
from fuzz.room import ESCAPE, Room


def _faults(room: Room) -> dict[str, Callable[[], Any]]:
    secret = room.canary / "secret.txt"

    def spin() -> None:
        while True:
            pass

    def refuse(message: str) -> None:
        raise InputError(message)

    class UnboundedError(InputError):
        """Its message does not pass the bound that every error on purpose has."""

        def __str__(self) -> str:
            return "x" * 100_000

    def refuse_at_length() -> None:
        raise UnboundedError("")

    return {
        "accepted": lambda: "",
        "refused": lambda: refuse("no"),
        "changed": lambda: "accepted, and its content is another",
        "traceback": lambda: os.environ["NO_SUCH_VARIABLE"],
        "panic": lambda: sys.exit(0),
        "crash": os.abort,
        "exit": lambda: os._exit(3),
        "spins": spin,
        "waits": lambda: time.sleep(1000),
        "too much memory": lambda: bytes(3 * 2**30),
        "writes": lambda: secret.write_text("x"),
        "reads": lambda: secret.read_text() and "",
        "removes": secret.unlink,
        "makes": (room.canary / "more").mkdir,
        "makes beside": (room.base / "more").touch,
        "writes elsewhere": (room.base.parent / "elsewhere").touch,
        "long message": refuse_at_length,
        "escape sequence": lambda: print(f"a name {ESCAPE}", flush=True),
    }


def main(base: Path) -> None:
    """Run all of them below `base`."""
    found = {}
    for name in _faults(Room(base)):
        room = Room(base / name.replace(" ", "-"))
        room.base.mkdir()
        room.prepare()
        found[name] = run_apart(_faults(room)[name], room, Limits(processor=1, waiting=2)).kind
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
