"""Precision in the graph: what changes, what must not, and how far the answers move."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnx_ir as ir
import onnxruntime
import pytest

import opset_graphs
import tiny_models
from command import QUICK, Command
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.precision_tolerance import precision_tolerance
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.stage import CandidateError, Stages
from edgewright_compiler.cache import StageCache
from edgewright_compiler.graphs.exported import ExportedFolder, ExportedModel, Ports, copy_graph, load_graph
from edgewright_compiler.graphs.passes.contract import EditError, edit
from edgewright_compiler.graphs.passes.float8 import Int8ToFloat8
from edgewright_compiler.graphs.precision_difference import NoReferenceError, precision_difference, tolerance_for
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.quantizers import QuantizationError
from edgewright_runtime import Package
from edgewright_runtime.likeness import Likeness
from edgewright_runtime.manifest import PipelineSpec, StepSpec
from edgewright_targets import Recipe, load_target
from tiny_targets import Setting, candidate_text, recipe_text, target_text

SYMMETRIC = Recipe(
    method="static", activation_type="int8", activation_symmetric=True, operators=("MatMul",), float_type="float16"
)
RECIPES = {
    "fp16": Recipe(method="cast", float_type="float16"),
    "bf16": Recipe(method="cast", float_type="bfloat16"),
    "int8": SYMMETRIC,
    "fp8": Recipe(
        method="static",
        activation_type="float8e4m3fn",
        weight_type="float8e4m3fn",
        activation_symmetric=True,
        operators=("MatMul",),
        float_type="float16",
    ),
}
LOWEST = float(np.finfo(np.float32).min)


def value(name: str, kind: ir.DataType, *shape: int | str) -> ir.Value:
    return ir.Value(name=name, shape=ir.Shape(shape), type=ir.TensorType(kind))


@pytest.fixture(scope="module")
def attention(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A component's graph: softmax of masked scores, as exporters write it."""
    random = np.random.default_rng(3)
    x, mask = value("x", ir.DataType.FLOAT, 1, "n", 8), value("mask", ir.DataType.INT64, 1, "n")
    constants = {
        "w": random.normal(size=(8, 8)).astype(np.float32),
        "lowest": np.array(LOWEST, dtype=np.float32),
        "zero": np.array(0, dtype=np.float32),
    }
    held = {name: ir.Value(name=name, const_value=ir.tensor(array, name=name)) for name, array in constants.items()}
    nodes = [ir.node("MatMul", [x, held["w"]], name="project")]
    nodes.append(ir.node("Transpose", [nodes[0].outputs[0]], {"perm": [0, 2, 1]}, name="turn"))
    nodes.append(ir.node("MatMul", [nodes[0].outputs[0], nodes[1].outputs[0]], name="scores"))
    nodes.append(ir.node("Cast", [mask], {"to": ir.DataType.BOOL}, name="keep"))
    nodes.append(ir.node("Where", [nodes[3].outputs[0], held["zero"], held["lowest"]], name="bias"))
    nodes.append(ir.node("Add", [nodes[2].outputs[0], nodes[4].outputs[0]], name="masked"))
    nodes.append(ir.node("Softmax", [nodes[5].outputs[0]], {"axis": -1}, name="attend"))
    out = nodes[6].outputs[0]
    out.name, out.shape, out.type = "y", ir.Shape([1, "n", "n"]), ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph(
        [x, mask], [out], nodes=nodes, initializers=list(held.values()), opset_imports={"": 20}, name="attention"
    )
    folder = tmp_path_factory.mktemp("attention")
    ir.save(ir.Model(graph, ir_version=10), folder / "model.onnx")
    return folder


@pytest.fixture(scope="module")
def feeds() -> list[dict[str, np.ndarray[Any, Any]]]:
    """Of two lengths; the last position of each is masked."""
    random = np.random.default_rng(5)
    made = []
    for length in (4, 7):
        mask = np.ones((1, length), np.int64)
        mask[0, -1] = 0
        made.append({"x": random.normal(size=(1, length, 8)).astype(np.float32) / 2, "mask": mask})
    return made


def load(folder: Path) -> ir.Model:
    return ir.load(copy_graph(folder, folder / "flat"))


@pytest.mark.parametrize(("name", "most"), [("fp16", 2e-3), ("bf16", 3e-2), ("int8", 0.15), ("fp8", 0.3)])
def test_answers_move_as_little_as_the_precision_allows(
    name: str, most: float, attention: Path, feeds: list[Any], tmp_path: Path
) -> None:
    quantize(attention, RECIPES[name], feeds, tmp_path)
    assert 0 < precision_difference(attention, tmp_path, feeds).largest < most


@pytest.mark.parametrize("name", RECIPES)
def test_inputs_and_outputs_keep_their_types(name: str, attention: Path, feeds: list[Any], tmp_path: Path) -> None:
    quantize(attention, RECIPES[name], feeds, tmp_path)
    graph = load(tmp_path).graph
    assert [entry.dtype for entry in (*graph.inputs, *graph.outputs)] == [
        ir.DataType.FLOAT,
        ir.DataType.INT64,
        ir.DataType.FLOAT,
    ]


def test_nothing_overflows(attention: Path, feeds: list[Any], tmp_path: Path) -> None:
    quantize(attention, RECIPES["fp16"], feeds, tmp_path)
    for held in load(tmp_path).graph.initializers.values():
        assert held.const_value is not None
        assert np.isfinite(held.const_value.numpy().astype(np.float32)).all()
    # Masked positions still get nothing.
    found = precision_difference(attention, tmp_path, feeds)
    assert found.largest < 2e-3
    assert found.samples == len(feeds)


def test_bfloat16_is_rounded_from_float32(attention: Path, feeds: list[Any], tmp_path: Path) -> None:
    """Rounded by way of float16 a weight such as 1e-9 would be 0."""
    quantize(attention, RECIPES["bf16"], feeds, tmp_path)
    made = load(tmp_path).graph.initializers["w"].const_value
    original = ir.load(attention / "model.onnx").graph.initializers["w"].const_value
    assert made is not None
    assert original is not None
    assert made.dtype == ir.DataType.BFLOAT16
    np.testing.assert_array_equal(made.numpy(), original.numpy().astype(made.numpy().dtype))


def test_float8_has_the_scales_of_float8(attention: Path, feeds: list[Any], tmp_path: Path) -> None:
    for name in ("int8", "fp8"):
        (tmp_path / name).mkdir()
        quantize(attention, RECIPES[name], feeds, tmp_path / name)
    int8, fp8 = load(tmp_path / "int8").graph, load(tmp_path / "fp8").graph
    kinds = Counter(node.op_type for node in fp8)
    assert kinds["QuantizeLinear"] == kinds["DequantizeLinear"] >= 4
    for node in fp8:
        if node.op_type == "QuantizeLinear":
            assert node.outputs[0].dtype == ir.DataType.FLOAT8E4M3FN
    scale = "x_scale" if "x_scale" in fp8.initializers else next(n for n in fp8.initializers if n.endswith("_scale"))
    wide, narrow = fp8.initializers[scale].const_value, int8.initializers[scale].const_value
    assert wide is not None
    assert narrow is not None
    ratio = wide.numpy().astype(np.float32) / narrow.numpy().astype(np.float32)
    np.testing.assert_allclose(ratio, 127 / 448, rtol=2e-3)


def test_float8_refuses_ranges_that_are_not_symmetric(attention: Path, feeds: list[Any], tmp_path: Path) -> None:
    quantize(attention, Recipe(method="static", operators=("MatMul",)), feeds, tmp_path)
    with pytest.raises(EditError, match="symmetric"):
        edit(load_graph(tmp_path), Int8ToFloat8())


def test_ranges_are_not_calibrated_in_bfloat16(attention: Path, feeds: list[Any], tmp_path: Path) -> None:
    recipe = Recipe(method="static", activation_type="int8", activation_symmetric=True, float_type="bfloat16")
    with pytest.raises(QuantizationError, match="bfloat16"):
        quantize(attention, recipe, feeds, tmp_path)


def test_what_the_processor_cannot_run_has_no_reference(attention: Path, feeds: list[Any], tmp_path: Path) -> None:
    model = ir.load(attention / "model.onnx")
    model.graph[0].op_type = "NoSuchOperator"
    ir.save(model, tmp_path / "model.onnx")
    with pytest.raises(NoReferenceError, match="NoSuchOperator"):
        precision_difference(attention, tmp_path, feeds)


@pytest.mark.parametrize(("seen", "allowed"), [(0.0, 2**-13), (0.001, 2**-8), (0.25, 0.5), (0.26, 1.0)])
def test_twice_what_was_seen_is_allowed(seen: float, allowed: float) -> None:
    assert tolerance_for(seen) == allowed


@pytest.fixture
def turned(attention: Path, tmp_path: Path) -> Path:
    """The graph with its mask the other way round: it attends elsewhere."""
    model = ir.load(attention / "model.onnx")
    bias = next(node for node in model.graph if node.name == "bias")
    kept, masked = bias.inputs[1:]
    bias.replace_input_with(1, masked)
    bias.replace_input_with(2, kept)
    (tmp_path / "turned").mkdir()
    ir.save(model, tmp_path / "turned" / "model.onnx")
    return tmp_path / "turned"


def test_changed_answers_are_counted(attention: Path, turned: Path, feeds: list[Any]) -> None:
    scores = Likeness(chooses=True)
    assert precision_difference(attention, attention, feeds, scores).changed == 0
    found = precision_difference(attention, turned, feeds, scores)
    assert (found.changed, found.samples) == (2, 2)
    # Of masks and boxes the last axis is not a choice.
    assert precision_difference(attention, turned, feeds).changed == 0


class Given:
    """Feeds of a graph that has no steps."""

    def __init__(self, feeds: list[Any]) -> None:
        self._feeds = feeds

    def digest(self, exported: ExportedFolder) -> str:
        return exported.digest

    def read(self, exported: ExportedFolder, component: str) -> list[Any]:
        return self._feeds


@pytest.mark.parametrize(
    ("step", "budget", "refused"), [("classify", 0.5, True), ("classify", 1.0, False), ("segment_image", 0.0, False)]
)
def test_a_precision_that_changes_answers_makes_no_engine(
    step: str,
    budget: float,
    refused: bool,
    attention: Path,
    turned: Path,
    feeds: list[Any],
    tmp_path: Path,
) -> None:
    """Where answers are classes; the tolerance of other outputs follows from what was seen."""
    tiny_models.write_arrays(tmp_path / "inputs.npz")
    options = BuildOptions(output=tmp_path / "p", calibration=tmp_path / "inputs.npz")
    (job,) = read_jobs(str(tiny_models.write_onnx(tmp_path / "perceptron.onnx")), options)
    job = replace(job, options=replace(options, max_drop=budget))
    pipeline = PipelineSpec("text", "answer", (StepSpec(step),))
    ports = {"model": Ports(("x", "mask"), ("y",))}
    shutil.copytree(attention, tmp_path / "exported" / "model")
    graphs = Graphs(
        Stages(StageCache(tmp_path / "cache"), Quiet()),
        job,
        Given(feeds),
        ExportedFolder(
            tmp_path / "exported",
            ExportedModel(task="text-classification", labels=(), pipeline=pipeline, graphs=ports),
            "digest",
        ),
    )
    if refused:
        with pytest.raises(CandidateError, match="changes the predictions of 2 of 2 calibration samples"):
            precision_tolerance(graphs, {"model": turned})
    else:
        allowed, note = precision_tolerance(graphs, {"model": turned})
        assert allowed == tolerance_for(precision_difference(attention, turned, feeds).largest)
        assert "on 2 calibration samples" in note


@pytest.mark.parametrize("per_channel", [False, True])
def test_an_old_opset_is_raised_once_and_only_for_scales_of_channels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, per_channel: bool
) -> None:
    from onnx import version_converter

    calls: list[int] = []
    convert = version_converter.convert_version

    def counted(model: Any, version: int) -> Any:
        calls.append(version)
        return convert(model, version)

    monkeypatch.setattr(version_converter, "convert_version", counted)
    (tmp_path / "float").mkdir()
    opset_graphs.write_graph(tmp_path / "float" / "model.onnx", 11)
    samples = opset_graphs.samples(3)
    feeds = [{name: array[[row]] for name, array in samples.items()} for row in range(3)]
    recipe = Recipe(method="static", activation_type="uint8", weight_type="int8", per_channel=per_channel)
    quantize(tmp_path / "float", recipe, feeds, tmp_path)
    assert calls == [13] * per_channel


def convolutions(folder: Path) -> list[dict[str, np.ndarray[Any, Any]]]:
    """Write a small classifier of pictures into `folder`; gives pictures for it."""
    random = np.random.default_rng(0)
    text = """<ir_version: 8, opset_import: ["" : 19]> g (float[N, 3, 16, 16] x) => (float[N, 10] y) {
        a = Conv <pads = [1, 1, 1, 1]> (x, first)
        b = Relu(a)
        c = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (b, second)
        d = Relu(c)
        e = GlobalAveragePool(d)
        f = Flatten(e)
        y = MatMul(f, last)
    }"""
    model = onnx.parser.parse_model(text)
    for name, shape in {"first": (16, 3, 3, 3), "second": (32, 16, 3, 3), "last": (32, 10)}.items():
        array = random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        model.graph.initializer.append(onnx.numpy_helper.from_array(array.astype(np.float32), name))
    folder.mkdir()
    onnx.save(model, folder / "model.onnx")
    return [{"x": random.standard_normal((1, 3, 16, 16)).astype(np.float32)} for _ in range(24)]


@pytest.mark.parametrize("float_type", ["float32", "float16"])
@pytest.mark.parametrize("kind", ["float8e4m3fn", "int8"])
def test_the_reference_runs_a_graph_as_it_is_written(kind: Any, float_type: Any, tmp_path: Path) -> None:
    """Optimized, float8 gave other answers altogether, and int8 saturated where the processor has no VNNI."""
    pictures = convolutions(tmp_path / "float")
    (tmp_path / "made").mkdir()
    recipe = Recipe(
        method="static",
        activation_type=kind,
        weight_type=kind,
        activation_symmetric=True,
        operators=("Conv", "MatMul"),
        float_type=float_type,
    )
    quantize(tmp_path / "float", recipe, pictures, tmp_path / "made")
    found = precision_difference(tmp_path / "float", tmp_path / "made", pictures, Likeness(chooses=True))
    largest = max(float(np.abs(float_answer(tmp_path / "float", picture)).max()) for picture in pictures)
    assert found.largest < 0.15 * largest
    assert found.changed <= 3


def float_answer(folder: Path, feed: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    made: np.ndarray[Any, Any] = onnxruntime.InferenceSession(str(folder / "model.onnx")).run(None, feed)[0]
    return made


def test_an_engine_of_float8_runs_as_it_is_written(command: Command, tmp_path: Path) -> None:
    target = tmp_path / "eight.toml"
    recipes: dict[str, dict[str, Setting]] = {
        "float": {"method": "float"},
        "fp8": {
            "method": "static",
            "activation_type": "float8e4m3fn",
            "weight_type": "float8e4m3fn",
            "activation_symmetric": True,
            "operators": ["Conv", "MatMul"],
        },
    }
    tables = [recipe_text(name, **settings) + candidate_text(name, name) for name, settings in recipes.items()]
    target.write_text(target_text(*tables, baseline="float"), encoding="utf-8")
    pictures = convolutions(tmp_path / "float")
    np.savez(tmp_path / "d.npz", x=np.concatenate([picture["x"] for picture in pictures]))
    data = ("--calibration", tmp_path / "d.npz", "--target", target)
    done = command("build", tmp_path / "float" / "model.onnx", *data, "-o", tmp_path / "p", *QUICK)
    assert done.code == 0, done.err
    found = result_from_json(Package.open(tmp_path / "p").evidence("eight"), "evidence").engine("eight-fp8")
    assert found.low_precision == {"Conv": 2, "Relu": 1, "MatMul": 1}
    assert found.accuracy is not None
    assert found.accuracy.metrics["agreement"].value > 0.8


@pytest.mark.parametrize("activation", ["Relu", "Clip"])
def test_ranges_of_int8_are_those_after_the_activation(tmp_path: Path, activation: str) -> None:
    """What an activation cuts off would stretch them: here to 200 times of what is left."""
    limits = ", zero, six" if activation == "Clip" else ""
    text = f"""<ir_version: 8, opset_import: ["" : 17]>
    g (float[N, 4, 8, 8] x) => (float[N, 4, 8, 8] y) {{ made = Conv(x, W, B) y = {activation}(made{limits}) }}"""
    model = onnx.parser.parse_model(text)
    random = np.random.default_rng(5)
    weights = {
        "W": random.standard_normal((4, 4, 1, 1)).astype(np.float32) * np.array([1, 1, 1, 300]).reshape(4, 1, 1, 1),
        "B": np.array([0, 0, 0, -1000]),
        "zero": np.array(0),
        "six": np.array(6),
    }
    for name, value in weights.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value.astype(np.float32), name))
    (tmp_path / "float").mkdir()
    onnx.save(model, tmp_path / "float" / "model.onnx")
    (tmp_path / "made").mkdir()
    feeds: list[dict[str, Any]] = [{"x": random.random((2, 4, 8, 8), dtype=np.float32)} for _ in range(4)]
    recipe = next(one.recipe for one in load_target("x86-64").candidates if one.name == "cpu-int8")
    quantize(tmp_path / "float", recipe, feeds, tmp_path / "made")
    assert activation not in [node.op_type for node in load_graph(tmp_path / "made").graph]
    assert precision_difference(tmp_path / "float", tmp_path / "made", feeds).largest < 0.05
