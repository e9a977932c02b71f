"""Where engines run while they are measured: this machine, or one that ssh reaches."""

from __future__ import annotations

import contextlib
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edgewright_benchmarks.devices.engine_worker import EngineWorker
    from edgewright_benchmarks.progress import Progress
    from edgewright_targets import HostFacts


class Device(Protocol):
    """A machine that workers can be started on.

    Attributes:
        machine: Facts about it.
    """

    machine: HostFacts

    def worker(self) -> EngineWorker:
        """A new worker there."""

    def to_itself(self, progress: Progress) -> contextlib.AbstractContextManager[None]:
        """Nothing else of ours is measured there in this block."""

    def path_of(self, package: PurePath) -> PurePath:
        """Where a package of this machine lies for its workers."""
