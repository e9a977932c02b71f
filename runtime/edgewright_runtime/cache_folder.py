"""Where Edgewright keeps what it can make again, and what lies there."""

from __future__ import annotations

import os
from pathlib import Path

# Packages that came as archives, by the digest of their listing.
UNPACKED = "unpacked"
# Engines that were made on this device, and what was found about them.
ENGINES = "engines"
FINISHED = "finished"
# Graphs that OpenVINO's own runtime compiled on this device.
BLOBS = "openvino"
# What TensorRT learned about kernels, for one GPU, driver and version each.
TIMING = "timing"
# Virtual environments with other versions of the device's libraries.
ENVIRONMENTS = "environments"


def cache_folder() -> Path:
    """Edgewright's folder under the XDG cache folder (`~/.cache/edgewright`); not created."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "edgewright"
