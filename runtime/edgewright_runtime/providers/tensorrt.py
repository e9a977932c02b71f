"""NVIDIA TensorRT, whose engines are made on the device by `edgewright finish`: Jetson and data-centre GPUs."""

from __future__ import annotations

from edgewright_runtime.providers._plans import PlanProvider
from edgewright_runtime.trt import FULL

_PROVIDER = PlanProvider(FULL)
ALLOWED = _PROVIDER.ALLOWED
unavailable = _PROVIDER.unavailable
emulator_unavailable = _PROVIDER.emulator_unavailable
options = _PROVIDER.options
configure = _PROVIDER.configure
