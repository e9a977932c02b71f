"""What an engine is called is in its graph: functions hide nothing, names are no trap, nothing at all is a failure."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from onnx import numpy_helper as nh
from onnx import parser

from command import QUICK, Command
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.graphs.exported import copy_graph
from edgewright_compiler.graphs.low_precision import low_precision_nodes
from edgewright_compiler.graphs.passes.contract import edit
from edgewright_compiler.graphs.passes.plain_graph import InlineFunctions, NameNodes
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.quantizers import QuantizationError
from edgewright_compiler.sources import SourceOptions
from edgewright_compiler.sources.onnx_file import OnnxSource
from edgewright_runtime import Package
from edgewright_targets import Recipe
from tiny_targets import Setting, candidate_text, recipe_text, target_text

WIDTH = 32
STATIC = Recipe(method="static", operators=("MatMul", "Gemm", "Conv", "Gather", "MaxPool"))
RECIPES = {
    "static": STATIC,
    "dynamic": Recipe(method="dynamic"),
    "weight-only": Recipe(method="weight-only", weight_bits=4),
    "fp16": Recipe(method="cast", float_type="float16"),
    "bf16": Recipe(method="cast", float_type="bfloat16"),
    "fp8": Recipe(
        method="static",
        activation_type="float8e4m3fn",
        weight_type="float8e4m3fn",
        activation_symmetric=True,
        operators=("MatMul", "Gemm"),
        float_type="float16",
    ),
}


def weight(name: str, *shape: int) -> onnx.TensorProto:
    random = np.random.default_rng(len(name) + sum(map(ord, name)))
    return nh.from_array((random.standard_normal(shape) * 0.3).astype(np.float32), name)


def save(path: Path, nodes: str, weights: list[Any], functions: str = "", kind: str = "float") -> Path:
    """Into a folder, as a graph from `x` to `y`, both `[N, WIDTH]`."""
    own = ', "own" : 1' if functions else ""
    ends = f"({kind}[N, {WIDTH}] x) => ({kind}[N, {WIDTH}] y)"
    text = f'<ir_version: 8, opset_import: ["" : 17{own}]> g {ends} {{ {nodes} }} {functions}'
    model = parser.parse_model(text)
    model.graph.initializer.extend(weights)
    path.mkdir(exist_ok=True)
    onnx.save(model, path / "model.onnx")
    return path


DENSE = """<domain: "own", opset_import: ["" : 17]> Dense (X, W, B) => (Y) {
    m = MatMul(X, W)
    a = Add(m, B)
    Y = Relu(a)
}"""
WEIGHTS = [weight("W1", WIDTH, WIDTH), weight("B1", WIDTH), weight("W2", WIDTH, WIDTH), weight("B2", WIDTH)]


def plain(path: Path) -> Path:
    return save(path, "u = own.Dense(x, W1, B1) y = own.Dense(u, W2, B2)", WEIGHTS, DENSE)


def nested(path: Path) -> Path:
    """A function that calls another, as exporters write a module inside a module."""
    block = '<domain: "own", opset_import: ["" : 17, "own" : 1]> Block (X, W, B) => (Y) { Y = own.Dense(X, W, B) }'
    return save(path, "u = own.Block(x, W1, B1) y = own.Block(u, W2, B2)", WEIGHTS, f"{DENSE} {block}")


def with_attribute(path: Path) -> Path:
    """A function with an attribute that its nodes refer to, and one that nothing calls."""
    leaky = """<domain: "own", opset_import: ["" : 17]> Leaky <slope> (X, W, B) => (Y) {
        g = Gemm(X, W, B)
        Y = LeakyRelu <alpha: float = @slope> (g)
    }"""
    nodes = "u = own.Leaky <slope = 0.25> (x, W1, B1) y = own.Leaky <slope = 0.5> (u, W2, B2)"
    return save(path, nodes, WEIGHTS, f"{leaky} {DENSE}")


def one_name(path: Path) -> Path:
    """Three layers of one name, and two nodes without any."""
    nodes = """
        [layer] a = MatMul(x, W1)
        b = Relu(a)
        [layer] c = MatMul(b, W2)
        d = Relu(c)
        [layer] y = MatMul(d, W1)
    """
    return save(path, nodes, [WEIGHTS[0], WEIGHTS[2]])


FORMS = {"plain": plain, "nested": nested, "attribute": with_attribute}


def feeds(count: int = 4) -> list[dict[str, np.ndarray[Any, Any]]]:
    random = np.random.default_rng(1)
    return [{"x": random.standard_normal((1, WIDTH)).astype(np.float32)} for _ in range(count)]


def run(graph: Path) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, feed)[0] for feed in feeds()])


def made(folder: Path, recipe: Recipe, place: Path) -> dict[str, int]:
    place.mkdir(exist_ok=True)
    quantize(folder, recipe, feeds(), place)
    return low_precision_nodes(ir.load(copy_graph(place, place / "flat")), half=recipe.method == "cast")


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("form", FORMS)
def test_functions_get_the_precision(form: str, name: str, tmp_path: Path) -> None:
    folder = FORMS[form](tmp_path / "float")
    counts = made(folder, RECIPES[name], tmp_path / "made")
    products = sum(counts.get(kind, 0) for kind in ("MatMul", "Gemm", "MatMulInteger", "MatMulNBits"))
    assert products == 2, counts


@pytest.mark.parametrize("form", FORMS)
def test_inlined_functions_answer_as_before(form: str, tmp_path: Path) -> None:
    folder = FORMS[form](tmp_path / "float")
    model = ir.load(folder / "model.onnx")
    assert edit(model, InlineFunctions())
    assert not model.functions
    ir.save(model, tmp_path / "inlined.onnx")
    np.testing.assert_array_equal(run(tmp_path / "inlined.onnx"), run(folder / "model.onnx"))


def test_quantization_inside_a_function_is_seen(tmp_path: Path) -> None:
    fake = """<domain: "own", opset_import: ["" : 17]> Fake (X, s) => (Y) {
        q = QuantizeLinear(X, s)
        Y = DequantizeLinear(q, s)
    }"""
    scale = nh.from_array(np.array(0.1, np.float32), "s")
    folder = save(tmp_path / "f", "y = own.Fake(x, s)", [scale], fake)
    found = OnnxSource(folder / "model.onnx", SourceOptions()).quantized
    assert found == "it has DequantizeLinear, QuantizeLinear"


def test_a_function_that_cannot_be_inlined_is_said(tmp_path: Path) -> None:
    """ONNX Runtime runs it, so the float engine is there all the same."""
    old = '<domain: "own", opset_import: ["" : 15]> Old (X, W) => (Y) { Y = MatMul(X, W) }'
    folder = save(tmp_path / "f", "y = own.Old(x, W1)", WEIGHTS[:1], old)
    OnnxSource(folder / "model.onnx", SourceOptions()).export(tmp_path / "exported")
    with pytest.raises(QuantizationError, match="functions cannot be inlined: Opset mismatch"):
        made(tmp_path / "exported" / "model", RECIPES["dynamic"], tmp_path / "made")


def test_names_are_unique_before_anything_looks_at_them(tmp_path: Path) -> None:
    model = ir.load(one_name(tmp_path) / "model.onnx")
    before = [node.name or "" for node in model.graph]
    assert edit(model, NameNodes())
    renamed: dict[str, list[str]] = {}
    for old, node in zip(before, model.graph, strict=True):
        if node.name != old:
            renamed.setdefault(old, []).append(str(node.name))
    assert renamed == {"layer": ["layer_0", "layer_1"], "": ["Relu_0", "Relu_1"]}
    assert not edit(model, NameNodes())


@pytest.mark.parametrize("method", ["static", "dynamic"])
def test_layers_of_one_name_are_told_apart(method: Any, tmp_path: Path) -> None:
    """All three were left in float, for the ends among them have the name of the middle."""
    folder = one_name(tmp_path / "float")
    counts = made(folder, Recipe(method=method, operators=("MatMul",), float_ends=True), tmp_path / "made")
    assert sum(counts.values()) == 1, counts


def test_a_name_in_a_recipe_means_all_nodes_that_had_it(tmp_path: Path) -> None:
    folder = one_name(tmp_path / "float")
    assert made(folder, Recipe(method="dynamic", excluded_nodes=("layer",)), tmp_path / "made") == {}


def test_what_only_passes_floats_on_is_not_counted(tmp_path: Path) -> None:
    """The sum behind a quantized product and an embedding of integers are floats."""
    nodes = "e = Gather(E, ids) a = Add(e, x) m = MatMul(a, W1) s = Add(m, B1) y = Softmax(s)"
    ids = nh.from_array(np.arange(1), "ids")
    folder = save(tmp_path / "f", nodes, [weight("E", 50, WIDTH), ids, *WEIGHTS[:2]])
    assert made(folder, STATIC, tmp_path / "static") == {"Gather": 1, "MatMul": 1}
    assert made(folder, RECIPES["dynamic"], tmp_path / "dynamic") == {"Gather": 1, "MatMulInteger": 1}


@pytest.fixture(scope="module")
def wide_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A target with a candidate of each kind of precision that this machine runs."""
    path = tmp_path_factory.mktemp("target") / "wide.toml"
    recipes: dict[str, dict[str, Setting]] = {
        "float": {"method": "float"},
        "dynamic": {"method": "dynamic"},
        "static": {"method": "static", "operators": ["MatMul"]},
        "weights": {"method": "weight-only"},
        "half": {"method": "cast", "float_type": "float16"},
    }
    tables = [recipe_text(name, **settings) + candidate_text(name, name) for name, settings in recipes.items()]
    path.write_text(target_text(*tables, baseline="float"), encoding="utf-8")
    return path


def build(command: Command, target: Path, graph: Path, samples: Any) -> Any:
    np.savez(command.folder / "d.npz", x=samples)
    package = command.folder / "p"
    data = ("--calibration", command.folder / "d.npz", "--target", target)
    done = command("build", graph, *data, "-o", package, *QUICK)
    assert done.code == 0, done.err
    return done, result_from_json(Package.open(package).evidence("wide"), "evidence"), package


def test_the_evidence_counts_what_is_in_each_engine(command: Command, wide_target: Path, tmp_path: Path) -> None:
    samples = np.concatenate([feed["x"] for feed in feeds(12)])
    done, result, package = build(command, wide_target, plain(tmp_path / "f") / "model.onnx", samples)
    counts = {engine.name.removeprefix("wide-"): engine.low_precision for engine in result.engines}
    assert counts["float"] == {}
    assert counts["dynamic"] == {"MatMulInteger": 2}
    assert counts["static"] == {"MatMul": 2}
    assert counts["weights"] == {"MatMulNBits": 2}
    assert counts["half"]["MatMul"] == 2
    for out in (done.out, command("inspect", package).out):
        assert "dynamic 2 MatMulInteger; static 2 MatMul" in " ".join(out.split())


def test_where_nothing_gets_the_precision_the_candidate_fails_and_says_so(
    command: Command, wide_target: Path, tmp_path: Path
) -> None:
    """Of whole numbers nothing is a float of 16 bits either."""
    graph = save(tmp_path / "f", "a = Add(x, x) y = Sub(a, x)", [], kind="int32") / "model.onnx"
    _, result, _ = build(command, wide_target, graph, np.arange(12 * WIDTH, dtype=np.int32).reshape(12, WIDTH))
    found = {engine.name.removeprefix("wide-"): engine for engine in result.engines}
    assert [found.pop("float").status] == ["baseline"]
    assert {engine.status for engine in found.values()} == {"failed"}
    reasons = {name: " ".join(engine.reasons) for name, engine in found.items()}
    assert reasons["static"] == (
        "No part of the graph became static: it has no node with weights that the recipe quantizes (MatMul). It has "
        "1 Add, 1 Sub."
    )
    assert "No part of the graph became half" in reasons["half"]
    assert "no weights can be quantized" in reasons["weights"]
