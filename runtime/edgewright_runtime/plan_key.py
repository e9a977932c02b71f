"""Everything that a plan depends on: what was built under one key is never taken for another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewright_runtime.trt import FLAVOURS, PROFILE_KEY, load_module
from edgewright_targets.gpu import Gpu
from edgewright_targets.host import host_facts
from edgewright_targets.recipe import Recipe
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_runtime.manifest import EngineSpec
    from edgewright_runtime.package import Package


@dataclass(frozen=True, kw_only=True)
class KernelKey:
    """What times of kernels depend on, whatever the model.

    Attributes:
        flavour: Name of the flavour of TensorRT.
        version: Version of TensorRT.
        gpu: The GPU, with its driver.
        architecture: Architecture of the processor.
    """

    flavour: str
    version: str
    gpu: Gpu
    architecture: str

    def written(self) -> dict[str, object]:
        """Plain data for a digest; times of kernels are found by it, so it stays as it is."""
        return {
            "tensorrt": [self.flavour, self.version],
            "gpu": [self.gpu.name, self.gpu.capability, self.gpu.memory_bytes],
            "driver": self.gpu.driver,
            "architecture": self.architecture,
        }


@dataclass(frozen=True, kw_only=True)
class PlanKey:
    """What the plan of a component of an engine depends on.

    Attributes:
        files: File of the graph or of weights, as the package names it, to its SHA-256 in hexadecimal digits.
        shapes: Least, usual and largest shapes of inputs, as the package has them; empty where no dimension is free.
        precision: Precision of the engine.
        recipe: How its graphs got that precision.
        kernels: What it depends on besides the model.
    """

    files: dict[str, str]
    shapes: str
    precision: str
    recipe: Recipe
    kernels: KernelKey

    def written(self) -> dict[str, object]:
        """Plain data for a digest and for the file beside the plan; plans are found by it, so it stays as it is."""
        return {
            "graph and weights": self.files,
            "shapes": self.shapes,
            "precision": [self.precision, write_record(self.recipe)],
            **self.kernels.written(),
        }


def plan_key(package: Package, spec: EngineSpec, component: str, here: Gpu) -> PlanKey:
    """The key of the plan of a component of this engine on this machine.

    Raises:
        ImportError: TensorRT is not there, so its version is not known.
    """
    sums = package.digests()
    files = sorted(str(path.relative_to(package.root)) for path in package.part_files(spec.name, component))
    module = load_module(FLAVOURS[spec.engine])
    return PlanKey(
        files={name: sums.get(name, "") for name in files},
        shapes=spec.parts[component].provider_options.get(PROFILE_KEY, ""),
        precision=spec.precision,
        recipe=spec.recipe,
        kernels=KernelKey(
            flavour=spec.engine,
            version=module.__version__,
            gpu=here,
            architecture=host_facts().architecture,
        ),
    )
