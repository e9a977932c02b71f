"""OpenVINO's own runtime, from the package `openvino`: processors of Intel and AMD, and 64-bit Arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright_runtime.errors import EngineUnavailableError
from edgewright_runtime.options import Check, one_of
from edgewright_runtime.ov import missing
from edgewright_runtime.providers.openvino import PROPERTIES

# Threads are an option of the session, as for all engines of a processor.
ALLOWED: Mapping[str, Check] = {
    **{name: check for name, check in PROPERTIES.items() if name != "INFERENCE_NUM_THREADS"},
    # Threads that are bound to cores wait there for other programs.
    "ENABLE_CPU_PINNING": one_of("YES", "NO"),
}


def unavailable() -> str | None:
    """Why OpenVINO cannot run here, or None."""
    return missing()


def emulator_unavailable() -> str | None:
    """It runs what this machine is; another processor is emulated around the whole process, by QEMU."""
    return "OpenVINO has no emulator."


def options(settings: Mapping[str, str], threads: int) -> dict[str, str]:  # noqa: ARG001 - the provider protocol
    """The settings as they are; threads are an option of the session."""
    return dict(settings)


def configure(session_options: Any, provider_options: Mapping[str, str]) -> None:
    """Refused: ONNX Runtime does not run it.

    Raises:
        EngineUnavailableError: Always.
    """
    del session_options, provider_options
    raise EngineUnavailableError("OpenVINO's own runtime runs engines of the kind 'openvino' only.")
