"""Virtual environments with exact versions of libraries, made once and kept in the cache folder.

An environment has its final name when it is whole. One that is there is used without pip, and without a network.
"""

from __future__ import annotations

import compileall
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import IO

from edgewright_benchmarks.devices.engine_worker import EngineWorker
from edgewright_benchmarks.devices.here import ThisMachine
from edgewright_benchmarks.devices.parts import DEVICE_SIDE
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.matrix.kept import (
    PREFIX,
    environments_folder,
    in_use,
    interpreter,
    python_facts,
    write_facts,
)
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
from edgewright_targets import InputError, MissingDependencyError
from edgewright_targets.installed import has_pip
from edgewright_targets.record import write_record

_RUN_WORKER = "import sys; sys.path.insert(0, sys.argv[1]); from edgewright_runtime import worker; worker.main()"
_LOG_WARNINGS = _RUN_WORKER.replace("main()", "main(worker=worker.Worker(log_warnings=True))")


@dataclass(frozen=True)
class Environment:
    """A virtual environment that is whole.

    Attributes:
        folder: Where it is.
        versions: Library to its version.
    """

    folder: Path
    versions: Mapping[str, str]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return interpreter(self.folder)


class EnvironmentDevice(ThisMachine):
    """This machine, with workers in another environment.

    Args:
        environment: It.
        source: Folder with the device side of Edgewright, see `device_source`.
        errors: For what the workers write to standard error.

    Attributes:
        errors: The same.
    """

    def __init__(self, environment: Environment, source: Path, errors: IO[bytes]) -> None:
        super().__init__()
        # -I: neither the user's own packages nor PYTHONPATH, which would bring other versions.
        self._command = (str(environment.python), "-I", "-c")
        self._source = str(source)
        self.errors = errors

    def worker(self) -> EngineWorker:
        """A new worker in the environment."""
        return self._started(_RUN_WORKER, self.errors)

    def logging_worker(self, errors: IO[bytes]) -> EngineWorker:
        """A new worker whose ONNX Runtime writes its warnings to `errors`; as it does so in calls, it is not timed."""
        return self._started(_LOG_WARNINGS, errors)

    def _started(self, code: str, errors: IO[bytes]) -> EngineWorker:
        return WorkerProcess(command=(*self._command, code, self._source), sees_files=True, errors=errors)


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
    final = environment_folder(versions)
    found = Environment(final, versions)
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
        with folder_aside(final.parent, PREFIX) as aside:
            _install(aside, versions)
            _put(aside, final)
    except OSError as error:
        raise InputError(
            f"The cache folder '{final.parent}' cannot be written: {error.strerror}.",
            hint="Set XDG_CACHE_HOME to a writable folder.",
        ) from error
    return found


@contextlib.contextmanager
def environment_in_use(versions: Mapping[str, str], progress: Progress) -> Iterator[Environment]:
    """The environment with exactly these versions, see `environment`; while this lasts, nobody removes it."""
    while True:
        made = environment(versions, progress)
        with in_use(made.folder) as there:
            if there:
                yield made
                return


def _install(folder: Path, versions: Mapping[str, str]) -> None:
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder)
    # Without dependencies: the runtime imports these alone, and what they pin must not decide what is compared.
    command = [*PIP, "--python", str(interpreter(folder)), "install", "--quiet", *PIP_QUIET, "--no-deps"]
    done = subprocess.run(
        [*command, "--no-compile", *pins(versions)], capture_output=True, check=False, env=pip_environment()
    )
    if done.returncode:
        raise NotInstalledError(f"pip cannot install it: {pip_reason(done.stderr, done.returncode)}")
    write_facts(folder, dict(versions))


def _put(aside: Path, final: Path) -> None:
    """Give a whole environment its name; another process may have been faster, and one may lie there in ruins."""
    if final.exists() and not interpreter(final).exists():
        shutil.rmtree(final, ignore_errors=True)
    try:
        aside.rename(final)
    except OSError:
        if not interpreter(final).exists():
            raise


def environment_folder(versions: Mapping[str, str]) -> Path:
    """Where the environment of this Python with these versions is, once it is made."""
    facts = json.dumps([write_record(python_facts()), sorted(versions.items())])
    return environments_folder() / f"{PREFIX}{hashlib.sha256(facts.encode()).hexdigest()[:32]}"
