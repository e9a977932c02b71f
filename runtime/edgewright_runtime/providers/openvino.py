"""The OpenVINO plugin provider: Intel processors, from the package `onnxruntime-ep-openvino`."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from typing import Any

from edgewright_runtime.options import Check, one_of, thread_count
from edgewright_runtime.providers._plugins import devices, refused

# Seen with plugin 1.8 on an AMD processor: the library loads and offers no device.
OTHER_PROCESSORS = "The OpenVINO provider finds no device on this machine. It supports Intel processors only."
_NAME = "OpenVINOExecutionProvider"
_PLUGIN = "onnxruntime_ep_openvino"
_LONGEST_CONFIG = 1000
# OpenVINO also has properties that are folders to write to and libraries to load, such as CACHE_DIR.
PROPERTIES: Mapping[str, Check] = {
    "PERFORMANCE_HINT": one_of("LATENCY", "THROUGHPUT", "CUMULATIVE_THROUGHPUT"),
    "INFERENCE_PRECISION_HINT": one_of("f32", "f16", "bf16"),
    "INFERENCE_NUM_THREADS": thread_count,
}


def _config(value: str) -> str | None:
    expected = "JSON of the device CPU to its properties"
    try:
        devices = json.loads(value) if len(value) <= _LONGEST_CONFIG else None
    except (ValueError, RecursionError):
        return expected
    if not isinstance(devices, dict) or list(devices) != ["CPU"] or not isinstance(devices["CPU"], dict):
        return expected
    for name, setting in devices["CPU"].items():
        if name not in PROPERTIES:
            return f"no other properties than {', '.join(PROPERTIES)}"
        if not isinstance(setting, str) or (wrong := PROPERTIES[name](setting)) is not None:
            return f"{name} to be {wrong if isinstance(setting, str) else 'text'}"
    # Two readers of JSON may choose differently between two equal keys: only the text that the compiler writes is read.
    return None if json.dumps(devices, sort_keys=True) == value else f"{expected}, sorted and each once"


ALLOWED: Mapping[str, Check] = {"load_config": _config}


def unavailable() -> str | None:
    """Why OpenVINO cannot run here, or None."""
    if importlib.util.find_spec(_PLUGIN) is None:
        return "The OpenVINO provider is not installed; install it with: pip install 'edgewright[openvino]'."
    if (reason := refused(_NAME, _PLUGIN)) is not None:
        return reason
    return None if devices(_NAME, _PLUGIN, "CPU") else OTHER_PROCESSORS


def emulator_unavailable() -> str | None:
    """It runs on what it finds; an Intel processor is emulated around the whole process, by QEMU."""
    return "The OpenVINO provider has no emulator."


def options(settings: Mapping[str, str], threads: int) -> dict[str, str]:
    """OpenVINO's properties travel as one JSON string, keyed by device."""
    properties = {**settings, "INFERENCE_NUM_THREADS": str(threads)}
    return {"load_config": json.dumps({"CPU": properties}, sort_keys=True)}


def configure(session_options: Any, provider_options: Mapping[str, str]) -> None:
    """Add OpenVINO's CPU device."""
    session_options.add_provider_for_devices(devices(_NAME, _PLUGIN, "CPU"), dict(provider_options))
