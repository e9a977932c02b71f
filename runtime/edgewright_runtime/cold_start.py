"""A cold start: a fresh process of this machine up to its first answer, taken apart.

One process starts another one and stamps the moment before; the started one stamps where its parts end. Both read one
clock of the system, so the parts are neighbours in time and their sum is the whole. Where each part begins and ends is
in `ColdStarted`. The files were read before: they are in the page cache, and Python's bytecode is cached.
"""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import EngineUnavailableError
from edgewright_runtime.requests import ColdStart, StartedRequest
from edgewright_runtime.responses import ColdStarted, Refused, Stamps, read_response
from edgewright_runtime.wire import WireError, pack_samples, receive, send, unpack_samples
from edgewright_targets import EdgewrightError, InputError
from edgewright_targets.engine_kinds import OPENVINO
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    from edgewright_runtime.manifest import EngineSpec
    from edgewright_runtime.package import Package

# The clock comes first: what the interpreter did before it is the part `process`. Then the modules of the starter are
# found where the starter found them.
_PROGRAM = (
    "import time; began = time.perf_counter_ns(); import sys; sys.path[:] = sys.argv[1:]; "
    "from edgewright_runtime import cold_start; cold_start.main(began)"
)
# As long as a worker may be silent for; its own starter ends it then.
_TIMEOUT_SECONDS = 840.0
_NANO = 1e-9
_SHOWN = 200


class ColdStarter:
    """Starts fresh processes, one after another."""

    def __init__(self) -> None:
        # Where nothing may be written beside the modules, as on a device over ssh, bytecode is cached elsewhere:
        # without a cache each start would compile all modules, which no installed program does.
        self._bytecode = tempfile.TemporaryDirectory() if sys.dont_write_bytecode else None

    def start(self, request: ColdStart, sample: Any) -> ColdStarted:
        """Start an engine in a fresh process and have it answer one sample.

        Raises:
            InputError: The process cannot be started, or the engine cannot run in it.
        """
        given = io.BytesIO()
        plain, arrays = pack_samples([sample])
        send(given, write_record(StartedRequest(request.package, request.engine, request.threads, plain[0])), arrays)
        cached = ("-X", f"pycache_prefix={self._bytecode.name}") if self._bytecode else ()
        command = [sys.executable, "-P", *cached, "-c", _PROGRAM, *sys.path]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        start = time.perf_counter_ns()
        try:
            done = subprocess.run(
                command,
                input=given.getvalue(),
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
                env=environment,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"A fresh process cannot be started: {error}.") from error
        try:
            data, _ = receive(io.BytesIO(done.stdout))
        except WireError:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            words = f" It printed last: {last[0][:_SHOWN]}" if last else ""
            raise InputError(f"The fresh process ended with {done.returncode} and no answer.{words}") from None
        stamps = read_response(Stamps, data, "the answer of a fresh process")
        if isinstance(stamps, Refused):
            raise InputError(stamps.error)
        if not start <= stamps.began <= stamps.ended:
            raise InputError("Processes of this system do not share a clock, so a start cannot be taken apart.")
        return ColdStarted(
            process=_NANO * (stamps.began - start),
            imports=_NANO * stamps.imports,
            open=_NANO * stamps.open,
            compile=_NANO * stamps.compile,
            first_answer=_NANO * stamps.first_answer,
            whole=_NANO * (stamps.ended - start),
        )


class _Parts:
    """Nanoseconds of parts that follow one another, each of which may come several times."""

    def __init__(self, began: int) -> None:
        self._last = began
        self.nanoseconds = dict.fromkeys(("imports", "open", "compile", "first_answer"), 0)

    def ends(self, part: str) -> int:
        """The time since the last end is of this part; gives the moment."""
        now = time.perf_counter_ns()
        self.nanoseconds[part] += now - self._last
        self._last = now
        return now


def main(began: int) -> None:
    """In the fresh process: read the request, start the engine, answer the sample, write the stamps.

    Args:
        began: `time.perf_counter_ns` of the first line that the process ran.
    """
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints is not part of the answer.
    os.dup2(2, 1)
    try:
        message: dict[str, object] = {"ok": True, **write_record(_started(began))}
    except EdgewrightError as error:
        message = {"ok": False, "kind": "input", "error": getattr(error, "reason", error.message)}
    send(answers, message)


def _started(began: int) -> Stamps:
    import numpy as np  # noqa: F401 - every package needs it; here it is no part of reading the request

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.pipeline import Pipeline

    parts = _Parts(began)
    parts.ends("imports")
    data, arrays = receive(sys.stdin.buffer)
    request = read_record(StartedRequest, data, "request")
    (sample,) = unpack_samples([request.sample], arrays)
    package = Package.open(request.package)
    spec = package.manifest.engines.get(request.engine)
    if spec is None:
        raise EngineUnavailableError(f"'{package.root}' has no engine '{request.engine}'.")
    parts.ends("open")
    _import_for(package, spec)
    parts.ends("imports")
    with Engine(package, spec, threads=request.threads) as engine:
        parts.ends("compile")
        pipeline = Pipeline(package, engine)
        parts.ends("open")
        # As it is timed, see `Probe.call_for_timing`.
        measured = package.manifest.pipeline.measured
        pipeline.answer(pipeline.run(sample, dict(measured.call) if measured else {}))
        ended = parts.ends("first_answer")
    return Stamps(began=began, ended=ended, **parts.nanoseconds)


def _import_for(package: Package, spec: EngineSpec) -> None:
    """Import what this package needs beside the runtime itself; it would be imported when it is first used."""
    from edgewright_runtime.steps import step_class, step_kind

    if not spec.kind.plan and spec.kind.executor != OPENVINO:
        import onnxruntime  # noqa: F401
    for step in package.manifest.pipeline.steps:
        kind = step_kind(step.step)
        if kind.place:
            step_class(step.step)
        for library in kind.libraries:
            importlib.import_module(library)
