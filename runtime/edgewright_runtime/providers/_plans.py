"""What both flavours of TensorRT are as a provider: they run plans of their own, which ONNX Runtime cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgewright_runtime.errors import EngineUnavailableError
from edgewright_runtime.options import Check, matching
from edgewright_runtime.trt import CAPABILITIES_KEY, PROFILE_KEY, VERSION_KEY, Flavour, unavailable_here

# Nothing but this code reads these.
ALLOWED: Mapping[str, Check] = {
    CAPABILITIES_KEY: matching(
        r"([0-9]{1,3}\.[0-9]{1,3}( [0-9]{1,3}\.[0-9]{1,3}){0,63})?", "compute capabilities such as 8.6 8.9"
    ),
    # `plans.profile` reads it, and refuses shapes that are not.
    PROFILE_KEY: lambda value: None if len(value) <= _LONGEST_PROFILE else f"at most {_LONGEST_PROFILE} characters",
    VERSION_KEY: matching(r"[\w.+-]{1,64}", "a version"),
}
_LONGEST_PROFILE = 2**20


class PlanProvider:
    """The functions of `Provider` for one flavour."""

    ALLOWED = ALLOWED

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour

    def unavailable(self) -> str | None:
        """Why no plan can run here, or None."""
        return unavailable_here(self._flavour)

    def emulator_unavailable(self) -> str | None:
        """No emulator of NVIDIA's GPUs is known."""
        return f"{self._flavour.title} has no emulator."

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
