"""Plugins that ONNX Runtime cannot load, such as one of another version: a reason, and no exception of theirs."""

import sys
import types
from pathlib import Path

import pytest

from edgewright_runtime import EngineUnavailableError
from edgewright_runtime.providers import provider
from edgewright_runtime.providers._plugins import refused


def plugin(library: Path) -> str:
    """The code of a plugin whose library is this one."""
    return f"def get_library_path():\n    return {str(library)!r}\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """No library, as one that is built for another system is none here."""
    path = tmp_path / "libonnxruntime_ep.so"
    path.write_bytes(b"for another system")
    return path


def test_a_plugin_that_cannot_be_loaded_is_a_reason(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("stand_in_plugin")
    exec(plugin(library), vars(module))
    monkeypatch.setitem(sys.modules, "stand_in_plugin", module)
    reason = str(refused("StandInExecutionProvider", "stand_in_plugin"))
    assert reason.startswith("The plugin stand_in_plugin cannot be loaded into ONNX Runtime 1.")
    assert "libonnxruntime_ep.so" in reason
    assert reason.endswith("Install versions that fit each other.")
    # It cannot be imported.
    assert "No module named" in str(refused("StandInExecutionProvider", "not_there"))


def test_where_it_is_found_out_late_the_engine_cannot_run(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgewright_runtime.providers import webgpu

    module = types.ModuleType("stand_in_webgpu")
    exec(plugin(library), vars(module))
    monkeypatch.setitem(sys.modules, "stand_in_webgpu", module)
    monkeypatch.setattr(webgpu, "_PLUGIN", "stand_in_webgpu")
    with pytest.raises(EngineUnavailableError, match="stand_in_webgpu cannot be loaded"):
        provider("WebGpuExecutionProvider").configure(None, {})
