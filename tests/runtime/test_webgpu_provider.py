"""Why the WebGPU provider can run or not, told by the devices of Vulkan."""

import importlib.util
from typing import Any

import pytest

from edgewright_runtime.providers import webgpu
from edgewright_targets import vulkan
from edgewright_targets.hardware import Hardware
from edgewright_targets.host import architecture
from edgewright_targets.vulkan import VulkanDevice, vulkan_devices

GPU = VulkanDevice("AMD Radeon (RADV)", software=False, indexing=True)
OLD = VulkanDevice("llvmpipe (LLVM 15.0.6, 256 bits)", software=True, indexing=False)
SOFTWARE = VulkanDevice("SwiftShader Device", software=True, indexing=True)


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that says which devices there are."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)

    def planted(*devices: VulkanDevice) -> None:
        monkeypatch.setattr(vulkan, "vulkan_devices", lambda: devices)
        monkeypatch.setattr(webgpu, "vulkan_devices", lambda: devices)

    return planted


def test_a_gpu_runs_and_a_device_in_software_only_stands_in(plant: Any) -> None:
    plant(SOFTWARE)
    assert webgpu.unavailable() == webgpu.OTHER_PROCESSORS
    assert webgpu.emulator_unavailable() is None
    plant(SOFTWARE, GPU)
    assert webgpu.unavailable() is None
    assert "has a GPU" in str(webgpu.emulator_unavailable())


def test_a_target_with_a_gpu_is_a_machine_with_one(plant: Any) -> None:
    wanted = Hardware(architecture(), vulkan_gpu=True)
    plant(SOFTWARE)
    assert not wanted.matches_machine()
    plant(GPU)
    assert wanted.matches_machine()
    assert wanted.specificity() > Hardware(architecture()).specificity()


def test_what_is_missing_is_said_with_what_to_do(plant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant()
    assert webgpu.unavailable() == webgpu.OTHER_PROCESSORS
    assert "no Vulkan device in software. Install mesa-vulkan-drivers" in str(webgpu.emulator_unavailable())
    plant(OLD)
    assert "llvmpipe (LLVM 15.0.6, 256 bits)) cannot index" in str(webgpu.emulator_unavailable())
    monkeypatch.setattr(webgpu, "vulkan_devices", lambda: None)
    assert "apt-get install libvulkan1" in str(webgpu.unavailable())
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert webgpu.unavailable() == webgpu.emulator_unavailable()
    assert "pip install 'edgewright[webgpu]'" in str(webgpu.unavailable())


def test_without_the_loader_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vulkan, "_LIBRARY", "libno-such-vulkan.so.1")
    vulkan_devices.cache_clear()
    assert vulkan_devices() is None
    vulkan_devices.cache_clear()
