"""The other end of `edgewright_benchmarks.scenarios.process`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgewright_benchmarks.devices.workers import TIMEOUT_SECONDS, WorkerProcess
from edgewright_benchmarks.scenarios.messages import GenerateLoad, LoadGenerated, OpenStreams, StreamsOpen

_COMMAND = (sys.executable, "-P", "-m", "edgewright_benchmarks.scenarios.process")


class LoadProcess(WorkerProcess):
    """A process with LoadGen and the streams of one engine; use it in a `with` block.

    Args:
        seconds: The longest that one run is expected to take.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(command=_COMMAND, timeout=TIMEOUT_SECONDS + seconds)
        self._sees_files = True

    def open_streams(
        self, package: Path, engine: str, threads: int, streams: int, samples: Sequence[Any]
    ) -> StreamsOpen:
        """Load the engine for each stream, and keep the samples."""
        self.keep(samples)
        return self._request(StreamsOpen, "streams", OpenStreams(str(package), engine, threads, streams))[0]

    def generate(self, request: GenerateLoad) -> LoadGenerated:
        """One run of LoadGen."""
        return self._request(LoadGenerated, "load-run", request)[0]

    def __exit__(self, *error: object) -> None:
        # After Ctrl-C a run would go on to its end before the process reads that it should stop.
        if any(error):
            self._process.kill()
        self.close()
