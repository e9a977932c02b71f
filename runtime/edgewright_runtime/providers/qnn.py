"""The QNN plugin provider: the NPU of Snapdragon chips, from the package `onnxruntime-qnn`.

On x86-64 the same library holds Qualcomm's emulator of the NPU: it compiles for it and runs the result, with the
NPU's arithmetic and without its speed. Only who asks for emulation gets it, see `emulator_unavailable`.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from edgewright_runtime.options import Check, matching, one_of
from edgewright_runtime.providers._plugins import devices, refused
from edgewright_targets.errors import InputError
from edgewright_targets.host import architecture

OTHER_PROCESSORS = "The QNN provider finds no device on this machine. It supports Snapdragon processors only."
_NAME = "QNNExecutionProvider"
_PLUGIN = "onnxruntime_qnn"
# Of the Hexagon NPU, in onnxruntime-qnn 2.7.
_ARCHITECTURES = ("68", "69", "73", "75", "79", "81")
_EMULATES_ON = "x86_64"
# Not `backend_path`, a library that is loaded, nor the options that name files to write.
ALLOWED: Mapping[str, Check] = {
    "htp_arch": one_of(*_ARCHITECTURES),
    "soc_model": matching(r"[0-9]{1,5}", "a number of at most five digits"),
}


def unavailable() -> str | None:
    """Why there is no NPU to run on here, or None."""
    if architecture() == _EMULATES_ON:
        return (
            "On x86-64 the QNN provider can only emulate the NPU of a Snapdragon. Run the engine on a Snapdragon "
            "device."
        )
    return _missing()


def emulator_unavailable() -> str | None:
    """Why the NPU cannot be emulated here, or None; compiling for it needs the same."""
    if architecture() != _EMULATES_ON:
        return f"The emulator of the Snapdragon NPU runs on x86-64 only; this machine is {architecture()}."
    return _missing()


def _missing() -> str | None:
    if importlib.util.find_spec(_PLUGIN) is None:
        return "The QNN provider is not installed; install it with: pip install 'edgewright[qnn]'."
    if (reason := refused(_NAME, _PLUGIN)) is not None:
        return reason
    return None if _devices() else OTHER_PROCESSORS


def options(settings: Mapping[str, str], threads: int) -> dict[str, str]:  # noqa: ARG001 - the provider protocol
    """The settings as they are (`htp_arch`, `soc_model`, ...); the NPU has no threads to set.

    Raises:
        InputError: They do not say which NPU, or name one that the provider does not know.
    """
    # The provider itself drops an architecture that it does not know, and compiles for some other one.
    if settings.get("htp_arch") not in _ARCHITECTURES or not settings.get("soc_model", "").isdecimal():
        found = (
            ", ".join(f"{key} = '{settings[key]}'" for key in ("htp_arch", "soc_model") if key in settings) or "none"
        )
        raise InputError(
            f"The QNN provider needs the options htp_arch and soc_model, both numbers as text; found {found}.",
            hint=f"Known architectures: {', '.join(_ARCHITECTURES)}.",
        )
    return dict(settings)


def configure(session_options: Any, provider_options: Mapping[str, str]) -> None:
    """Add the NPU, or its emulator where there is none."""
    # The path is of this machine, so it is not an option that a package could carry.
    path = importlib.import_module(_PLUGIN).get_qnn_htp_path()
    session_options.add_provider_for_devices(_devices(), {**provider_options, "backend_path": path})


def _devices() -> list[Any]:
    # A Snapdragon offers its NPU, GPU and CPU under one name; the emulator presents itself as the host's CPU.
    return devices(_NAME, _PLUGIN, "CPU" if architecture() == _EMULATES_ON else "NPU")
