"""WebGPU without a GPU: a Vulkan device in software answers as the CPU provider does, and is never timed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tiny_images
from command import run_apart
from edgewright_benchmarks.devices.engine_worker import WorkerError
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.result_files import read_result
from edgewright_runtime import EngineUnavailableError, load
from edgewright_runtime.providers import webgpu
from edgewright_targets.vulkan import vulkan_devices
from software_gpu import software_gpu as _software_gpu

_ON_GPU, _ON_CPU = "webgpu-webgpu-fp32", "webgpu-cpu-fp32"

software_gpu = _software_gpu


@pytest.fixture(scope="module")
def cnn(software_gpu: None, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of the CNN for a GPU: do not write into it."""
    folder = tmp_path_factory.mktemp("webgpu")
    tiny_images.write_cnn(folder / "cnn.onnx")
    pixels = np.random.default_rng(3).normal(size=(12, 3, 16, 16)).astype(np.float32)
    np.savez(folder / "data.npz", pixels=pixels)
    fixed = ("--calibration", "data.npz", "--target", "webgpu", "-o", "cnn.ortpackage", "--max-drop", "50%")
    done = run_apart("build", "cnn.onnx", *fixed, cache=shared_cache, cwd=folder)
    assert done.code == 0, done.err
    assert "latency was not measured" in done.err
    return folder / "cnn.ortpackage"


def samples() -> Iterator[dict[str, np.ndarray]]:
    random = np.random.default_rng(11)
    for _ in range(4):
        yield {"pixels": random.normal(size=(1, 3, 16, 16)).astype(np.float32)}


def test_a_cnn_answers_as_on_the_processor_and_has_no_latency(cnn: Path) -> None:
    result = read_result(next((cnn / "edgewright" / "evidence").glob("*.json")))
    found = {engine.name: engine for engine in result.engines}
    assert (found[_ON_GPU].rung, found[_ON_GPU].latency) == ("emulated", None)
    assert found[_ON_CPU].rung == "declared"
    given = list(samples())
    with load(cnn, engine=_ON_CPU) as model:
        expected = np.stack([model(one)["scores"] for one in given])
    with WorkerProcess() as worker:
        worker.keep(given)
        info = worker.load(cnn, _ON_GPU, 1, emulate=True).engine
        answers = np.stack([one.outputs["scores"] for one in worker.answer(range(len(given)))])
        assert info.emulated
        assert set(info.nodes) == {"WebGpuExecutionProvider"}
        with pytest.raises(WorkerError, match="runs in an emulator, where its calls cannot be timed"):
            worker.time([0])
    np.testing.assert_allclose(answers, expected, rtol=1e-4, atol=1e-4 * float(np.abs(expected).max()))


def test_without_being_asked_for_it_is_not_run_in_software(cnn: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="finds no GPU on this machine"):
        load(cnn, engine=_ON_GPU)
    assert webgpu.unavailable() == webgpu.OTHER_PROCESSORS
    assert all(device.software for device in vulkan_devices() or ())


def test_a_process_ends_well_with_sessions_of_it(cnn: Path) -> None:
    code = (
        "import sys, numpy; from edgewright_runtime import load\n"
        "sample = {'pixels': numpy.ones((1, 3, 16, 16), numpy.float32)}\n"
        "models = [load(sys.argv[1], engine=sys.argv[2], emulate=True) for _ in range(2)]\n"
        "first = models[0](sample); models[0].close()\n"
        "again = models[1](sample); print((first['scores'] == again['scores']).all())\n"
    )
    done = subprocess.run([sys.executable, "-c", code, cnn, _ON_GPU], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


@pytest.mark.slow
def test_a_text_classifier_leaves_the_work_on_shapes_to_the_processor(
    software_gpu: None, checkpoint: Path, sources: Path, shared_cache: Path, tmp_path: Path
) -> None:
    fixed = ("--target", "webgpu", "-o", tmp_path / "p.ortpackage", "--max-drop", "50%", "--accept-baseline", "--json")
    data = ("--calibration", "train.csv", "--evaluation", "validation.csv")
    done = run_apart("build", checkpoint, *data, *fixed, cache=shared_cache, cwd=sources)
    assert done.code == 0, done.err
    assert "WebGpuExecutionProvider took" in done.out
    verified = run_apart("verify", tmp_path / "p.ortpackage", "--target", "webgpu", cache=shared_cache, cwd=sources)
    assert verified.code == 0, verified.err
    assert f"{_ON_GPU}  emulated" in verified.out
