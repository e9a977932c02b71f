"""Devices of providers that are plugins: libraries that ONNX Runtime loads when they are asked for."""

from __future__ import annotations

import functools
import importlib
from typing import Any, Literal

from edgewright_runtime.provider_words import provider_words


@functools.cache
def devices(provider: str, plugin: str, hardware: Literal["CPU", "GPU", "NPU"]) -> list[Any]:
    """The first device of this kind that the plugin offers here, as a list; empty where it offers none.

    Args:
        provider: ONNX Runtime's name of the execution provider.
        plugin: Its Python module, which is installed.
        hardware: Kind of device.
    """
    import onnxruntime

    _register(provider, plugin)
    wanted = getattr(onnxruntime.OrtHardwareDeviceType, hardware)
    # A plugin may also offer meta devices (`OpenVINOExecutionProvider.AUTO`), told apart by their exact name.
    found = [device for device in onnxruntime.get_ep_devices() if device.ep_name == provider]
    return [device for device in found if device.device.type == wanted][:1]


def refused(provider: str, plugin: str) -> str | None:
    """Why ONNX Runtime cannot load a plugin, as whole sentences with what to do; None if it can.

    Args:
        provider: ONNX Runtime's name of the execution provider.
        plugin: Its Python module, which is installed.
    """
    import onnxruntime

    try:
        _register(provider, plugin)
    except Exception as error:  # noqa: BLE001 - whatever a plugin throws: one of another version, a library without its own
        return (
            f"The plugin {plugin} cannot be loaded into ONNX Runtime {onnxruntime.__version__}: "
            f"{provider_words(error).rstrip('.')}. Install versions that fit each other."
        )
    return None


@functools.cache
def _register(provider: str, plugin: str) -> None:
    import onnxruntime

    # Registering a library twice in a process is an error, hence the cache.
    onnxruntime.register_execution_provider_library(provider, importlib.import_module(plugin).get_library_path())
