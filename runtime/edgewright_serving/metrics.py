"""What a server counts, in the text form of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

# From a small classifier to a long text.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counters of one server, apart from those of the program around it.

    Attributes:
        media_type: Of what `text` gives.
    """

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        # Resident memory, processor time and open files of the process; on Linux.
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "edgewright_requests", "Requests by address and status.", ["address", "status"], registry=self._registry
        )
        self._seconds = self._histogram("edgewright_request_seconds", "Seconds of a request with its body.", "address")
        self._waited = self._histogram("edgewright_wait_seconds", "Seconds of a call in the queue.", "package")
        self._called = self._histogram("edgewright_call_seconds", "Seconds of a call in its package.", "package")

    def _histogram(self, name: str, meaning: str, label: str) -> Histogram:
        return Histogram(name, meaning, [label], buckets=_BUCKETS, registry=self._registry)

    def request(self, address: str, status: int, seconds: float) -> None:
        """Count a request that ended."""
        self._requests.labels(address, str(status)).inc()
        self._seconds.labels(address).observe(seconds)

    def call(self, package: str, waited: float, seconds: float) -> None:
        """Count a call of a package that gave an answer."""
        self._waited.labels(package).observe(waited)
        self._called.labels(package).observe(seconds)

    def watch(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Add a figure that is read when the metrics are asked for."""
        Gauge(name, meaning, registry=self._registry).set_function(read)

    def watch_packages(self, name: str, meaning: str, reads: Mapping[str, Callable[[], float]]) -> None:
        """Add a figure of each package."""
        gauge = Gauge(name, meaning, ["package"], registry=self._registry)
        for package, read in reads.items():
            gauge.labels(package).set_function(read)

    def text(self) -> bytes:
        """All metrics."""
        return bytes(generate_latest(self._registry))
