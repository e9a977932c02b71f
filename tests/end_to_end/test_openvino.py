"""OpenVINO's provider for real: on an Intel processor as it is, elsewhere in QEMU's emulation of one.

The plugin offers devices on Intel processors only. QEMU's user mode runs the same libraries on any x86-64 machine
under an Intel vendor name: numbers are real there, times are not.
"""

import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edgewright_benchmarks.devices.engine_worker import WORKER_COMMAND, WorkerError
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_runtime import EngineFallbackWarning, EngineUnavailableError, load
from edgewright_runtime.providers import openvino
from x86_emulator import INTEL, python_on

ENGINES = ("x86-64-openvino-default", "x86-64-openvino-fp32", "x86-64-openvino-int8")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def worker_command() -> Sequence[str]:
    if importlib.util.find_spec("onnxruntime_ep_openvino") is None:
        pytest.skip("onnxruntime-ep-openvino is not installed")
    if openvino.unavailable() is None:
        return WORKER_COMMAND
    return (*python_on(INTEL), *WORKER_COMMAND[1:])


@pytest.mark.parametrize("engine", ENGINES)
def test_openvino_answers_as_the_float_engine(engine: str, draft: Path, worker_command: Sequence[str]) -> None:
    random = np.random.default_rng(3)
    samples = [{"pixels": random.normal(size=(1, 8)).astype(np.float32)} for _ in range(8)]
    with load(draft, engine="x86-64-cpu-fp32") as model:
        expected = [model(sample)["scores"] for sample in samples]
    with WorkerProcess(command=worker_command) as worker:
        worker.keep(samples)
        info = worker.load(draft, engine, 1).engine
        answers = [made.outputs["scores"] for made in worker.answer(range(len(samples)))]
    assert set(info.nodes) == {"OpenVINOExecutionProvider"}
    scale = float(np.abs(expected).max())
    gaps = np.abs(np.array(answers) - np.array(expected)) / scale
    if engine.endswith("int8"):
        # Without VNNI, which the emulated processor lacks, sums of two products saturate: single answers may be far
        # off there (a build would refuse the engine for it), most may not.
        assert float(np.median(gaps)) <= 0.02
    else:
        # bfloat16 where the processor has it; a wrong graph would be off by the scale itself.
        assert float(gaps.max()) <= (1e-4 if engine.endswith("fp32") else 0.05)


def test_without_a_device_the_fallback_is_said_aloud(draft: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "unavailable", lambda: "There is none here.")
    package = reordered(draft)
    with pytest.warns(EngineFallbackWarning, match="There is none here"):
        model = load(package)
    assert model.engine.name == "x86-64-cpu-fp32"
    assert model.engine.passed_over == ((ENGINES[0], "There is none here."),)
    model.close()
    with pytest.raises(EngineUnavailableError, match="There is none here"):
        load(package, strict=True)
    with pytest.raises(EngineUnavailableError, match="There is none here"):
        load(package, engine=ENGINES[0])


def test_an_engine_that_cannot_run_is_a_reason_and_no_crash(draft: Path) -> None:
    if openvino.unavailable() is None:
        pytest.skip("OpenVINO runs on this machine")
    with WorkerProcess() as worker, pytest.raises(WorkerError, match="OpenVINO provider"):
        worker.load(draft, ENGINES[0], 1)


def reordered(draft: Path) -> Path:
    """The draft with OpenVINO first in its order, in a folder of its own."""
    import json

    copy = draft.with_name("reordered")
    shutil.copytree(draft, copy, dirs_exist_ok=True)
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["additional_metadata"]["edgewright"]["order"] = [ENGINES[0], "x86-64-cpu-fp32"]
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return copy
