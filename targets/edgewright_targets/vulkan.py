"""Devices of Vulkan on this machine: GPUs of any maker, and processors that stand in for one in software."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

_LIBRARY = "libvulkan.so.1"
# vulkan_core.h: VK_SUCCESS, VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, VK_PHYSICAL_DEVICE_TYPE_CPU.
_SUCCESS, _INSTANCE, _CPU = 0, 1, 4
# VkPhysicalDeviceProperties has 824 bytes: deviceType is at 16, the text deviceName of at most 256 bytes after it.
_PROPERTIES_BYTES, _TYPE_AT, _NAME_AT, _NAME_BYTES = 1024, 16, 20, 256
# VkPhysicalDeviceFeatures is 55 numbers of 32 bits. shaderUniformBuffer-, SampledImage-, StorageBuffer- and
# StorageImageArrayDynamicIndexing are numbers 33 to 36.
_FEATURES_BYTES, _INDEXING = 256, slice(33, 37)
# Mesa's layer that orders devices prints to standard error where there is no desktop; with this it is not loaded.
_NO_LAYER = "NODEVICE_SELECT"


class VulkanDevice(NamedTuple):
    """A device of Vulkan.

    Attributes:
        name: As its driver calls it.
        software: It is the processor, such as Mesa's llvmpipe or SwiftShader.
        indexing: It has the features of indexing arrays that WebGPU asks for.
    """

    name: str
    software: bool
    indexing: bool


class _InstanceInfo(ctypes.Structure):
    """VkInstanceCreateInfo."""

    _fields_ = (
        ("sType", ctypes.c_int),
        ("pNext", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("pApplicationInfo", ctypes.c_void_p),
        ("enabledLayerCount", ctypes.c_uint32),
        ("ppEnabledLayerNames", ctypes.c_void_p),
        ("enabledExtensionCount", ctypes.c_uint32),
        ("ppEnabledExtensionNames", ctypes.c_void_p),
    )


@functools.cache
def vulkan_devices() -> tuple[VulkanDevice, ...] | None:
    """The devices of Vulkan here; None where Vulkan's loader is not installed."""
    try:
        vulkan = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    instance = ctypes.c_void_p()
    with _without_layer():
        made = vulkan.vkCreateInstance(ctypes.byref(_InstanceInfo(sType=_INSTANCE)), None, ctypes.byref(instance))
        if made != _SUCCESS:
            # There are no drivers, or none that work.
            return ()
        try:
            return tuple(_device(vulkan, handle) for handle in _handles(vulkan, instance))
        finally:
            vulkan.vkDestroyInstance(instance, None)


def has_vulkan_gpu() -> bool:
    """Whether this machine has a GPU that Vulkan drives."""
    return any(not device.software for device in vulkan_devices() or ())


def _handles(vulkan: ctypes.CDLL, instance: ctypes.c_void_p) -> list[ctypes.c_void_p]:
    count = ctypes.c_uint32()
    if vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None) != _SUCCESS:
        return []
    handles = (ctypes.c_void_p * count.value)()
    if vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), handles) != _SUCCESS:
        return []
    return [ctypes.c_void_p(handle) for handle in handles[: count.value]]


def _device(vulkan: ctypes.CDLL, handle: ctypes.c_void_p) -> VulkanDevice:
    properties = ctypes.create_string_buffer(_PROPERTIES_BYTES)
    vulkan.vkGetPhysicalDeviceProperties(handle, properties)
    kind = ctypes.c_int.from_buffer(properties, _TYPE_AT).value
    name = properties.raw[_NAME_AT : _NAME_AT + _NAME_BYTES].split(b"\0")[0].decode(errors="replace")
    features = ctypes.create_string_buffer(_FEATURES_BYTES)
    vulkan.vkGetPhysicalDeviceFeatures(handle, features)
    flags = (ctypes.c_uint32 * (_FEATURES_BYTES // 4)).from_buffer(features)
    return VulkanDevice(name, kind == _CPU, all(flags[_INDEXING]))


@contextmanager
def _without_layer() -> Iterator[None]:
    before = os.environ.get(_NO_LAYER)
    os.environ[_NO_LAYER] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_NO_LAYER]
        else:
            os.environ[_NO_LAYER] = before
