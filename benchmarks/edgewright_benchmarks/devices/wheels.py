"""The libraries of the runtime on a device: what is installed there where it fits, else wheels that are copied."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from edgewright_benchmarks.devices.responses import DeviceFacts
from edgewright_benchmarks.progress import Progress
from edgewright_runtime.steps import step_kind
from edgewright_targets import InputError, MissingDependencyError
from edgewright_targets.installed import has_pip

# All that the runtime imports; what their wheels require beyond is for other uses of theirs.
BASE = ("numpy", "onnxruntime")
# Module that a step imports -> distributions that it comes with, where these are not its own name alone.
_DISTRIBUTIONS = {
    "PIL": ("pillow",),
    # soundfile is made of cffi, and typed with the third of them.
    "soundfile": ("soundfile", "cffi", "typing-extensions"),
}


def needed(steps: Iterable[str]) -> tuple[str, ...]:
    """Distributions that a pipeline of these steps needs."""
    modules = dict.fromkeys(module for step in steps for module in step_kind(step).libraries)
    return (*BASE, *dict.fromkeys(name for module in modules for name in _DISTRIBUTIONS.get(module, (module,))))


def unfit(there: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that are not `there`, or in a version that this runtime does not work with."""
    required = _required()
    return tuple(name for name in names if name not in there or not _fits(there[name], required.get(name)))


def _required() -> dict[str, SpecifierSet]:
    """What this installation itself requires of its libraries, those of extras left out."""
    requirements = [Requirement(line) for line in metadata.requires("edgewright") or []]
    plain = [one for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    return {one.name: one.specifier for one in plain}


def _fits(version: str, required: SpecifierSet | None) -> bool:
    if required is None:
        return True
    try:
        return required.contains(version, prereleases=True)
    except ValueError:
        # What a device says may be not a version at all, or a number of more digits than Python reads.
        return False


def download(names: Iterable[str], facts: DeviceFacts, folder: Path, device: str, progress: Progress) -> list[Path]:
    """Fetch wheels for the machine of `facts` (as its far end says them) in the versions that are installed here.

    Raises:
        InputError: No wheels fit the device, or they cannot be fetched; the message says what the device lacks.
    """
    wanted = {name: metadata.version(name) for name in names}
    listing = ", ".join(f"{name} {version}" for name, version in wanted.items())
    lacking = f"Device '{device}' lacks {listing}"
    pins = [f"{name}=={version}" for name, version in wanted.items()]
    by_hand = f"Install it there: pip install {' '.join(pins)}"
    libc = re.fullmatch(r"glibc 2\.(\d+)", facts.libc)
    if libc is None or facts.implementation != "cpython":
        kind = facts.libc or facts.system
        raise InputError(f"{lacking}. Wheels can be copied to CPython on glibc only, not to {kind}.", hint=by_hand)
    if not has_pip():
        raise MissingDependencyError(
            f"{lacking}. pip is needed to fetch wheels, but is not installed here.", hint=by_hand
        )
    pip = pip_download(facts.architecture, int(libc.group(1)), ".".join(facts.python.split(".")[:2]), folder)
    progress.note(f"{lacking}; fetching wheels to copy ...")
    done = subprocess.run([*pip, *pins], capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        last = lines[-1].removeprefix("ERROR: ").rstrip(".") if lines else f"exit code {done.returncode}"
        raise InputError(f"{lacking}. pip cannot fetch wheels for the device: {last}.", hint=by_hand)
    return sorted(folder.glob("*.whl"))


def pip_download(machine: str, glibc: int, python: str, folder: Path) -> list[str]:
    """The command that fetches wheels for another machine into `folder`; what is to be fetched is appended.

    Args:
        machine: Architecture as `uname -m` prints it.
        glibc: Its glibc is 2.`glibc`: a wheel may ask for any up to it.
        python: Version of its CPython, such as `3.11`.
        folder: For the files.
    """
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, 16, -1)] + [f"manylinux2014_{machine}"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    return [*command, *(f"--platform={platform}" for platform in platforms), "--dest", str(folder)]
