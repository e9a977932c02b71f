"""Virtual environments with exact versions of libraries, made once and kept in the cache folder.

An environment has its final name when it is whole. One that is there is used without pip, and without a network.
"""

from __future__ import annotations

import compileall
import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO, Final

from edgewright_benchmarks.devices.engine_worker import EngineWorker
from edgewright_benchmarks.devices.here import ThisMachine
from edgewright_benchmarks.devices.parts import DEVICE_SIDE
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.matrix.libraries import words_of
from edgewright_benchmarks.matrix.releases import (
    PIP,
    PIP_QUIET,
    NotInstalledError,
    pins,
    pip_environment,
    pip_reason,
)
from edgewright_benchmarks.progress import Progress
from edgewright_runtime.aside import folder_aside
from edgewright_runtime.cache_folder import ENVIRONMENTS, cache_folder
from edgewright_targets import InputError, MissingDependencyError
from edgewright_targets.installed import has_pip

_FACTS: Final = "environment.json"
_PREFIX: Final = "environment-"
_RUN_WORKER = "import sys; sys.path.insert(0, sys.argv[1]); from edgewright_runtime import worker; worker.main()"


@dataclass(frozen=True)
class Environment:
    """A virtual environment that is whole.

    Attributes:
        python: Its interpreter.
        versions: Library to its version.
    """

    python: Path
    versions: Mapping[str, str]


class EnvironmentDevice(ThisMachine):
    """This machine, with workers in another environment.

    Args:
        environment: It.
        source: Folder with the device side of Edgewright, see `device_source`.
        errors: For what the workers write to standard error.
    """

    def __init__(self, environment: Environment, source: Path, errors: IO[bytes]) -> None:
        super().__init__()
        # -I: neither the user's own packages nor PYTHONPATH, which would bring other versions.
        self._command = (str(environment.python), "-I", "-c", _RUN_WORKER, str(source))
        self._errors = errors

    def worker(self) -> EngineWorker:
        """A new worker in the environment."""
        return WorkerProcess(command=self._command, sees_files=True, errors=self._errors)


@contextlib.contextmanager
def device_source() -> Iterator[Path]:
    """A folder with the device side of this very installation and nothing beside it.

    Where Edgewright is installed from its wheel, its folder also holds the libraries whose versions are to be others.
    """
    with tempfile.TemporaryDirectory(prefix="edgewright-") as folder:
        for package in DEVICE_SIDE:
            with resources.as_file(resources.files(package)) as root:
                shutil.copytree(root, Path(folder) / package)
        # The first worker would compile for all, and its load would take longer.
        compileall.compile_dir(folder, quiet=2)
        yield Path(folder)


def environment(versions: Mapping[str, str], progress: Progress) -> Environment:
    """The environment with exactly these versions, installed unless it is there.

    Args:
        versions: Library to its exact version.
        progress: Told what is installed.

    Raises:
        NotInstalledError: pip cannot install them; the text is the reason.
        InputError: The cache folder cannot be written.
        MissingDependencyError: pip is not there.
    """
    final = _root() / f"{_PREFIX}{_digest(versions)}"
    found = Environment(_python(final), versions)
    if found.python.exists():
        return found
    if not has_pip():
        raise MissingDependencyError(
            "pip is needed to install other versions, but is not installed here.",
            hint="Install it: python -m ensurepip",
        )
    progress.note(f"Installing {words_of(versions)} ...")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with folder_aside(final.parent, _PREFIX) as aside:
            _install(aside, versions)
            _put(aside, final)
    except OSError as error:
        raise InputError(
            f"The cache folder '{final.parent}' cannot be written: {error.strerror}.",
            hint="Set XDG_CACHE_HOME to a writable folder.",
        ) from error
    return found


def _install(folder: Path, versions: Mapping[str, str]) -> None:
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder)
    # Without dependencies: the runtime imports these alone, and what they pin must not decide what is compared.
    command = [*PIP, "--python", str(_python(folder)), "install", "--quiet", *PIP_QUIET, "--no-deps", "--no-compile"]
    done = subprocess.run([*command, *pins(versions)], capture_output=True, check=False, env=pip_environment())
    if done.returncode:
        raise NotInstalledError(f"pip cannot install it: {pip_reason(done.stderr, done.returncode)}")
    facts = {"python": _python_facts(), "versions": dict(versions)}
    (folder / _FACTS).write_text(json.dumps(facts, indent=2), encoding="utf-8")


def _put(aside: Path, final: Path) -> None:
    """Give a whole environment its name; another process may have been faster, and one may lie there in ruins."""
    if final.exists() and not _python(final).exists():
        shutil.rmtree(final, ignore_errors=True)
    try:
        aside.rename(final)
    except OSError:
        if not _python(final).exists():
            raise


def kept_versions() -> dict[str, set[str]]:
    """Library to the versions that environments of this Python have."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in _root().glob(f"{_PREFIX}*/{_FACTS}"):
        if path.parent.suffix or not _python(path.parent).exists():
            continue
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            facts = json.loads(path.read_text(encoding="utf-8"))
            if facts["python"] == _python_facts():
                for library, version in facts["versions"].items():
                    found[library].add(version)
    return found


def _root() -> Path:
    return cache_folder() / ENVIRONMENTS


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _python_facts() -> dict[str, str]:
    return {"version": platform.python_version(), "machine": platform.machine(), "base": sys.base_prefix}


def _digest(versions: Mapping[str, str]) -> str:
    facts = json.dumps([_python_facts(), sorted(versions.items())])
    return hashlib.sha256(facts.encode()).hexdigest()[:32]
