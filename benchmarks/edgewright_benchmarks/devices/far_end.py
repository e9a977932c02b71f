"""The far end of a connection to a device: keeps a work folder there, and removes it once nobody needs it.

Its source goes over the connection and is run by the Python there, which has nothing of ours yet: Python 3.11's
standard library only. A request is a JSON line on standard input, `put` is followed by bytes; each has one answer, a
JSON line `{"ok": true, ...}` or `{"ok": false, "error"}`. Where the connection ends without a goodbye, it waits for
another one to take over, and cleans up if none comes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import resource
import shutil
import signal
import sys
import time
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import IO, TypedDict, cast

SESSION = "EDGEWRIGHT_SESSION"
_STATE = "session.json"
_CHUNK = 1 << 20
_ENDING_SECONDS = 5.0
# What must never be read as the name of a file of ours.
_PART = ".part"

# Path of a file below its folder -> its bytes and its SHA-256.
Files = dict[str, tuple[int, str]]


class Request(TypedDict, total=False):
    """What requests have beside their `op`; each operation has some of it."""

    # hello: the work folder or None, whether to keep what is copied, seconds to wait for a connection, libraries.
    workdir: str | None
    keep: bool
    grace: float
    libraries: list[str]
    # lock: whether to wait for another session's end.
    wait: bool
    # have, put, finish: a folder and its files, which are zip archives where they are to be unpacked.
    name: str
    files: Files
    unpack: bool
    # put: a file, where in it the bytes go that follow, and how many they are.
    path: str
    offset: int
    bytes: int


class _State(TypedDict, total=False):
    """The process of the session, what it put into the work folder, and folders above that it made."""

    pid: int
    made: list[str]
    created: list[str]


class FarEnd:
    """One session on the work folder."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._token = os.environ[SESSION]
        self._folder = Path()
        self._lock: int | None = None
        self._keep = False
        self._grace = 0.0
        # What this session put here, and folders above the work folder that it had to make.
        self._made: list[str] = []
        self._created: list[str] = []

    def hello(self, request: Request) -> dict[str, object]:
        """Facts about this machine."""
        cache = os.environ.get("XDG_CACHE_HOME", "")
        base = Path(cache) if cache.startswith("/") else Path.home() / ".cache"
        self._folder = Path(request["workdir"] or base / "edgewright" / "remote")
        self._keep, self._grace = request["keep"], request["grace"]
        versions = {}
        for name in request["libraries"]:
            with contextlib.suppress(metadata.PackageNotFoundError):
                versions[name] = metadata.version(name)
        return {
            "folder": str(self._folder),
            "python": platform.python_version(),
            "implementation": sys.implementation.name,
            "architecture": platform.machine(),
            "system": platform.system(),
            "libc": " ".join(platform.libc_ver()).strip(),
            "emulated": _is_emulated(),
            "model": _text("/proc/device-tree/model").rstrip("\0\n"),
            "versions": versions,
            "memory_bytes": _free_memory(),
        }

    def lock(self, request: Request) -> dict[str, object]:
        """Take the folder for this session; waits for another one's end only where asked to."""
        self._end_processes()
        while True:
            missing = [path for path in self._folder.parents if not path.exists()]
            # A model is its owner's, and the folder may lie where others can read.
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._created += [str(path) for path in missing]
            lock = os.open(self._folder, os.O_RDONLY)
            # Whoever has the folder now cannot remove the folders around it once this session is in there.
            self._created = list(dict.fromkeys([*self._created, *self._state().get("created", ())]))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if request["wait"] else fcntl.LOCK_NB))
            except BlockingIOError:
                os.close(lock)
                return {"locked": False}
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), self._folder.stat()):
                    break
            # The session that had it removed it.
            os.close(lock)
        self._lock = lock
        # What an earlier connection, or a session that died, put here is now this one's to remove.
        state = self._state()
        self._made = list(dict.fromkeys([*state.get("made", ()), *self._made]))
        self._created = list(dict.fromkeys([*self._created, *state.get("created", ())]))
        self._note()
        return {"locked": True}

    def have(self, request: Request) -> dict[str, object]:
        """How much of a folder's files is here already: bytes of each, or that the folder is whole."""
        name, files = request["name"], request["files"]
        free = shutil.disk_usage(self._folder).free
        whole = self._folder / name
        if whole.is_dir():
            # Unpacked files are not those of the list: there the name, made last, has to do.
            if request["unpack"] or not self._wrong(whole, files):
                return {"whole": True, "have": {}, "free_bytes": free}
            shutil.rmtree(whole)
        if name not in self._made:
            self._made.append(name)
            self._note()
        part = self._folder / (name + _PART)
        part.mkdir(exist_ok=True)
        have = {}
        for path, (size, _) in files.items():
            file = _inside(part, path)
            there = file.stat().st_size if file.is_file() else 0
            have[path] = there if there <= size else 0
        return {"whole": False, "have": have, "free_bytes": free}

    def ping(self, request: object) -> dict[str, object]:
        """Nothing: the connection is there."""
        del request
        return {}

    def put(self, request: Request) -> dict[str, object]:
        """Append the bytes that follow to a file."""
        file = _inside(self._folder / (request["name"] + _PART), request["path"])
        left, failure = request["bytes"], None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("r+b" if file.exists() else "xb") as target:
                target.truncate(request["offset"])
                target.seek(request["offset"])
                while left:
                    block = self._source.read(min(_CHUNK, left))
                    if not block:
                        raise EOFError
                    left -= len(block)
                    target.write(block)
        except OSError as error:
            failure = error
        # A full disk must not leave bytes in the stream that would be read as a request.
        while left:
            block = self._source.read(min(_CHUNK, left))
            if not block:
                raise EOFError
            left -= len(block)
        if failure is not None:
            raise failure
        return {}

    def finish(self, request: Request) -> dict[str, object]:
        """Check digests and give the folder its name; what is wrong is removed and named in the answer."""
        part = self._folder / (request["name"] + _PART)
        wrong = self._wrong(part, request["files"])
        for path in wrong:
            _inside(part, path).unlink(missing_ok=True)
        if wrong:
            return {"wrong": wrong}
        if request["unpack"]:
            for path in request["files"]:
                with zipfile.ZipFile(part / path) as archive:
                    for member in archive.namelist():
                        _inside(part, member)
                    archive.extractall(part)  # names were checked above, and the digest before
                (part / path).unlink()
        part.rename(self._folder / request["name"])
        return {"wrong": []}

    def bye(self, request: object) -> dict[str, object]:
        """Clean up, and let go of the folder."""
        del request
        self._clean()
        return {}

    def outlive(self) -> None:
        """The connection ended without a goodbye: wait for another one, and clean up where none comes."""
        if self._lock is None:
            return
        os.close(self._lock)
        self._lock = None
        end = time.monotonic() + self._grace
        while time.monotonic() < end:
            time.sleep(0.2)
            if self._state().get("pid") != os.getpid():
                return
        self._lock = os.open(self._folder, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if self._state().get("pid") == os.getpid():
            self._clean()

    def _clean(self) -> None:
        self._end_processes()
        if not self._keep:
            for name in self._made:
                shutil.rmtree(self._folder / name, ignore_errors=True)
                shutil.rmtree(self._folder / (name + _PART), ignore_errors=True)
        with contextlib.suppress(OSError):
            (self._folder / _STATE).unlink()
            # What was kept before stays, and with it the folder.
            for folder in (self._folder, *map(Path, self._created)):
                folder.rmdir()

    def _wrong(self, folder: Path, files: Files) -> list[str]:
        return [path for path, (_, digest) in files.items() if _digest(_inside(folder, path)) != digest]

    def _state(self) -> _State:
        try:
            state = json.loads((self._folder / _STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return cast("_State", state) if isinstance(state, dict) else {}

    def _note(self) -> None:
        state = {"pid": os.getpid(), "made": self._made, "created": self._created}
        aside = self._folder / (_STATE + ".tmp")
        aside.write_text(json.dumps(state), encoding="utf-8")
        aside.replace(self._folder / _STATE)

    def _end_processes(self) -> None:
        """End what an earlier connection of this session left: its far end, and workers that have not noticed."""
        mark = f"{SESSION}={self._token}".encode()
        own = {os.getpid(), os.getppid()}
        end = time.monotonic() + _ENDING_SECONDS
        while time.monotonic() < end:
            found = 0
            for entry in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if int(entry.name) not in own and mark in (entry / "environ").read_bytes().split(b"\0"):
                        os.kill(int(entry.name), signal.SIGKILL)
                        found += 1
            if not found:
                return
            # They hold locks and files until the system is done with them.
            time.sleep(0.02)


def _inside(folder: Path, path: str) -> Path:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise ValueError(f"{path!r} leaves the folder")
    return folder / pure


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _is_emulated() -> bool:
    # As `edgewright_targets.host` finds it, which is not here yet.
    with contextlib.suppress(OSError):
        return Path("/proc/self/exe").readlink() != Path("/proc/thread-self/exe").readlink()
    return False


def _free_memory() -> int:
    """Bytes of memory that a process here may take, 0 where that is not known."""
    lines = [line.split() for line in _text("/proc/meminfo").splitlines()]
    limits = [int(words[1]) * 1024 for words in lines if words[:1] == ["MemAvailable:"]]
    group = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError):
        limit, used = ((group / name).read_text(encoding="ascii") for name in ("memory.max", "memory.current"))
        limits.append(max(0, int(limit) - int(used)))
    address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
    if address_space != resource.RLIM_INFINITY:
        limits.append(address_space)
    return min(limits, default=0)


def main() -> None:
    """Answer requests until the connection ends."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    source = sys.stdin.buffer
    end = FarEnd(source)
    known = {
        "hello": end.hello, "lock": end.lock, "ping": end.ping,
        "have": end.have, "put": end.put, "finish": end.finish, "bye": end.bye,
    }  # fmt: skip
    try:
        while line := source.readline():
            request = json.loads(line)
            try:
                answer = {"ok": True, **known[request["op"]](request)}
            except OSError as error:
                place = f" ('{error.filename}')" if error.filename else ""
                answer = {"ok": False, "error": f"{error.strerror or error}{place}"}
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()
            if request["op"] == "bye":
                return
    except (EOFError, OSError, ValueError):
        # Cut off inside a request, or while answering it.
        pass
    # Whoever waits for the end of these must not wait for the clean-up.
    for stream in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.close(stream)
    with contextlib.suppress(OSError):
        end.outlive()


if __name__ == "__main__":
    main()
