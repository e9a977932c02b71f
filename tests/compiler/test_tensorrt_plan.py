"""Plans from the real builder of TensorRT for RTX, which needs no GPU: what is built, what is refused, what is kept."""

import dataclasses
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

import tiny_images
import tiny_models
from doubles import Recording
from edgewright_compiler.compile import CompileError, CompileRequest, tensorrt_plan
from edgewright_compiler.compile.plan_messages import PlanFacts
from edgewright_compiler.compile.tensorrt_device import compile_engine as compile_for_the_device
from edgewright_compiler.compile.tensorrt_plan import build_plan
from edgewright_compiler.compile.tensorrt_rtx import compile_engine, graph_files
from edgewright_compiler.compile.tensorrt_shapes import optimization_profile
from edgewright_compiler.graphs.exported import load_graph
from edgewright_compiler.graphs.feed_shapes import FeedShapes
from edgewright_compiler.graphs.quantize import quantize
from edgewright_runtime.trt import FULL, RTX, Shapes, missing
from edgewright_targets import InputError, Recipe, load_target

pytestmark = pytest.mark.skipif(missing(RTX) is not None, reason=str(missing(RTX)))

PROFILE: dict[str, Shapes] = {"pixels": ((1, 8), (2, 8), (16, 8))}
OPTIONS = {"compute_capabilities": "8.6 8.9 12.0"}


@pytest.fixture(scope="module")
def perceptron(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a float graph with a free first axis."""
    folder = tmp_path_factory.mktemp("perceptron")
    tiny_models.write_onnx(folder / "model.onnx")
    return folder


def in_precision(folder: Path, into: Path, recipe: Recipe) -> Path:
    feeds = [{"pixels": np.random.default_rng(seed).normal(size=(1, 8)).astype(np.float32)} for seed in range(3)]
    into.mkdir()
    quantize(folder, recipe, feeds, into)
    return into


@pytest.fixture(scope="module")
def half(perceptron: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("precisions") / "half"
    return in_precision(perceptron, folder, Recipe(method="cast", float_type="float16"))


@pytest.fixture(scope="module")
def float8(perceptron: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("precisions") / "float8"
    recipe = Recipe(
        method="static",
        activation_type="float8e4m3fn",
        weight_type="float8e4m3fn",
        activation_symmetric=True,
        operators=("Gemm",),
        float_type="float16",
    )
    return in_precision(perceptron, folder, recipe)


@pytest.fixture
def built(half: Path, tmp_path: Path) -> tuple[PlanFacts, Path]:
    return build_plan(graph_files(half), RTX, PROFILE, tmp_path, capabilities=["8.9"]), tmp_path


def test_what_is_left(built: tuple[PlanFacts, Path]) -> None:
    facts, folder = built
    assert sorted(path.name for path in folder.iterdir()) == ["build.log", "engine.plan", "layers.txt"]
    assert facts.size_bytes == (folder / "engine.plan").stat().st_size > 1000
    layers = (folder / "layers.txt").read_text(encoding="utf-8")
    assert len(layers.splitlines()) == facts.layers >= 2
    # The types in the graph are those of the engine.
    assert "Datatype: Half" in layers
    log = (folder / "build.log").read_text(encoding="utf-8")
    assert "Engine generation completed" in log
    assert "VERBOSE" not in log
    for text in (layers, log):
        assert str(folder) not in text


def test_nothing_of_this_machine_is_in_a_plan(built: tuple[PlanFacts, Path]) -> None:
    _, folder = built
    assert str(folder.parent).encode() not in (folder / "engine.plan").read_bytes()


def test_one_plan_for_three_capabilities_again_with_the_same_bytes(half: Path, tmp_path: Path) -> None:
    shapes = FeedShapes({"pixels": ((1, 8), (3, 8))})
    facts = compile_engine(
        CompileRequest(graph=half, provider="TensorRT-RTX", provider_options=OPTIONS, shapes=shapes), tmp_path
    )
    assert facts.reproducible is True
    assert [path.name for path in tmp_path.iterdir()] == [facts.file] == ["engine.plan"]
    assert facts.options["profile"] == '{"pixels":[[1,8],[1,8],[3,8]]}'
    assert facts.options["tensorrt_version"] == facts.notes[0].split()[3]
    assert "8.6, 8.9, 12.0" in facts.notes[0]
    assert "Engine generation completed" in facts.log
    assert "LayerType" in facts.detail


def test_float8_where_the_hardware_has_it(float8: Path, tmp_path: Path) -> None:
    build_plan(graph_files(float8), RTX, PROFILE, tmp_path / "8.9", capabilities=["8.9"])
    assert "FP8" in (tmp_path / "8.9" / "layers.txt").read_text(encoding="utf-8")
    with pytest.raises(CompileError, match="sm86"):
        build_plan(graph_files(float8), RTX, PROFILE, tmp_path / "8.6", capabilities=["8.6"])
    assert list((tmp_path / "8.6").iterdir()) == []


def test_asymmetric_int8_is_refused_with_its_reason(perceptron: Path, tmp_path: Path) -> None:
    graph = in_precision(perceptron, tmp_path / "int8", Recipe(method="static", operators=("Gemm",)))
    with pytest.raises(CompileError, match=r"refused the graph: .*zero"):
        build_plan(graph_files(graph), RTX, PROFILE, tmp_path / "made", capabilities=["8.9"])


@pytest.mark.parametrize(
    ("profile", "capabilities", "says"),
    [
        (PROFILE, ["8.7"], "does not build for compute capability 8.7. Supported: SM75"),
        ({}, ["8.9"], "'pixels' has dynamic dimensions"),
        ({"pixels": ((1, 8), (2, 9), (16, 8))}, ["8.9"], "The shapes {'pixels': [[1, 8], [2, 9]"),
    ],
)
def test_what_cannot_be_is_refused(
    profile: dict[str, Any], capabilities: list[str], says: str, half: Path, tmp_path: Path
) -> None:
    with pytest.raises(CompileError) as caught:
        build_plan(graph_files(half), RTX, profile, tmp_path, capabilities=capabilities)
    assert says in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_operator_that_it_does_not_know_is_named(perceptron: Path, tmp_path: Path) -> None:
    model = ir.load(perceptron / "model.onnx")
    model.graph[1].op_type = "NoSuchOperator"
    ir.save(model, tmp_path / "model.onnx")
    with pytest.raises(CompileError, match="NoSuchOperator"):
        build_plan([tmp_path / "model.onnx"], RTX, PROFILE, tmp_path / "made", capabilities=["8.9"])


def test_a_crash_is_a_reason(half: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = "import os, sys; print('Fatal: out of luck', file=sys.stderr, flush=True); os.abort()"
    monkeypatch.setattr(tensorrt_plan, "_COMMAND", (sys.executable, "-c", crash))
    with pytest.raises(CompileError, match=r"ended by signal 6\. Its last output: Fatal: out of luck"):
        build_plan(graph_files(half), RTX, PROFILE, tmp_path, capabilities=["8.9"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "memory"),
        ("import errno, os; raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'engine.plan')", "No space left"),
    ],
)
def test_what_the_system_ended_is_no_finding_about_the_graph(
    program: str, says: str, half: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorrt_plan, "_COMMAND", (sys.executable, "-c", program))
    with pytest.raises(InputError, match=says):
        build_plan(graph_files(half), RTX, PROFILE, tmp_path, capabilities=["8.9"])
    assert list(tmp_path.iterdir()) == []


def test_how_far_it_is(half: Path, tmp_path: Path) -> None:
    progress = Recording()
    build_plan(graph_files(half), RTX, PROFILE, tmp_path, capabilities=["8.9"], progress=progress)
    assert progress.titles
    assert all(title.startswith("TensorRT for RTX: ") for title in progress.titles)


def test_tensorrt_that_is_not_there(half: Path, tmp_path: Path) -> None:
    if missing(FULL) is None:
        pytest.skip("TensorRT is installed here")
    with pytest.raises(CompileError, match="TensorRT is not installed"):
        build_plan(graph_files(half), FULL, PROFILE, tmp_path)


def test_what_the_device_builds_from_is_the_graph(half: Path, tmp_path: Path) -> None:
    request = CompileRequest(
        graph=half, provider="TensorRT", provider_options=OPTIONS, shapes=FeedShapes({"pixels": ((2, 8),)})
    )
    facts = compile_for_the_device(request, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == (half / "model.onnx").read_bytes()
    assert facts.size_bytes == sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert "builds and judges it on the device" in facts.notes[0]


def test_a_profile_of_arrays_is_the_range_of_the_data() -> None:
    shapes = FeedShapes({"pixels": ((1, 8, 20), (1, 8, 30), (1, 8, 70))})
    assert optimization_profile(shapes, {}) == {"pixels": ((1, 8, 20), (1, 8, 30), (1, 8, 70))}


def test_a_profile_of_texts_takes_every_text() -> None:
    shapes = FeedShapes({"input_ids": ((1, 5), (1, 9), (1, 12))})
    assert optimization_profile(shapes, {"input_ids": 512}) == {"input_ids": ((1, 1), (1, 9), (1, 512))}


def test_a_real_text_model_of_any_length(built_text: Path, tmp_path: Path) -> None:
    """The tiny BERT of a built package: masks, gathers and free lengths, in float16 and for two capabilities."""
    from edgewright_runtime import Package

    package = Package.open(built_text)
    graph, weights = package.engine_files("tiny-cpu-fp32")
    source = tmp_path / "float"
    (source / "weights").mkdir(parents=True)
    shutil.copyfile(graph, source / "model.onnx")
    shutil.copyfile(weights, source / "weights" / weights.name)
    (tmp_path / "half").mkdir()
    quantize(source, Recipe(method="cast", float_type="float16"), [], tmp_path / "half")
    free: Shapes = ((1, 1), (1, 8), (1, 32))
    profile = {"input_ids": free, "attention_mask": free}
    facts = build_plan(graph_files(tmp_path / "half"), RTX, profile, tmp_path / "made", capabilities=["8.9", "12.1"])
    assert facts.layers > 10


def test_layers_in_float16_beside_int8(tmp_path: Path) -> None:
    (tmp_path / "float").mkdir()
    tiny_images.write_cnn(tmp_path / "float" / "model.onnx")
    recipe = dataclasses.replace(
        next(one.recipe for one in load_target("rtx-40").candidates if one.name == "tensorrt-int8"),
        excluded_nodes=("second",),
    )
    feeds = [{"pixels": np.random.default_rng(seed).normal(size=(1, 3, 16, 16)).astype(np.float32)} for seed in (1, 2)]
    (tmp_path / "mixed").mkdir()
    quantize(tmp_path / "float", recipe, feeds, tmp_path / "mixed")
    made = {node.name: node for node in load_graph(tmp_path / "mixed").graph}
    before = {name: [_made_by(value) for value in made[name].inputs] for name in ("first", "second", "last")}
    # The one in float16 takes what the activation gives, as it is, and weights that are as they were.
    assert before["second"] == ["Relu", None]
    assert before["first"][:2] == before["last"] == ["DequantizeLinear", "DequantizeLinear"]
    profile: dict[str, Shapes] = {"pixels": ((1, 3, 16, 16),) * 3}
    build_plan(graph_files(tmp_path / "mixed"), RTX, profile, tmp_path / "plan", capabilities=["8.9"])
    layers = (tmp_path / "plan" / "layers.txt").read_text(encoding="utf-8")
    assert "Int8" in layers
    assert "Half" in layers


def _made_by(value: ir.Value | None) -> str | None:
    producer = value.producer() if value is not None else None
    return producer.op_type if producer is not None else None
