"""Execution providers: one file each, and this one list. Adding a provider is adding a file and a line here."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from edgewright_targets.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.options import Check

# ONNX Runtime's name of the provider -> the module that knows it.
PROVIDERS = {
    "CPUExecutionProvider": "edgewright_runtime.providers.cpu",
    "OpenVINOExecutionProvider": "edgewright_runtime.providers.openvino",
    "QNNExecutionProvider": "edgewright_runtime.providers.qnn",
    # Not ONNX Runtime's: these run plans of their own, see `edgewright_runtime.trt`.
    "TensorRT": "edgewright_runtime.providers.tensorrt",
    "TensorRT-RTX": "edgewright_runtime.providers.tensorrt_rtx",
}
# The wheels of those that are plugins: their versions decide what an engine does, so caches and evidence name them.
PLUGINS = ("onnxruntime-ep-openvino", "onnxruntime-qnn", "tensorrt_rtx_cu13_libs")


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
    return cast("Provider", importlib.import_module(PROVIDERS[name]))
