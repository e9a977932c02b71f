"""QEMU in user mode: runs a process of another architecture on this kernel. One new enough, from the PATH or Debian."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from edgewright_benchmarks.progress import Progress
from edgewright_compiler.cache import StageCache
from edgewright_compiler.emulators import debian
from edgewright_compiler.emulators.tools import run_tool
from edgewright_targets import EdgewrightError, MissingDependencyError, host_facts

# 7.2 crashes with onnxruntime 1.32.
MINIMUM = 8
_BINARY = "qemu-aarch64"
_FILE = "about.json"
_INSTALL = f"Install QEMU {MINIMUM} or newer for user mode (Debian's package qemu-user) and put {_BINARY} on the PATH."
_LOOK_SECONDS = 30
_STAGE = "qemu"
_PACKAGE = "qemu-user"


@dataclass(frozen=True)
class Qemu:
    """A QEMU that is there: its binary, and its version such as `10.0.2`."""

    binary: Path
    version: str

    def cpus(self) -> list[str]:
        """Names of the processors it emulates."""
        # QEMU counts asking for help as not having run anything.
        listing = run_tool((self.binary, "-cpu", "help"), "Asking QEMU for its processors", codes=(0, 1))
        return sorted(line.strip() for line in listing.splitlines() if line.startswith("  "))


def on_path() -> tuple[Qemu | None, str]:
    """The newest QEMU on the PATH if it will do, and a sentence on what was found."""
    found = [qemu for name in (_BINARY, f"{_BINARY}-static") if (qemu := _look(shutil.which(name)))]
    if not found:
        return None, f"There is no {_BINARY} on the PATH."
    newest = max(found, key=lambda qemu: tuple(map(int, qemu.version.split("."))))
    if int(newest.version.split(".")[0]) < MINIMUM:
        return None, f"QEMU on the PATH is {newest.version}, but {MINIMUM} or newer is needed."
    return newest, f"QEMU {newest.version} is on the PATH."


def missing(cache: StageCache) -> str | None:
    """Why no QEMU can be had here, as a sentence with what to install; None if one can."""
    qemu, found = on_path()
    if qemu is not None or cache.find(_STAGE, _parts()) is not None:
        return None
    if debian.missing() is None:
        return None
    return f"{found} {_INSTALL}"


def find(cache: StageCache, progress: Progress) -> Qemu:
    """A QEMU that will do: from the PATH, else fetched into the cache, from Debian's release or its backports.

    Raises:
        MissingDependencyError: QEMU is neither installed nor available from the package sources.
    """
    qemu, found = on_path()
    if qemu is not None:
        return qemu

    def fetch(folder: Path) -> None:
        if debian.missing() is not None:
            raise MissingDependencyError(found, hint=_INSTALL)
        progress.note(f"{found} Fetching one.")
        with TemporaryDirectory(dir=folder) as scratch:
            unpacked = Path(scratch) / "unpacked"
            files = _packages(Path(scratch), found).fetch([_PACKAGE], unpacked, progress)
            # The package has a binary for each of some forty architectures.
            shutil.copy2(unpacked / "usr" / "bin" / _BINARY, folder / _BINARY)
        newer = _look(str(folder / _BINARY))
        if newer is None or int(newer.version.split(".")[0]) < MINIMUM:
            raise EdgewrightError(f"{found} Debian's QEMU does not run here.", hint=_INSTALL)
        (folder / _FILE).write_text(json.dumps({"version": newer.version, "packages": files}), encoding="utf-8")

    folder, _ = cache.get(_STAGE, _parts(), fetch)
    version = json.loads((folder / _FILE).read_text(encoding="utf-8"))["version"]
    return Qemu(folder / _BINARY, str(version))


def _packages(scratch: Path, found: str) -> debian.Packages:
    """Debian's release where its QEMU will do, else its backports."""
    release = debian.Packages.update(scratch / "release")
    if release.major_version(_PACKAGE) >= MINIMUM:
        return release
    sources = debian.backports()
    if sources is None:
        raise MissingDependencyError(f"{found} This system's package sources do not have it.", hint=_INSTALL)
    return debian.Packages.update(scratch / "backports", sources=sources)


def _parts() -> dict[str, object]:
    return {"release": debian.codename(), "machine": host_facts().architecture, "minimum": MINIMUM}


def _look(binary: str | None) -> Qemu | None:
    """The QEMU at this path with its version; None if it is not QEMU or does not run."""
    if binary is None:
        return None
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=_LOOK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"qemu-aarch64 version (\d+(?:\.\d+)+)", done.stdout)
    return Qemu(Path(binary), found.group(1)) if found else None
