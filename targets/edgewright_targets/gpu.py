"""The NVIDIA GPU of this machine, asked through the driver's own library: wherever a GPU works, it is there."""

from __future__ import annotations

import ctypes
import functools
import re
from dataclasses import dataclass
from typing import Any

from edgewright_targets.host import read_text

# CUdevice_attribute in cuda.h.
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76
_NAME_BYTES = 256
# Where Linux says which driver is loaded, on PCs and on Jetson.
_DRIVER_FILES = ("/sys/module/nvidia/version", "/proc/driver/nvidia/version", "/etc/nv_tegra_release")


class CudaError(Exception):
    """A call of the CUDA driver failed; the text says which and why."""


@dataclass(frozen=True)
class Gpu:
    """The first NVIDIA GPU of this machine.

    Attributes:
        name: As the driver calls it.
        capability: Compute capability, such as `8.9`.
        memory_bytes: Its memory.
        driver: Version of the driver and of CUDA in it, as far as they are told.
    """

    name: str
    capability: str
    memory_bytes: int
    driver: str


@functools.cache
def _library() -> Any:
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise CudaError("There is no NVIDIA driver on this machine (libcuda.so.1 cannot be loaded).") from error
    _check(library.cuInit(0), "cuInit", library)
    return library


def _check(code: int, call: str, library: Any) -> None:
    if code == 0:
        return
    text = ctypes.c_char_p()
    library.cuGetErrorString(code, ctypes.byref(text))
    reason = text.value.decode(errors="replace") if text.value else f"error {code}"
    raise CudaError(f"The NVIDIA driver refused {call}: {reason}.")


def call(name: str, *arguments: Any) -> None:
    """Call a function of the driver.

    Raises:
        CudaError: There is no driver, or it said no.
    """
    library = _library()
    _check(getattr(library, name)(*arguments), name, library)


@functools.cache
def gpu() -> Gpu:
    """The GPU that engines run on.

    Raises:
        CudaError: There is no GPU.
    """
    count, device = ctypes.c_int(), ctypes.c_int()
    call("cuDeviceGetCount", ctypes.byref(count))
    if count.value < 1:
        raise CudaError("The NVIDIA driver of this machine finds no GPU.")
    call("cuDeviceGet", ctypes.byref(device), 0)
    name = ctypes.create_string_buffer(_NAME_BYTES)
    call("cuDeviceGetName", name, _NAME_BYTES, device)
    major, minor = ctypes.c_int(), ctypes.c_int()
    call("cuDeviceGetAttribute", ctypes.byref(major), _CAPABILITY_MAJOR, device)
    call("cuDeviceGetAttribute", ctypes.byref(minor), _CAPABILITY_MINOR, device)
    memory = ctypes.c_size_t()
    call("cuDeviceTotalMem_v2", ctypes.byref(memory), device)
    version = ctypes.c_int()
    call("cuDriverGetVersion", ctypes.byref(version))
    driver = f"{driver_version()} cuda {version.value}".strip()
    return Gpu(name.value.decode(errors="replace"), f"{major.value}.{minor.value}", memory.value, driver)


def driver_version() -> str:
    """What the system says about the loaded driver, on one line; empty where it says nothing."""
    for path in _DRIVER_FILES:
        lines = read_text(path).strip().splitlines()
        if lines:
            return re.sub(r"\s+", " ", lines[0])
    return ""


def unavailable() -> str | None:
    """Why no GPU can be used here, as a sentence; None if one can."""
    try:
        gpu()
    except CudaError as error:
        return str(error)
    return None
