"""A worker whose plugin ONNX Runtime cannot load: in a fresh process, as this one may have loaded the real plugin."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgewright_benchmarks.devices.engine_worker import WorkerError
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_targets.host import architecture
from sums import reseal

OLD = Path(__file__).parents[1] / "data" / "format-1"


@pytest.mark.slow
def test_an_engine_whose_plugin_cannot_be_loaded_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if architecture() != "x86_64":
        pytest.skip("the package is for x86-64")
    package = Path(shutil.copytree(OLD, tmp_path / "old.ortpackage"))
    manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
    manifest["components"]["model"]["variants"]["tiny-cpu-fp32"]["ep"] = "OpenVINOExecutionProvider"
    (package / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    reseal(package)
    library, module = tmp_path / "libonnxruntime_ep.so", tmp_path / "modules" / "onnxruntime_ep_openvino"
    library.write_bytes(b"for another system")
    module.mkdir(parents=True)
    code = f"def get_library_path():\n    return {str(library)!r}\n"
    (module / "__init__.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"), prepend=":")
    with WorkerProcess() as worker:
        worker.keep([{"pixels": np.zeros((1, 8), dtype=np.float32)}])
        with pytest.raises(WorkerError, match="onnxruntime_ep_openvino cannot be loaded into ONNX Runtime") as refusal:
            worker.load(package, "tiny-cpu-fp32", 1)
    assert refusal.value.kind == "input"
