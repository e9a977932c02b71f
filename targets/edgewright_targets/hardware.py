"""What tells one piece of hardware from another of its architecture, and whether this machine is it."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgewright_targets.host import architecture, host_facts, read_text
from edgewright_targets.record import added_in

# Where Linux on Arm and RISC-V boards keeps the board's name.
_MODEL_FILE = "/proc/device-tree/model"


@dataclass(frozen=True)
class Hardware:
    """What a target asks of a machine. Apart from targets, because a package says it too and a device reads no target.

    Attributes:
        architecture: As `uname -m` prints it there.
        machine_model: Begins what the machine's firmware says it is (`/proc/device-tree/model`); empty where every
            machine of the architecture will do.
        isa: Instruction sets that it has beyond its architecture's, as `/proc/cpuinfo` calls them.
        compute_capabilities: What NVIDIA calls the GPUs it may have, such as `8.9`; empty where it says nothing of one.
        vulkan_gpu: It has a GPU that Vulkan drives, of any maker.
    """

    architecture: str
    machine_model: str = ""
    isa: tuple[str, ...] = ()
    compute_capabilities: tuple[str, ...] = ()
    vulkan_gpu: bool = field(default=False, metadata=added_in(3))

    def matches_machine(self) -> bool:
        """Whether this machine is the described hardware."""
        return (
            self.architecture == architecture()
            and (not self.machine_model or read_text(_MODEL_FILE).startswith(self.machine_model))
            and (not self.isa or set(self.isa) <= set(host_facts().features))
            and (not self.compute_capabilities or capability_here() in self.compute_capabilities)
            and (not self.vulkan_gpu or _vulkan_gpu_here())
        )

    def specificity(self) -> int:
        """Number of constraints. If several targets match a machine, the most specific wins."""
        return bool(self.machine_model) + bool(self.isa) + bool(self.compute_capabilities) + self.vulkan_gpu


def _vulkan_gpu_here() -> bool:
    # Here and not above: it loads Vulkan's drivers.
    from edgewright_targets.vulkan import has_vulkan_gpu

    return has_vulkan_gpu()


def capability_here() -> str | None:
    """Compute capability of the GPU of this machine; None where there is none, or no driver."""
    # Here and not above: it loads the driver's library.
    from edgewright_targets.gpu import CudaError, gpu

    try:
        return gpu().capability
    except CudaError:
        return None
