"""OpenVINO's own runtime: the only place where its Python module is imported.

It is not ONNX Runtime's plugin provider of that name. It reads the same ONNX graphs, and runs on more processors:
those of AMD too, and 64-bit Arm.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
import sys
from typing import Any

MODULE = "openvino"
TITLE = "OpenVINO"
DEVICE = "CPU"
# From its import on OpenVINO sends what it is used for, by this module, unless that cannot be imported.
_TELEMETRY = "openvino_telemetry"
# Lines of its errors that name a place in its source, or a step that says nothing by itself.
_NOISE = re.compile(r"Exception from \S+:\d+:?|Check '.*' failed at .*|Loading input model|\[ ?CORE ?\]")


class OpenVinoError(Exception):
    """OpenVINO refuses a graph, or fails to run it; the text says why."""


def keep_quiet() -> None:
    """Let OpenVINO send nothing, in this process; without effect where it was imported before.

    A module that is None in `sys.modules` cannot be imported, and OpenVINO takes its stub instead.
    """
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type] # what Python itself documents for this


def missing() -> str | None:
    """Why OpenVINO cannot be imported, as whole sentences with what to do; None if it is there."""
    try:
        found = importlib.util.find_spec(MODULE) is not None
    except ValueError:
        # None in `sys.modules`: somebody does not want it.
        found = False
    if found:
        return None
    return f"{TITLE} is not installed; install it with: pip install 'edgewright[openvino]'."


def load_module() -> Any:
    """OpenVINO's Python module.

    Raises:
        ImportError: It is not installed, or one of its libraries cannot be loaded.
    """
    keep_quiet()
    return importlib.import_module(MODULE)


@functools.cache
def core() -> Any:
    """OpenVINO's `Core`, one for the process: each looks for plugins anew.

    Raises:
        ImportError: As `load_module`.
    """
    return load_module().Core()


def words(error: BaseException, most: int = 300) -> str:
    """What an error of OpenVINO says, without places in its source; its kind where it says nothing."""
    lines = [line.strip() for line in _NOISE.sub("", str(error)).splitlines() if line.strip()]
    return " ".join(lines[:2])[:most] if lines else type(error).__name__
