"""TensorRT in its two flavours: the only place where its Python modules are imported.

`tensorrt` is NVIDIA's full TensorRT: it times kernels while it builds, so an engine is built on the GPU that runs it.
`tensorrt-rtx` is TensorRT for RTX: it builds for stated compute capabilities on a machine without a GPU.
"""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any

PLAN_FILE = "engine.plan"
# Keys of an engine's provider options.
PROFILE_KEY = "profile"
CAPABILITIES_KEY = "compute_capabilities"
VERSION_KEY = "tensorrt_version"

# Least, usual and largest shape of an input.
Shapes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Flavour:
    """One of the two.

    Attributes:
        name: As in target files.
        title: For people.
        modules: Names of its Python module; wheels and tar files differ.
        install: What to do where it is missing, in the imperative.
    """

    name: str
    title: str
    modules: tuple[str, ...]
    install: str


RTX = Flavour(
    "tensorrt-rtx",
    "TensorRT for RTX",
    ("tensorrt_rtx", "tensorrt_rtx_bindings"),
    "Install it with: pip install 'edgewright[tensorrt-rtx]'.",
)
FULL = Flavour(
    "tensorrt",
    "TensorRT",
    ("tensorrt",),
    "It is part of JetPack (sudo apt install python3-libnvinfer). Elsewhere: pip install 'edgewright[tensorrt]'.",
)
FLAVOURS = {flavour.name: flavour for flavour in (RTX, FULL)}


def missing(flavour: Flavour) -> str | None:
    """Why the flavour's module cannot be imported, as whole sentences with what to do; None if it is there."""
    if any(importlib.util.find_spec(name) for name in flavour.modules):
        return None
    return f"{flavour.title} is not installed. {flavour.install}"


def unavailable_here(flavour: Flavour) -> str | None:
    """Why no plan of the flavour can run on this machine, as whole sentences; None if one may."""
    from edgewright_targets.gpu import unavailable

    return unavailable() or missing(flavour)


def load_module(flavour: Flavour) -> Any:
    """The flavour's Python module.

    Raises:
        ImportError: It is not installed, or one of its libraries cannot be loaded.
    """
    for name in flavour.modules:
        if importlib.util.find_spec(name) is not None:
            return importlib.import_module(name)
    raise ModuleNotFoundError(missing(flavour), name=flavour.modules[0])


def make_log(module: Any) -> Any:
    """A logger of TensorRT that keeps what it is told: `lines` holds pairs of severity and text."""

    class Log(module.ILogger):  # type: ignore[misc] # the module has no types
        def __init__(self) -> None:
            super().__init__()
            self.lines: list[tuple[str, str]] = []

        def log(self, severity: Any, message: str) -> None:
            self.lines.append((severity.name, message))

        def errors(self) -> str:
            """What it called an error, as one line."""
            return " ".join(text for severity, text in self.lines if "ERROR" in severity)

    return Log()
