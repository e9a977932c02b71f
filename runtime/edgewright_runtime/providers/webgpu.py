"""The WebGPU plugin provider: a GPU of any maker through Vulkan, from the package `onnxruntime-ep-webgpu`.

Where there is no GPU the plugin can run on a Vulkan device in software (Mesa's llvmpipe, SwiftShader): the same shaders
and no speed of a GPU. Only who asks for emulation gets it, see `emulator_unavailable`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

from edgewright_runtime.errors import EngineUnavailableError
from edgewright_runtime.options import Check, one_of
from edgewright_runtime.providers._plugins import devices, refused
from edgewright_targets.vulkan import has_vulkan_gpu, vulkan_devices

OTHER_PROCESSORS = (
    "The WebGPU provider finds no GPU on this machine. A device in software is not timed: '--target webgpu' shows what "
    "it answers."
)
_NAME = "WebGpuExecutionProvider"
_PLUGIN = "onnxruntime_ep_webgpu"
# Read by plugin 0.4 where it is registered: it then offers the machine's processor as a device where ONNX Runtime finds
# no GPU. Which adapter runs is chosen by Dawn all the same, so this also serves GPUs that only Vulkan sees.
_WITHOUT_GPU = "ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER"
# Not `webgpuDevice`, `webgpuInstance` and `dawnProcTable`, which are addresses in memory, nor what needs more than a
# plain call (`enableGraphCapture` takes inputs that lie on the device).
ALLOWED: Mapping[str, Check] = {
    "powerPreference": one_of("high-performance", "low-power"),
    "preferredLayout": one_of("NCHW", "NHWC"),
    "validationMode": one_of("disabled", "wgpuOnly", "basic", "full"),
}


def unavailable() -> str | None:
    """Why there is no GPU to run on here, or None."""
    return _missing() or (None if has_vulkan_gpu() else OTHER_PROCESSORS)


def emulator_unavailable() -> str | None:
    """Why no device in software can stand in for a GPU here, or None."""
    missing = _missing()
    if missing is not None:
        return missing
    if has_vulkan_gpu():
        return "This machine has a GPU, which the WebGPU provider would take. A GPU is not emulated beside one."
    found = vulkan_devices() or ()
    if any(device.indexing for device in found):
        return None
    lacking = ", ".join(device.name for device in found)
    reason = (
        f"The Vulkan devices here ({lacking}) cannot index arrays of images, which WebGPU demands. Install a newer "
        "mesa-vulkan-drivers, or"
        if lacking
        else "There is no Vulkan device in software. Install mesa-vulkan-drivers, or"
    )
    return f"{reason} name the driver SwiftShader, which comes with Chromium, in VK_DRIVER_FILES."


def _missing() -> str | None:
    if importlib.util.find_spec(_PLUGIN) is None:
        return "The WebGPU provider is not installed; install it with: pip install 'edgewright[webgpu]'."
    if vulkan_devices() is None:
        return "The WebGPU provider needs Vulkan's loader; install it with: apt-get install libvulkan1."
    return None


def options(settings: Mapping[str, str], threads: int) -> dict[str, str]:  # noqa: ARG001 - the provider protocol
    """The settings as they are; a GPU has no threads to set."""
    return dict(settings)


def configure(session_options: Any, provider_options: Mapping[str, str]) -> None:
    """Add the GPU, or the device in software where there is none.

    Raises:
        EngineUnavailableError: The plugin cannot be loaded.
    """
    os.environ.setdefault(_WITHOUT_GPU, "1")
    # Not asked before: the plugin looks for devices when it is loaded.
    if (reason := refused(_NAME, _PLUGIN)) is not None:
        raise EngineUnavailableError(reason, reason=reason)
    found = devices(_NAME, _PLUGIN, "GPU") or devices(_NAME, _PLUGIN, "CPU")
    session_options.add_provider_for_devices(found, dict(provider_options))
