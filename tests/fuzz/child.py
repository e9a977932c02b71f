"""One case in a process of its own, forked from one that has imported everything, with limits of memory and time."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzz.room import ESCAPE, Room

MEMORY_BYTES = 2 * 2**30
_FILE_BYTES = 2**30
_MESSAGE_LIMIT = 20_000
# Of a case that ends well.
CLEAN = ("accepted", "refused")


@dataclass(frozen=True)
class Limits:
    """A case takes a tenth of a second; these end what would never end.

    Attributes:
        processor: Seconds of processor time.
        waiting: Seconds in which it does nothing: more than any step of a conversation with a device may take.
    """

    processor: int = 20
    waiting: int = 20


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Attributes:
        kind: One of `CLEAN`, or `traceback`, `crash`, `hang`, `memory`, `changed`, `outside`, `text`, `harness`.
        reason: For people: the error and its last line of ours, a signal, what was touched.
        detail: The whole traceback, where there is one.
    """

    kind: str
    reason: str
    detail: str = ""


def run_apart(work: Callable[[], str], room: Room, limits: Limits = Limits()) -> Outcome:
    """Do `work` in a child; it gives what is wrong, or raises. The room was prepared, and is looked at afterwards."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _in_child(work, room, write, limits)
    os.close(write)
    ended = _wait(child, limits)
    # What the child started is gone with it, before anything is looked at.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    with os.fdopen(read, "rb") as pipe:
        written = pipe.read()
    code = os.waitstatus_to_exitcode(status)
    disturbed = room.disturbed()
    if disturbed:
        return Outcome("outside", ", ".join(disturbed))
    if not ended or code == -signal.SIGXCPU:
        return Outcome("hang", f"more than {limits.processor} s of processor time" if ended else "waits for ever")
    if used.ru_maxrss * 1024 > MEMORY_BYTES:
        return Outcome("memory", f"{used.ru_maxrss // 1024} MiB resident")
    if code:
        return Outcome("crash", signal.Signals(-code).name if code < 0 else f"exit code {code}", _output(room))
    return Outcome(**json.loads(written))


def _wait(child: int, limits: Limits) -> bool:
    """Whether it ended before it did nothing for too long; how busy others keep this machine does not matter."""
    handle = os.pidfd_open(child)
    used, idle = "", 0
    try:
        while idle < limits.waiting:
            if select.select([handle], [], [], 1)[0]:
                return True
            # Behind the name in brackets: the state, 10 other fields, then the ticks in user and in kernel mode.
            fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            before, used = used, " ".join((fields[0], *fields[11:13]))
            idle = idle + 1 if used == before and fields[0] == "S" else 0
    finally:
        os.close(handle)
    return False


def _output(room: Room) -> str:
    return (room.folder / "output").read_text(encoding="utf-8", errors="replace")[-2000:]


def _in_child(work: Callable[[], str], room: Room, pipe: int, limits: Limits) -> None:
    """Never comes back."""
    try:
        os.setsid()
        outside = _enter(room, limits)
        outcome = _outcome(work)
        if outside:
            outcome = Outcome("outside", outside[0])
        elif outcome.kind in CLEAN and ESCAPE in _output(room):
            outcome = Outcome("text", "an escape sequence reaches the terminal")
        with os.fdopen(pipe, "wb") as file:
            file.write(json.dumps(outcome.__dict__).encode())
            file.flush()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a child must never go on as if it were its parent
        os._exit(77)


def _enter(room: Room, limits: Limits) -> list[str]:
    """Limits, an own home, and a list that gets what is written elsewhere."""
    for name, folder in {"HOME": "home", "XDG_CACHE_HOME": "cache", "TMPDIR": "tmp"}.items():
        os.environ[name] = str(room.folder / folder)
    import tempfile

    tempfile.tempdir = str(room.folder / "tmp")
    os.chdir(room.folder)
    output = os.open(room.folder / "output", os.O_CREAT | os.O_RDWR | os.O_APPEND)
    empty = os.open(os.devnull, os.O_RDONLY)
    for number, target in ((0, empty), (1, output), (2, output)):
        os.dup2(target, number)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, used + MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor, limits.processor + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where the process that waits for this one is killed, this one does not wait for ever.
    signal.alarm(600)
    outside: list[str] = []
    sys.addaudithook(lambda event, arguments: _watch(event, arguments, room, outside))
    return outside


_WRITES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.chmod", "os.truncate"}


def _watch(event: str, arguments: tuple[Any, ...], room: Room, outside: list[str]) -> None:
    """Note what Python code opens for writing, makes or removes outside the case's folder."""
    if event == "open":
        writes = bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
        paths = arguments[:1] if writes else ()
    elif event in _WRITES:
        paths = arguments[1:2] if event in ("os.symlink", "os.link") else arguments[: 2 if event == "os.rename" else 1]
    else:
        return
    for path in paths:
        if isinstance(path, (str, bytes)):
            place = os.path.realpath(os.path.dirname(os.path.abspath(os.fsdecode(path))))  # noqa: PTH100, PTH120
            if place != "/dev" and not f"{place}/".startswith(f"{room.folder}/"):
                outside.append(f"{event} {os.fsdecode(path)[:200]!r}")


def _outcome(work: Callable[[], str]) -> Outcome:
    from edgewright_benchmarks.devices.engine_worker import WorkerError
    from edgewright_targets import EdgewrightError

    try:
        wrong = work()
    except (EdgewrightError, WorkerError) as error:
        if len(str(error)) > _MESSAGE_LIMIT:
            return Outcome("text", f"a message of {len(str(error))} characters: {str(error)[:200]}")
        return Outcome("refused", f"{type(error).__name__}: {str(error)[:300]}")
    except BaseException as error:  # noqa: BLE001 - whatever escapes is what is looked for, panics included
        kind = "memory" if isinstance(error, MemoryError) else "traceback"
        where = [frame for frame in traceback.extract_tb(error.__traceback__) if "/edgewright_" in frame.filename]
        place = f" at {Path(where[-1].filename).name}:{where[-1].lineno}" if where else ""
        text = "".join(traceback.format_exception(error, limit=-30))[-6000:]
        return Outcome(kind, f"{type(error).__name__}{place}: {str(error)[:150]}", text)
    return Outcome("changed", wrong) if wrong else Outcome("accepted", "")


def copied(seed: Path, room: Room) -> Path:
    """A copy of a seed in the room's folder."""
    path = room.folder / seed.name
    return Path(shutil.copytree(seed, path) if seed.is_dir() else shutil.copyfile(seed, path))
