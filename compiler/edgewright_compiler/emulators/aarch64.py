"""64-bit Arm: the device runtime in Debian's arm64 Python with the aarch64 wheels, under QEMU in user mode.

The processor is chosen by its name, and with it the instructions that ONNX Runtime finds: `cortex-a72` has neither
half floats nor dot products, `cortex-a76` has both, `neoverse-v1` and `max` have i8mm and bf16 as well.
Paths below the system folder are taken from there first, all others are this machine's: packages need not be copied.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from edgewright_benchmarks.devices.parts import DEVICE_SIDE
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.cache import StageCache
from edgewright_compiler.emulators import debian, qemu, wheels
from edgewright_compiler.emulators.qemu import Qemu
from edgewright_compiler.emulators.tools import run_tool
from edgewright_compiler.graphs.exported import tree_digest
from edgewright_targets import EdgewrightError, InputError, MissingDependencyError, host_facts, nearest

ARCHITECTURE = "aarch64"
DEFAULT_CPU = "max"
# Raise where the code below changes what a prepared system holds.
_REVISION = 2
_DEBIAN_ARCHITECTURE = "arm64"
_LOADER = "lib/ld-linux-aarch64.so.1"
_FILE = "about.json"
_SITE = "edgewright-site"
_STAGE = f"{ARCHITECTURE}-system"
# Apart from the system, which is far larger and changes for other reasons.
_LIBRARIES_STAGE = f"{ARCHITECTURE}-libraries"
_START = """
import sys
sys.path[:0] = sys.argv[2:]
from edgewright_runtime.worker import main
main(emulator=sys.argv[1])
"""


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A prepared emulator.

    Attributes:
        qemu: What emulates.
        system: Folder of the emulated system.
        own: Folder with Edgewright's device side.
        libraries: Folder with what the steps of pictures, recordings and videos need.
        bytecode: Folder in which Python there keeps what it compiled.
        python: Python's version there, such as `3.11`.
        versions: Name to version of the wheels there.
        digest: Of all that is in the system folder.
    """

    qemu: Qemu
    system: Path
    own: Path
    libraries: Path
    bytecode: Path
    python: str
    versions: dict[str, str]
    digest: str

    def command(self, cpu: str = DEFAULT_CPU) -> tuple[str, ...]:
        """Starts a worker on this processor; for `WorkerProcess(command=...)`.

        Raises:
            InputError: QEMU does not know the processor.
        """
        known = self.qemu.cpus()
        if cpu not in known:
            raise InputError(f"QEMU {self.qemu.version} does not emulate '{cpu}'.", hint=nearest(cpu, known))
        about = f"{cpu} emulated by QEMU {self.qemu.version}"
        paths = (str(self.own), self._site, str(self.libraries))
        return (*_python(self.qemu, self.system, self.python, cpu, self.bytecode), "-c", _START, about, *paths)

    @property
    def _site(self) -> str:
        return str(self.system / _SITE)

    def facts(self) -> dict[str, str]:
        """The versions and digests that outputs depend on."""
        return {"qemu": self.qemu.version, "system": self.digest, "libraries": self.libraries.name}

    def about(self) -> dict[str, object]:
        """What there is to say about it, as plain data."""
        return {
            "architecture": ARCHITECTURE,
            "folder": str(self.system),
            "bytes": self.size(),
            "digest": self.digest,
            "qemu": {"binary": str(self.qemu.binary), "version": self.qemu.version},
            "python": self.python,
            "wheels": self.versions,
            "cpus": self.qemu.cpus(),
        }

    def lines(self) -> list[str]:
        """The facts as lines for people."""
        wheels = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return [
            f"{self.system}: {self.size() / 1e6:,.1f} MB with QEMU and the runtime",
            f"QEMU {self.qemu.version}, Python {self.python}, {wheels}.",
            f"Processors: {', '.join(self.qemu.cpus())}. Times in an emulator are meaningless.",
        ]

    def size(self) -> int:
        """Bytes on disk, without the bytecode that each start may add to."""
        files = [
            path
            for folder in (self.system, self.own, self.libraries)
            for path in folder.rglob("*")
            if not path.is_symlink()
        ]
        return sum(path.stat().st_size for path in (*files, self.qemu.binary) if path.is_file())


def missing(cache: StageCache | None = None) -> str | None:
    """Why this cannot run on this machine, as a sentence with what to install; None if it can. Does no work."""
    cache = cache or StageCache()
    if sys.platform != "linux":
        return "QEMU's user mode needs Linux."
    if host_facts().architecture == ARCHITECTURE:
        return f"This machine is {ARCHITECTURE} itself: there is nothing to emulate."
    if cache.find(_STAGE, _parts()) is not None:
        # What fetches is not needed any more.
        fetched = cache.find(_LIBRARIES_STAGE, _library_parts()) is not None
        return (None if fetched else wheels.missing()) or qemu.missing(cache)
    return debian.missing() or wheels.missing() or qemu.missing(cache)


def prepare(progress: Progress, cache: StageCache | None = None) -> Emulator:
    """Fetch what is not in the cache yet, and give the emulator.

    Raises:
        MissingDependencyError: Something is missing on this machine; the message says what to install.
        EdgewrightError: Something could not be fetched, or does not run.
    """
    cache = cache or StageCache()
    reason = missing(cache)
    if reason is not None:
        raise MissingDependencyError(f"{ARCHITECTURE} cannot be emulated here. {reason}")
    versions = wheels.wanted()
    emulating = qemu.find(cache, progress)
    system, _ = cache.get(_STAGE, _parts(), lambda folder: _make(folder, emulating, versions, progress))
    about = json.loads((system / _FILE).read_text(encoding="utf-8"))
    python, libc, more = str(about["python"]), _libc(about["packages"]), wheels.wanted_by_steps()

    def fetch(folder: Path) -> None:
        with TemporaryDirectory(dir=folder) as scratch:
            wheels.fetch(more, ARCHITECTURE, libc, python, folder, Path(scratch), progress)

    libraries, _ = cache.get(_LIBRARIES_STAGE, _library_parts(), fetch)
    own = _own(cache)
    # Debian compiles its library where it is installed, and pip does so with a wheel. Here neither was, and to
    # compile takes most of a start; who imports a file first keeps its bytecode here for the others.
    sources = {"system": system.name, "libraries": libraries.name, "own": own.name}
    bytecode, _ = cache.get(f"{ARCHITECTURE}-bytecode", sources, lambda _: None)
    return Emulator(
        qemu=emulating,
        system=system,
        own=own,
        libraries=libraries,
        bytecode=bytecode,
        python=python,
        versions=versions | more,
        digest=str(about["digest"]),
    )


def _parts() -> dict[str, object]:
    return {"revision": _REVISION, "release": debian.codename(), "wheels": wheels.wanted()}


def _library_parts() -> dict[str, object]:
    return {"system": _parts(), "wheels": wheels.wanted_by_steps()}


def _libc(files: Sequence[str]) -> str:
    """The version of glibc among the files of Debian's packages."""
    return next(found.group(1) for file in files if (found := re.match(r"libc6_(2\.\d+)", file)))


def _make(folder: Path, emulating: Qemu, versions: dict[str, str], progress: Progress) -> None:
    progress.note(f"Preparing the {ARCHITECTURE} system.")
    with TemporaryDirectory(dir=folder) as name:
        scratch = Path(name)
        packages = debian.Packages.update(scratch / "apt", _DEBIAN_ARCHITECTURE)
        python = _python_version(packages)
        roots = [f"python{python}-minimal", f"libpython{python}-stdlib", "libstdc++6"]
        # Dependencies reach as far as perl and dpkg, which only installing needs: libraries and Python are enough.
        names = [name for name in packages.needed(roots) if _is_library(name) or name in roots]
        files = packages.fetch(names, folder, progress)
        if not (folder / "lib").exists():
            # Newer releases keep everything below /usr, and a package of its own makes this link.
            (folder / "lib").symlink_to("usr/lib")
        if not (folder / _LOADER).exists():
            raise EdgewrightError(f"Debian's packages hold no '{_LOADER}': {', '.join(files)}.")
        wheels.fetch(versions, ARCHITECTURE, _libc(files), python, folder / _SITE, scratch / "wheels", progress)
    about = {"python": python, "packages": files, "wheels": versions, "digest": tree_digest(folder)}
    (folder / _FILE).write_text(json.dumps(about, indent=2), encoding="utf-8")
    progress.note("Starting the system once.")
    code = f"import sys; sys.path.insert(0, sys.argv[1]); import {', '.join(versions)}"
    run_tool(
        (*_python(emulating, folder, python, DEFAULT_CPU), "-c", code, folder / _SITE),
        f"Starting Python under QEMU {emulating.version}",
    )


def _python_version(packages: debian.Packages) -> str:
    for name in packages.depends("python3-minimal"):
        found = re.fullmatch(r"python(3\.\d+)-minimal", name)
        if found:
            return found.group(1)
    raise EdgewrightError("Debian's package python3-minimal does not depend on a Python.")


def _is_library(name: str) -> bool:
    return name.startswith(("lib", "zlib1g")) and not name.startswith("libperl")


def _python(emulating: Qemu, system: Path, version: str, cpu: str, bytecode: Path | None = None) -> tuple[str, ...]:
    # What this machine's loader is told must not reach the other one. -I: nor what this Python is told.
    unset = [part for name in ("LD_LIBRARY_PATH", "LD_PRELOAD") for part in ("-U", name)]
    binary = str(system / "usr" / "bin" / f"python{version}")
    kept = ("-B",) if bytecode is None else ("-X", f"pycache_prefix={bytecode}")
    return (str(emulating.binary), "-cpu", cpu, *unset, "-L", str(system), binary, "-I", *kept)


def _own(cache: StageCache) -> Path:
    """A folder with the device side of this very installation, beside which there is nothing for this architecture."""
    with TemporaryDirectory() as name:
        scratch = Path(name) / "own"
        for package in DEVICE_SIDE:
            with resources.as_file(resources.files(package)) as source:
                shutil.copytree(source, scratch / package, ignore=shutil.ignore_patterns("__pycache__"))
        digest = tree_digest(scratch)

        def copy(folder: Path) -> None:
            shutil.copytree(scratch, folder, dirs_exist_ok=True)

        folder, _ = cache.get(f"{ARCHITECTURE}-edgewright", {"digest": digest}, copy)
    return folder
