"""Open a package on a device and run it. Needs numpy, onnxruntime and tokenizers; never torch.

import edgewright_runtime

model = edgewright_runtime.load("intents.ortpackage")
model("turn on the kitchen lights")     # [{'label': 'HassTurnOn', 'score': 0.98}, ...]
model.engine                            # which engine runs, on which provider, and why
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from edgewright_runtime.errors import (
    DamagedPackageError,
    EngineFallbackWarning,
    EngineUnavailableError,
    OtherProcessorWarning,
    PackageError,
    PackageTooNewError,
    SampleError,
)
from edgewright_runtime.loading import load
from edgewright_runtime.model import EngineInfo, Model
from edgewright_runtime.package import Package

if TYPE_CHECKING:
    from edgewright_runtime.selftest import SelfTestReport, verify

# ONNX Runtime 1.32 on Linux keeps a device id and a queue of events in the user's cache folder from its import on, and
# uploads them, unless this is set before. Nothing of ours sends anything; who wants it can set it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# OpenVINO sends its use from its import on, by a module of this name. What is None here cannot be imported.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

__all__ = [
    "DamagedPackageError",
    "EngineFallbackWarning",
    "EngineInfo",
    "EngineUnavailableError",
    "Model",
    "OtherProcessorWarning",
    "Package",
    "PackageError",
    "PackageTooNewError",
    "SampleError",
    "SelfTestReport",
    "load",
    "verify",
]


def __getattr__(name: str) -> object:
    # A program that answers does not test itself: the self-test is imported when it is first used.
    if name not in ("SelfTestReport", "verify"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from edgewright_runtime import selftest

    return getattr(selftest, name)
