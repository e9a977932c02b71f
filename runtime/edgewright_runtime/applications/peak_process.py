"""A fresh process that runs an application on samples, and says what memory it took at its peak.

It has what a device has: the runtime, and none of the rooms that measure. What started it writes a `PeakRequest` to its
standard input, and reads a `PeakRead`.
"""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from edgewright_runtime.applications.application import Application, ApplicationPackage, signatures
from edgewright_runtime.applications.checks import check_flow
from edgewright_runtime.applications.declaration import Flow
from edgewright_runtime.applications.memory_limit import MemoryFacts
from edgewright_runtime.errors import SampleError
from edgewright_runtime.memory import peak_memory_bytes, resident_bytes
from edgewright_runtime.package import Package
from edgewright_runtime.wire import receive, send, unpack_samples
from edgewright_targets import EdgewrightError
from edgewright_targets.record import read_record, write_record


@dataclass(frozen=True, kw_only=True)
class PeakRequest:
    """What is run.

    Attributes:
        flow: The application.
        models: Model -> the folder of its package.
        samples: As `pack_samples` makes them.
        threads: That a call of a model may use.
        max_memory: The limit in force.
        memory: What is known of its models, for that limit.
        engines: Model -> the engine that it uses alone.
    """

    flow: Flow
    models: dict[str, str]
    samples: tuple[object, ...]
    threads: int | None = None
    max_memory: int | None = None
    memory: MemoryFacts = field(default_factory=MemoryFacts)
    engines: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PeakRead:
    """What was read.

    Attributes:
        ok: It ran; else `error` says why it did not.
        empty_bytes: Resident memory before a model was loaded; ONNX Runtime, which models share, is in it.
        peak_bytes: Peak resident memory when all samples were answered.
        unloaded: How often a model was let go.
        error: A sentence.
    """

    ok: bool
    empty_bytes: int = 0
    peak_bytes: int = 0
    unloaded: int = 0
    error: str = ""


def main() -> None:
    """Read the request, run it, write the answer."""
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints is not part of the answer.
    os.dup2(2, 1)
    try:
        found = _read()
    except EdgewrightError as error:
        found = PeakRead(ok=False, error=error.message)
    send(answers, write_record(found))


def _read() -> PeakRead:
    # What all models share is no part of any of them.
    import onnxruntime  # noqa: F401

    data, arrays = receive(sys.stdin.buffer)
    request = read_record(PeakRequest, data, "request")
    samples = unpack_samples(list(request.samples), arrays)
    models = {name: Package.open(folder) for name, folder in request.models.items()}
    checked = check_flow(request.flow, signatures(models), "request")
    package = ApplicationPackage(Path(), "whole", checked, models, max_memory=request.max_memory, memory=request.memory)
    with Application(package, threads=request.threads, engines=request.engines) as application:
        empty = resident_bytes()
        for sample in samples:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    application.run(sample)
                except SampleError:
                    # It takes memory until it fails, and the meter has listed it.
                    continue
        return PeakRead(ok=True, empty_bytes=empty, peak_bytes=peak_memory_bytes(), unloaded=application.unloaded)


if __name__ == "__main__":
    main()
