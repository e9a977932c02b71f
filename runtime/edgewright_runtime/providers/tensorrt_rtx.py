"""NVIDIA TensorRT for RTX, whose engines are built ahead of time: GeForce RTX, RTX and DGX Spark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright_runtime.errors import EngineUnavailableError
from edgewright_runtime.trt import RTX, unavailable_here


def unavailable() -> str | None:
    """Why no plan can run here, or None."""
    return unavailable_here(RTX)


def emulator_unavailable() -> str | None:
    """No emulator of NVIDIA's GPUs is known."""
    return f"{RTX.title} emulates nothing."


def options(settings: Mapping[str, str], threads: int) -> dict[str, str]:  # noqa: ARG001 - the provider protocol
    """The settings as they are: compute capabilities; a GPU has no threads to set."""
    return dict(settings)


def configure(session_options: Any, provider_options: Mapping[str, str]) -> None:
    """Refused: ONNX Runtime cannot run a plan.

    Raises:
        EngineUnavailableError: Always.
    """
    del session_options, provider_options
    raise EngineUnavailableError(f"{RTX.title} runs plans, not ONNX graphs.")
