"""All that the addresses of a server share: its packages, their threads, its limits and its counters."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from edgewright_serving.metrics import Metrics
from edgewright_serving.packages.calls import Call, Work
from edgewright_serving.packages.memory import resident_bytes
from edgewright_serving.packages.served import Served
from edgewright_serving.packages.shelf import Shelf
from edgewright_serving.packages.workers import Workers
from edgewright_serving.settings import ServeSettings
from edgewright_targets.errors import InputError

_LONGEST_RETRY_SECONDS = 60


class Service:
    """The state of a server.

    Args:
        settings: What it was started with.
        packages: What it serves, by name.

    Attributes:
        settings, packages: As given.
        shelf, workers, metrics: Where packages are loaded and called, and what is counted.
        running: Requests under way.
        held_bytes: Bytes of their bodies.
        stopping: No further request is taken.

    Raises:
        InputError: A package alone is larger than the limit of memory, or this system does not tell how much is in use.
    """

    def __init__(self, settings: ServeSettings, packages: Mapping[str, Served]) -> None:
        self.settings = settings
        self.packages = packages
        self.running = 0
        self.held_bytes = 0
        self.stopping = False
        _check_memory(settings.memory_bytes, packages)
        self.metrics = Metrics()
        self.shelf = Shelf(settings.memory_bytes, threads=settings.threads)
        self.workers = Workers(self.shelf, self.metrics.call)
        self._watch()

    def submit(self, served: Served, work: Work) -> Call:
        """Put work into the queue of a package."""
        return self.workers.submit(served, work, self.settings.seconds)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a request that is under way during the block."""
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1

    @property
    def retry_seconds(self) -> int:
        """When a refused client may ask again: about when those that wait now have been answered."""
        return min(max(math.ceil(self.workers.mean_seconds * self.running), 1), _LONGEST_RETRY_SECONDS)

    def close(self, seconds: float) -> None:
        """End the threads and unload all packages."""
        self.workers.close(seconds)
        self.shelf.close()

    def _watch(self) -> None:
        metrics = self.metrics
        metrics.watch("edgewright_requests_running", "Requests under way.", lambda: self.running)
        metrics.watch("edgewright_bodies_bytes", "Bytes of their bodies.", lambda: self.held_bytes)
        metrics.watch_packages(
            "edgewright_calls_waiting",
            "Calls in the queue of a package.",
            {name: functools.partial(self.workers.waiting, name) for name in self.packages},
        )
        metrics.watch_packages(
            "edgewright_package_loaded",
            "Whether a package is loaded.",
            {name: functools.partial(self._loaded, name) for name in self.packages},
        )
        metrics.watch_packages(
            "edgewright_package_bytes",
            "What loading a package last added to the resident memory of the process.",
            {name: functools.partial(self._added, name) for name in self.packages},
        )

    def _loaded(self, name: str) -> float:
        return float(name in self.shelf.loaded)

    def _added(self, name: str) -> float:
        return float(self.shelf.added_bytes.get(name, 0))


def _check_memory(limit: int | None, packages: Mapping[str, Served]) -> None:
    if limit is None:
        return
    now = resident_bytes()
    if now is None:
        raise InputError("A limit of memory needs Linux, which tells how much of a process is resident.")
    for served in packages.values():
        if now + served.files_bytes > limit:
            raise InputError(
                f"'{served.name}' does not fit into {limit / 1e6:.0f} MB: its files have "
                f"{served.files_bytes / 1e6:.0f} MB, and the server without packages {now / 1e6:.0f} MB.",
                hint="Raise --max-memory, or serve a smaller package.",
            )
