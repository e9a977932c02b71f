"""NVIDIA TensorRT for RTX, whose engines are built ahead of time: GeForce RTX, RTX and DGX Spark."""

from __future__ import annotations

from edgewright_runtime.providers._plans import PlanProvider
from edgewright_runtime.trt import RTX

_PROVIDER = PlanProvider(RTX)
ALLOWED = _PROVIDER.ALLOWED
unavailable = _PROVIDER.unavailable
emulator_unavailable = _PROVIDER.emulator_unavailable
options = _PROVIDER.options
configure = _PROVIDER.configure
