"""What both flavours of TensorRT are as a provider: they run plans of their own, which ONNX Runtime cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright_runtime.errors import EngineUnavailableError
from edgewright_runtime.trt import Flavour, unavailable_here


class PlanProvider:
    """The functions of `Provider` for one flavour."""

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour

    def unavailable(self) -> str | None:
        """Why no plan can run here, or None."""
        return unavailable_here(self._flavour)

    def emulator_unavailable(self) -> str | None:
        """No emulator of NVIDIA's GPUs is known."""
        return f"{self._flavour.title} emulates nothing."

    def options(self, settings: Mapping[str, str], threads: int) -> dict[str, str]:  # noqa: ARG002 - the provider protocol
        """The settings as they are: compute capabilities; a GPU has no threads to set."""
        return dict(settings)

    def configure(self, session_options: Any, provider_options: Mapping[str, str]) -> None:
        """Refused: ONNX Runtime cannot run a plan.

        Raises:
            EngineUnavailableError: Always.
        """
        del session_options, provider_options
        raise EngineUnavailableError(f"{self._flavour.title} runs plans, not ONNX graphs.")
