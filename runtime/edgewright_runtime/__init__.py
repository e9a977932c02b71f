"""Open a package on a device and run it. Needs numpy, onnxruntime and tokenizers; never torch.

import edgewright_runtime

model = edgewright_runtime.load("intents.ortpackage")
model("turn on the kitchen lights")     # [{'label': 'HassTurnOn', 'score': 0.98}, ...]
model.engine                            # which engine runs, on which provider, and why
"""

from edgewright_runtime.errors import (
    DamagedPackageError,
    EngineFallbackWarning,
    EngineUnavailableError,
    PackageError,
    PackageTooNewError,
    SampleError,
)
from edgewright_runtime.model import EngineInfo, Model, load
from edgewright_runtime.package import Package
from edgewright_runtime.selftest import SelfTestReport, verify

__all__ = [
    "DamagedPackageError",
    "EngineFallbackWarning",
    "EngineInfo",
    "EngineUnavailableError",
    "Model",
    "Package",
    "PackageError",
    "PackageTooNewError",
    "SampleError",
    "SelfTestReport",
    "load",
    "verify",
]
