"""The memory of a whole application: the peak of a process that runs it, and what each model adds to a process."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from edgewright_benchmarks.child_process import ending, last_words
from edgewright_benchmarks.result_files import result_from_json
from edgewright_runtime.applications.application import ApplicationPackage
from edgewright_runtime.applications.memory_limit import MemoryFacts
from edgewright_runtime.applications.peak_process import PeakRead, PeakRequest
from edgewright_runtime.samples import size_of
from edgewright_runtime.wire import WireError, pack_samples, receive, send
from edgewright_targets import InputError
from edgewright_targets.record import read_record, write_record

_COMMAND: Final = (sys.executable, "-m", "edgewright_runtime.applications.peak_process")
# The largest ones decide the peak, and all of large data would take as long again as the measurement of accuracy.
_MOST_SAMPLES: Final = 64
# A minute for each sample: a process that is silent for longer is stuck.
_TIMEOUT_SECONDS: Final = 60.0 * _MOST_SAMPLES


@dataclass(frozen=True, kw_only=True)
class WholeMemory:
    """Memory of a process of its own that runs the whole.

    Attributes:
        peak_bytes: Peak resident memory: the interpreter, libraries, models, and what calls need.
        empty_bytes: Resident memory before a model was loaded.
        samples: How many were answered: all, or the largest and some of the others.
        max_bytes: The limit in force; None was none.
        unloaded: How often a model was let go, so that another had room.
    """

    peak_bytes: int
    empty_bytes: int
    samples: int
    max_bytes: int | None = None
    unloaded: int = 0


def measure_memory(package: ApplicationPackage, samples: Sequence[Any], threads: int | None = None) -> WholeMemory:
    """Run an application on samples in a fresh process, within its limit of memory where it has one.

    Args:
        package: The application; one in the making has its models elsewhere.
        samples: As `read_whole_data` gives them; of many the largest are taken, and others evenly.
        threads: That a call of a model may use.

    Raises:
        InputError: The process ended without an answer, or the limit has no room for a model.
    """
    taken = telling_samples(samples)
    plain, arrays = pack_samples(list(taken))
    request = PeakRequest(
        flow=package.checked.flow,
        models={name: str(one.root.absolute()) for name, one in package.models.items()},
        samples=tuple(plain),
        threads=threads,
        max_memory=package.max_memory,
        memory=package.memory,
        engines=package.asked_engines(),
    )
    given = io.BytesIO()
    send(given, write_record(request), arrays)
    try:
        done = subprocess.run(
            _COMMAND, input=given.getvalue(), capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"The memory of '{package.name}' was not read: {error}.") from error
    try:
        data, _ = receive(io.BytesIO(done.stdout))
    except WireError:
        words = last_words(done.stderr.decode(errors="replace").strip().splitlines())
        raise InputError(f"A process that runs '{package.name}' ended {ending(done.returncode)}.{words}") from None
    found = read_record(PeakRead, data, "the answer of a process")
    if not found.ok:
        raise InputError(found.error)
    return WholeMemory(
        peak_bytes=found.peak_bytes,
        empty_bytes=found.empty_bytes,
        samples=len(taken),
        max_bytes=package.max_memory,
        unloaded=found.unloaded,
    )


def telling_samples(samples: Sequence[Any], most: int = _MOST_SAMPLES) -> list[Any]:
    """All samples, or so many of them in their order: half are the largest, half are spread over the others."""
    if len(samples) <= most:
        return list(samples)
    by_size = np.argsort([size_of(sample) for sample in samples], kind="stable")
    large, others = by_size[-(most // 2) :], by_size[: -(most // 2)]
    spread = others[np.linspace(0, len(others) - 1, most - len(large)).astype(int)]
    return [samples[index] for index in sorted({*large.tolist(), *spread.tolist()})]


def memory_facts(package: ApplicationPackage, process_bytes: int | None = None) -> MemoryFacts:
    """What is known of the memory that an application takes, for limits.

    Args:
        package: The application.
        process_bytes: Of a process without a model; None reads it.

    Raises:
        InputError: The process cannot be read, or the evidence of a model.
    """
    if process_bytes is None:
        process_bytes = measure_memory(replace(package, max_memory=None), ()).empty_bytes
    return MemoryFacts(process_bytes, {name: _added(package, name, process_bytes) for name in package.models})


def _added(package: ApplicationPackage, name: str, process_bytes: int) -> dict[str, int]:
    """Engine to what it adds to a process at its peak, of those whose own evidence measured a process with it."""
    model = package.models[name]
    found: dict[str, int] = {}
    for target in model.targets:
        evidence = result_from_json(model.evidence(target), f"{model.root}: evidence for {target}")
        for engine in evidence.engines:
            if engine.rung == "measured" and engine.peak_memory_bytes and engine.name in model.manifest.engines:
                found[engine.name] = max(0, engine.peak_memory_bytes - process_bytes)
    return found
