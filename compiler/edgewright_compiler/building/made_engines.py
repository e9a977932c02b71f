"""What a build has for one target before anything is judged."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.optimizer_facts import OptimizerFacts
from edgewright_compiler.building.engine_files import EngineFiles
from edgewright_compiler.graphs.exported import ExportedFolder


@dataclass(frozen=True)
class MadeEngines:
    """What could be made.

    Attributes:
        exported: The exported model.
        engines: Those of the candidates that could be made.
        failures: Why the others could not, by name.
        optimizer: What ONNX Runtime's optimizations change, of a graph that came as a file.
    """

    exported: ExportedFolder
    engines: tuple[EngineFiles, ...]
    failures: dict[str, str]
    optimizer: OptimizerFacts | None = None
