"""Execution providers: one file each, and this one list. Adding a provider is adding a file and a line here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from edgewright_targets.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.options import Check


# Not a dataclass: a device makes these at each start, and a tuple is made in a fifth of the time.
class ProviderKind(NamedTuple):
    """What is to be known of a provider without importing it.

    Attributes:
        module: The module in this folder that knows it, as `Provider` says.
        plugin: The wheel of one that is a plugin; its module has that name with underscores.
        emulates: It brings an emulator of its hardware, which runs in a worker of another machine.
        gpu: It runs on a GPU, which an emulated processor does not have.
    """

    module: str
    plugin: str = ""
    emulates: bool = False
    gpu: bool = False


# ONNX Runtime's name of the provider -> what is to be known of it.
PROVIDERS = {
    "CPUExecutionProvider": ProviderKind("cpu"),
    "OpenVINOExecutionProvider": ProviderKind("openvino", plugin="onnxruntime-ep-openvino"),
    "QNNExecutionProvider": ProviderKind("qnn", plugin="onnxruntime-qnn", emulates=True),
    "WebGpuExecutionProvider": ProviderKind("webgpu", plugin="onnxruntime-ep-webgpu", emulates=True, gpu=True),
    # Not ONNX Runtime's. OpenVINO's own runtime reads the same graphs, see `edgewright_runtime.ov`; the two of TensorRT
    # run plans of their own, see `edgewright_runtime.trt`.
    "OpenVINO": ProviderKind("openvino_runtime", plugin="openvino"),
    "TensorRT": ProviderKind("tensorrt"),
    "TensorRT-RTX": ProviderKind("tensorrt_rtx", plugin="tensorrt_rtx_cu13_libs"),
}
# The versions of plugins decide what an engine does, so caches and evidence name them.
PLUGINS = tuple(kind.plugin for kind in PROVIDERS.values() if kind.plugin)


class Provider(Protocol):
    """What a provider's module offers.

    Attributes:
        ALLOWED: Option that a package may set to the check of its value. Never one that holds a path.
    """

    ALLOWED: Mapping[str, Check]

    def unavailable(self) -> str | None:
        """Why this provider cannot run here, as a whole sentence with what to do; None if it can."""

    def emulator_unavailable(self) -> str | None:
        """Why this provider cannot emulate its hardware here, as a whole sentence; None if it can."""

    def options(self, settings: Mapping[str, str], threads: int) -> dict[str, str]:
        """The provider options that say `settings` and `threads`, as ONNX Runtime takes them."""

    def configure(self, session_options: Any, provider_options: Mapping[str, str]) -> None:
        """Put the provider into `onnxruntime.SessionOptions`, ahead of the CPU provider."""


def provider(name: str) -> Provider:
    """The provider called `name`.

    Raises:
        InputError: Unknown; the known names are listed.
    """
    if name not in PROVIDERS:
        raise InputError(f"Unknown execution provider '{name}'.", hint=nearest(name, PROVIDERS))
    return cast("Provider", importlib.import_module(f"{__name__}.{PROVIDERS[name].module}"))
