"""Plans of TensorRT on a device: refused with a reason where they cannot be right, and how one is run.

No test here has a GPU. Where one has to be there, plain memory stands in for it and a small class for TensorRT: that
shows the order of the calls and what becomes of arrays, and nothing about TensorRT itself.
"""

import ctypes
import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgewright_runtime import PackageError, SampleError
from edgewright_runtime.manifest import EnginePart, EngineSpec
from edgewright_runtime.plans import invalid, profile, profile_option
from edgewright_runtime.providers import PROVIDERS, provider
from edgewright_runtime.trt import FULL, RTX, Flavour, Shapes, load_module, missing, session
from edgewright_runtime.trt.session import PlanError, PlanSession
from edgewright_targets import gpu
from edgewright_targets.gpu import CudaError, Gpu
from edgewright_targets.recipe import Recipe

GPU = Gpu("RTX 4090", "8.9", 24 * 2**30, "580.95 cuda 13000")
needs_rtx = pytest.mark.skipif(missing(RTX) is not None, reason=str(missing(RTX)))


@pytest.fixture
def spec() -> EngineSpec:
    return EngineSpec(
        name="rtx-40-tensorrt-fp16",
        target="rtx-40",
        architecture="x86_64",
        provider="TensorRT-RTX",
        precision="fp16",
        recipe=Recipe(method="cast", float_type="float16"),
        pad_to_multiple_of=1,
        tolerance=0.01,
        parts={"model": EnginePart("model/rtx-40-tensorrt-fp16/engine.plan", {}, {"compute_capabilities": "8.6 8.9"})},
        engine="tensorrt-rtx",
        compared=False,
    )


def with_options(spec: EngineSpec, **options: str) -> EngineSpec:
    part = dataclasses.replace(spec.parts["model"], provider_options=options)
    return dataclasses.replace(spec, parts={"model": part})


@needs_rtx
def test_another_gpu_is_named(spec: EngineSpec, tmp_path: Path) -> None:
    here = dataclasses.replace(GPU, name="RTX 5090", capability="12.0")
    reason = invalid(RTX, spec, tmp_path / "engine.plan", here)
    assert reason is not None
    assert "built for GPUs of compute capability 8.6, 8.9" in reason
    assert "RTX 5090 of this machine has 12.0" in reason


@needs_rtx
def test_another_version_is_named(spec: EngineSpec, tmp_path: Path) -> None:
    older = with_options(spec, compute_capabilities="8.9", tensorrt_version="1.0.0.1")
    reason = invalid(RTX, older, tmp_path / "engine.plan", GPU)
    assert reason is not None
    assert "built by TensorRT for RTX 1.0.0.1, but " in reason


@needs_rtx
def test_tensorrt_itself_is_asked(spec: EngineSpec, tmp_path: Path) -> None:
    """Whatever the machine, bytes that are not a plan are refused; without a driver every plan is."""
    plan = tmp_path / "engine.plan"
    plan.write_bytes(b"no plan" * 100)
    current = with_options(spec, compute_capabilities="8.9", tensorrt_version=load_module(RTX).__version__)
    reason = invalid(RTX, current, plan, GPU)
    assert reason is not None
    assert reason.startswith("TensorRT for RTX cannot load it here: ")


@pytest.mark.parametrize(
    ("name", "flavour", "install"),
    [
        ("TensorRT", FULL, "TensorRT is not installed. It is part of JetPack"),
        (
            "TensorRT-RTX",
            RTX,
            "TensorRT for RTX is not installed. Install it with: pip install 'edgewright[tensorrt-rtx]'",
        ),
    ],
)
def test_providers_say_what_is_missing(
    name: str, flavour: Flavour, install: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert name in PROVIDERS
    # An emulator would have to be one of the GPU; none is known.
    assert provider(name).emulator_unavailable()
    # Without a GPU, that comes first: nothing needs to be installed for a plan that cannot run.
    with monkeypatch.context() as patch:
        patch.setattr(gpu, "gpu", _no_gpu)
        assert provider(name).unavailable() == "libcuda.so.1 is not here."
    monkeypatch.setattr(gpu, "gpu", lambda: GPU)
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda module: None)
        reason = provider(name).unavailable()
        assert reason is not None
        assert reason.startswith(install)
    # With a GPU and any one of its modules, nothing is missing.
    for module in flavour.modules:
        with monkeypatch.context() as patch:
            patch.setattr("importlib.util.find_spec", lambda asked, module=module: asked == module or None)
            assert provider(name).unavailable() is None


def _no_gpu() -> Gpu:
    raise CudaError("libcuda.so.1 is not here.")


def test_shapes_come_back_as_they_were(spec: EngineSpec) -> None:
    shapes: dict[str, Shapes] = {"input_ids": ((1, 1), (1, 16), (1, 512)), "pixels": ((1, 3), (1, 3), (1, 3))}
    with_shapes = with_options(spec, profile=profile_option(shapes))
    assert profile(with_shapes, "model") == shapes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"x": 5}',
        '{"x": [[1], [2]]}',
        '{"x": [[1], [2], [3, 4]]}',
        '{"x": [[3], [2], [1]]}',
        '{"x": [[-1], [2], [3]]}',
        '{"x": [[1], [2], [99999999999999]]}',
        '{"x": [["a"], [2], [3]]}',
        "[" * 100_000,
    ],
)
def test_shapes_that_are_none_are_refused(spec: EngineSpec, text: str) -> None:
    with pytest.raises(PackageError, match="shapes cannot be read"):
        profile(with_options(spec, profile=text), "model")
    with pytest.raises(PackageError, match="shapes cannot be read"):
        profile(with_options(spec), "model")


@needs_rtx
def test_no_session_without_a_gpu(tmp_path: Path) -> None:
    if gpu.unavailable() is None:
        pytest.skip("there is a GPU here")
    (tmp_path / "engine.plan").write_bytes(b"")
    with pytest.raises(CudaError, match="NVIDIA driver"):
        PlanSession(RTX, tmp_path / "engine.plan")


class HostMemory:
    """Stands in for a stream on a GPU: device memory is host memory, copies happen at once."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.handle = 7
        self.waits = 0
        self.closed = False

    def use(self) -> None:
        pass

    def buffer(self, name: str, size: int) -> int:
        if name not in self.kept or len(self.kept[name]) < size:
            self.kept[name] = ctypes.create_string_buffer(max(1, size))
        return ctypes.addressof(self.kept[name])

    def upload(self, address: int, source: int, size: int) -> None:
        ctypes.memmove(address, source, size)

    def download(self, target: int, address: int, size: int) -> None:
        ctypes.memmove(target, address, size)

    def wait(self) -> None:
        self.waits += 1

    def close(self) -> None:
        self.closed = True


class Doubling:
    """Stands in for TensorRT's engine and context: `y` is twice `x`, for lengths from 1 to 4."""

    num_io_tensors = 2
    num_layers = 3

    def __init__(self, module: Any) -> None:
        self.module = module
        self.shape: tuple[int, ...] = ()
        self.addresses: dict[str, int] = {}
        self.runs = True

    def get_tensor_name(self, index: int) -> str:
        return "xy"[index]

    def get_tensor_mode(self, name: str) -> str:
        return "INPUT" if name == "x" else "OUTPUT"

    def get_tensor_dtype(self, name: str) -> Any:
        return SimpleNamespace(name="FLOAT")

    def get_tensor_location(self, name: str) -> str:
        return "DEVICE"

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.shape or (1, -1)

    def get_tensor_profile_shape(self, name: str, index: int) -> list[tuple[int, ...]]:
        return [(1, 1), (1, 2), (1, 4)]

    def create_execution_context(self) -> "Doubling":
        return self

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        if not 1 <= shape[-1] <= 4:
            return False
        self.shape = tuple(shape)
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return True

    def execute_async_v3(self, handle: int) -> bool:
        assert handle == 7
        count = int(np.prod(self.shape))
        source = (ctypes.c_float * count).from_address(self.addresses["x"])
        target = (ctypes.c_float * count).from_address(self.addresses["y"])
        target[:] = [2 * one for one in source]
        return self.runs


@pytest.fixture
def doubling(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[PlanSession, Doubling, HostMemory]:
    class Logger:
        pass

    module = SimpleNamespace(
        ILogger=Logger,
        TensorIOMode=SimpleNamespace(INPUT="INPUT", OUTPUT="OUTPUT"),
        TensorLocation=SimpleNamespace(HOST="HOST", DEVICE="DEVICE"),
    )
    engine, memory = Doubling(module), HostMemory()
    module.Runtime = lambda log: SimpleNamespace(
        deserialize_cuda_engine=lambda plan: engine if plan == b"plan" else None
    )
    monkeypatch.setattr(session, "load_module", lambda flavour: module)
    monkeypatch.setattr(session, "Stream", lambda: memory)
    (tmp_path / "engine.plan").write_bytes(b"plan")
    return PlanSession(RTX, tmp_path / "engine.plan"), engine, memory


def test_arrays_go_in_and_come_out(doubling: tuple[PlanSession, Doubling, HostMemory]) -> None:
    plan, _, memory = doubling
    assert plan.layers == 3
    assert [(port.name, port.type, port.shape) for port in plan.get_inputs()] == [("x", "tensor(float)", (1, None))]
    first = np.array([[1, 2, 3]], dtype=np.float32)
    # A view with its elements apart: what is copied to the device lies together.
    second = np.arange(8, dtype=np.float32).reshape(1, 8)[:, ::2]
    (one,) = plan.run(["y"], {"x": first})
    (two,) = plan.run(["y"], {"x": second})
    np.testing.assert_array_equal(one, 2 * first)
    np.testing.assert_array_equal(two, 2 * second)
    assert memory.waits == 2
    plan.close()
    assert memory.closed


def test_feeds_that_do_not_fit_are_told(doubling: tuple[PlanSession, Doubling, HostMemory]) -> None:
    plan, _, _ = doubling
    with pytest.raises(SampleError, match=r"shapes from \[1, 1\] to \[1, 4\]"):
        plan.run(["y"], {"x": np.zeros((1, 5), np.float32)})
    with pytest.raises(SampleError, match="is float64; the model takes float32"):
        plan.run(["y"], {"x": np.zeros((1, 3))})
    with pytest.raises(SampleError, match="takes the inputs"):
        plan.run(["y"], {"x": np.zeros((1, 3), np.float32), "z": np.zeros(1)})
    with pytest.raises(SampleError, match="takes the inputs"):
        plan.run(["y"], {})


def test_a_run_that_fails_is_no_answer(doubling: tuple[PlanSession, Doubling, HostMemory]) -> None:
    plan, engine, _ = doubling
    engine.runs = False
    with pytest.raises(PlanError, match="failed at execution"):
        plan.run(["y"], {"x": np.zeros((1, 3), np.float32)})


def test_a_file_that_is_no_plan(doubling: tuple[PlanSession, Doubling, HostMemory], tmp_path: Path) -> None:
    (tmp_path / "other.plan").write_bytes(b"something else")
    with pytest.raises(PlanError, match="cannot read the plan"):
        PlanSession(RTX, tmp_path / "other.plan")
    # What was taken of the GPU is given back.
    assert doubling[2].closed


def test_the_option_is_one_line_of_json() -> None:
    assert json.loads(profile_option({"x": ((1,), (2,), (3,))})) == {"x": [[1], [2], [3]]}
