"""Which releases of a library there are, as pip knows them, and which one is meant by a version."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata

from packaging.version import InvalidVersion, Version

from edgewright_benchmarks.matrix.libraries import AskedVersion

# pip of this Python, with the settings of its user; of other packages on disk only wheels are looked at, as nothing is
# compiled for a measurement. A user's own `user = true` is for environments that have such a folder.
PIP = (sys.executable, "-m", "pip")
PIP_QUIET = ("--disable-pip-version-check", "--no-input", "--only-binary=:all:")
# Releases that a message names on either side of one that is not there.
_NEAR = 2


class NotInstalledError(Exception):
    """A version cannot be had; the text is the reason, a sentence for people."""


def pip_environment() -> dict[str, str]:
    """Environment variables for pip."""
    return {**os.environ, "PIP_USER": "0"}


def pip_reason(stderr: bytes, code: int) -> str:
    """Why pip gave up, from its last error, as a sentence."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    last = errors[-1] if errors else lines[-1] if lines else f"exit code {code}"
    return f"{last.rstrip('.')}."


@functools.cache
def released(library: str) -> tuple[str, ...]:
    """Versions of a library that pip finds for this Python and machine, the newest first.

    Raises:
        NotInstalledError: pip cannot tell, such as without a network.
    """
    command = [*PIP, "index", "versions", library, *PIP_QUIET, "--pre"]
    done = subprocess.run(command, capture_output=True, check=False, env=pip_environment())
    found = re.search(rb"^Available versions: (.+)$", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise NotInstalledError(
            f"pip cannot tell which versions of {library} there are: {pip_reason(done.stderr, done.returncode)}"
        )
    return tuple(word.strip() for word in found[1].decode(errors="replace").split(",") if _is_version(word.strip()))


def release_of(asked: AskedVersion, kept: Iterable[str]) -> str:
    """The release that is meant; one of those that were installed before is taken without asking pip.

    Args:
        asked: What a person wrote.
        kept: Versions of this library that were installed before.

    Raises:
        NotInstalledError: There is none such, or pip cannot tell.
    """
    if before := [version for version in kept if asked.fits(version)]:
        return max(before, key=Version)
    try:
        there = released(asked.library)
    except NotInstalledError:
        if asked.exact:
            # Whether it can be had is said by the attempt.
            return str(asked.version)
        raise
    if fitting := [version for version in there if asked.fits(version)]:
        return max(fitting, key=Version)
    raise NotInstalledError(_not_there(asked, there))


def _not_there(asked: AskedVersion, there: Iterable[str]) -> str:
    final = sorted(Version(one) for one in there if not Version(one).is_prerelease)
    below = [one for one in final if one < asked.version][-_NEAR:]
    above = [one for one in final if one > asked.version][:_NEAR]
    near = [str(one) for one in (*below, *above)]
    listing = f" Near it are {', '.join(near)}." if near else ""
    return f"pip finds no release {asked.text} of {asked.library} for this Python and machine.{listing}"


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def all_versions(libraries: Iterable[str], asked: Mapping[str, str]) -> dict[str, str]:
    """Library to its version: the one that was asked for, else the one that is installed here.

    Args:
        libraries: All that an environment needs.
        asked: Those that are varied, with their versions.

    Raises:
        NotInstalledError: One is neither asked for nor installed.
    """
    try:
        return {library: asked.get(library) or metadata.version(library) for library in libraries}
    except metadata.PackageNotFoundError as error:
        raise NotInstalledError(
            f"It needs {error.name}, which is not installed here, so its version is not known; "
            f"--library {error.name}=VERSION names one."
        ) from error


def pins(versions: Mapping[str, str]) -> list[str]:
    """As pip takes them."""
    return [f"{name}=={version}" for name, version in versions.items()]
