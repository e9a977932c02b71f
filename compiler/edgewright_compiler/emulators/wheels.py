"""Wheels for another architecture, at the versions that are installed here, so that answers can be compared."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from edgewright_benchmarks.devices.wheels import needed, pip_download
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.emulators.tools import run_tool
from edgewright_runtime.steps import STEPS
from edgewright_targets import EdgewrightError, MissingDependencyError
from edgewright_targets.installed import has_pip

# What every package may need; what these wheels require beyond is for other uses of theirs.
NAMES = ("numpy", "onnxruntime", "tokenizers")
# What the steps of pictures, recordings and videos need beyond these.
_OF_STEPS = tuple(name for name in needed(STEPS) if name not in NAMES)


def missing() -> str | None:
    """Why wheels cannot be had here, as a sentence with what to install; None if they can."""
    if not has_pip():
        return (
            f"'{sys.executable}' has no pip, which is needed to fetch wheels: '{sys.executable} -m ensurepip' "
            "installs it."
        )
    return None


def wanted() -> dict[str, str]:
    """Versions of the wheels: those installed here.

    Raises:
        MissingDependencyError: One is not installed here.
    """
    versions = installed_versions(NAMES)
    absent = [name for name in NAMES if name not in versions]
    if absent:
        raise MissingDependencyError(
            f"{', '.join(absent)} is not installed here, so the version for the emulator is unknown.",
            hint=f"Install it with: pip install {' '.join(absent)}",
        )
    return versions


def wanted_by_steps() -> dict[str, str]:
    """Versions of the libraries of steps that are installed here; a package that needs another cannot be built here."""
    return installed_versions(_OF_STEPS)


def fetch(
    versions: Mapping[str, str], machine: str, libc: str, python: str, destination: Path, scratch: Path, bar: Progress
) -> None:
    """Unpack these wheels into `destination`.

    Args:
        versions: Name to version.
        machine: Architecture as `uname -m` prints it.
        libc: Version of glibc there, such as `2.36`: a wheel may ask for any up to it.
        python: Version of Python there, such as `3.11`.
        destination: Where a `PYTHONPATH` may point to.
        scratch: For the files.
        bar: Where progress is shown.
    """
    pip = pip_download(machine, int(libc.split(".")[1]), python, scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    shown = bar.bar("fetching wheels", len(versions))
    try:
        for name, version in versions.items():
            hint = f"The emulator needs {name} {version} for {machine} and Python {python}, as it is installed here."
            before = set(scratch.iterdir())
            run_tool([*pip, f"{name}=={version}"], f"Fetching {name} for {machine}", hint=hint)
            (made,) = set(scratch.iterdir()) - before
            unpack(made, destination)
            shown.update()
    finally:
        shown.close()


def unpack(wheel: Path, destination: Path) -> None:
    """Unpack a wheel.

    Raises:
        EdgewrightError: A name in it leads out of the destination.
    """
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name:
                raise EdgewrightError(f"'{wheel.name}' holds '{name}', which is outside its folder.")
        archive.extractall(destination)  # names were checked above
