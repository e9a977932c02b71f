"""What tests of WebGPU share: a Vulkan device in software that the plugin takes."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgewright_targets.vulkan import vulkan_devices

# Chromium brings SwiftShader, the device on which the plugin's own authors test it.
_SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
_USABLE = "from edgewright_targets.vulkan import *; exit(not any(one.indexing for one in vulkan_devices() or ()))"


def _usable(driver: str | None) -> bool:
    # Apart: a process finds its devices once.
    environment = {**os.environ, **({} if driver is None else {"VK_DRIVER_FILES": driver})}
    return subprocess.run([sys.executable, "-c", _USABLE], env=environment, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def software_gpu() -> Iterator[None]:
    """This machine has a Vulkan device in software, and no other."""
    if importlib.util.find_spec("onnxruntime_ep_webgpu") is None:
        pytest.skip("onnxruntime-ep-webgpu is not installed")
    drivers = (*sorted(map(str, Path("/usr/share/vulkan/icd.d").glob("lvp_icd*"))), str(_SWIFTSHADER))
    driver = next((path for path in drivers if Path(path).exists() and _usable(path)), None)
    if driver is None:
        pytest.skip(
            "no Vulkan device in software has what WebGPU demands: install a newer mesa-vulkan-drivers, or chromium"
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VK_DRIVER_FILES", driver)
        vulkan_devices.cache_clear()
        yield
    vulkan_devices.cache_clear()
