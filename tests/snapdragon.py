"""What tests of the Snapdragon NPU share."""

import importlib.util

import pytest

from edgewright_targets.host import architecture

needs_qnn = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("onnxruntime_qnn") is None or architecture() != "x86_64",
        reason="the emulator of the NPU is in onnxruntime-qnn for x86-64, which is not installed",
    ),
]
