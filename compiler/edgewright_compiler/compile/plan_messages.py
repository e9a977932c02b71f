"""What goes into the process that builds a TensorRT plan, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_runtime.trt import Shapes


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What to build, in `request.json`.

    Attributes:
        flavour: Name of the flavour of TensorRT.
        graph: File of the graph in the folder of the process.
        capabilities: Compute capabilities to build for, such as `8.9`; empty builds for the GPU that is here.
        profile: Input name to its least, usual and largest shape, for every input with free dimensions.
    """

    flavour: str
    graph: str
    capabilities: tuple[str, ...]
    profile: dict[str, Shapes]


@dataclass(frozen=True, kw_only=True)
class PlanFacts:
    """What TensorRT made of a graph.

    Attributes:
        version: Of TensorRT; a plan runs on this version only.
        seconds: Time of the build.
        nodes: Layers of the network as it was parsed.
        layers: Layers of the engine as far as the builder told them.
        size_bytes: Bytes of the plan.
        warnings: What the builder warned of.
    """

    version: str
    seconds: float
    nodes: int
    layers: int
    size_bytes: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PlanResponse:
    """What came of a build, in `response.json`.

    Attributes:
        facts: What TensorRT made; None where it refused.
        error: Why it refused.
    """

    facts: PlanFacts | None = None
    error: str = ""
