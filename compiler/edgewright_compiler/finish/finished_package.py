"""What `finish` gives."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_runtime.finished import Finished


@dataclass(frozen=True)
class FinishedPackage:
    """What `finish` found.

    Attributes:
        engines: What was found about each engine that could run, now or before.
        failures: Engine to why it could not be made or run.
        first: The engine that runs here from now on.
        unchanged: All of it was known before.
    """

    engines: tuple[Finished, ...]
    failures: dict[str, str]
    first: str
    unchanged: bool
