"""The contract of graph passes: every graph of a model, `modified` where it changed, and twice is the same as once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from onnx_ir.passes import PassBase, PassError
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgewright_compiler.graphs.exported import save_graph
from edgewright_compiler.graphs.passes.contract import EditError, edit, every_graph, every_node
from edgewright_compiler.graphs.passes.fixed_shapes import FixInputShapes, FoldShapes, PlainGathers
from edgewright_compiler.graphs.passes.float8 import Int8ToFloat8
from edgewright_compiler.graphs.passes.float_types import BoundInfinities, BrainFloats, RoundToBrainFloats
from edgewright_compiler.graphs.passes.fused_attention import FuseAttention
from edgewright_compiler.graphs.passes.gemms import SplitGemms
from edgewright_compiler.graphs.passes.interface import (
    DropConstantInputs,
    FreePictureSizes,
    GiveValues,
    KeepOutputs,
    MakeInputs,
    PartNames,
)
from edgewright_compiler.graphs.passes.opset import RaiseOpset
from edgewright_compiler.graphs.passes.plain_graph import InlineFunctions, NameNodes
from edgewright_compiler.graphs.passes.tied_weights import TieWeights, UntieWeights
from edgewright_compiler.graphs.quantize import QuantizationError, quantize
from edgewright_targets import Recipe

FULL, HALF, BRAIN, FLOAT8 = (
    ir.DataType.FLOAT,
    ir.DataType.FLOAT16,
    ir.DataType.BFLOAT16,
    ir.DataType.FLOAT8E4M3FN,
)
_EMBEDDING = "float[2,2] E = {1, 2, 3, 5}"
_ATTENTION = """
    parts = Reshape(x, split)
    query = Transpose<perm = [0, 2, 1, 3]>(parts)
    key = Transpose<perm = [0, 2, 3, 1]>(parts)
    scores = MatMul(query, key)
    shares = Softmax<axis = -1>(scores)
    seen = MatMul(shares, query)
    back = Transpose<perm = [0, 2, 1, 3]>(seen)
    y = Reshape(back, join)
"""


def weight_arrays(model: ir.Model) -> list[np.ndarray[Any, Any]]:
    values = [value for graph in every_graph(model) for value in graph.initializers.values()]
    return [value.const_value.numpy() for value in values if value.const_value is not None]


def kinds(model: ir.Model) -> list[str]:
    return [node.op_type for node in every_node(model)]


def types(model: ir.Model) -> set[Any]:
    values = [value for node in every_node(model) for value in node.outputs]
    values += [value for graph in every_graph(model) for value in graph.initializers.values()]
    return {value.dtype for value in values}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A pass, and a pattern that it changes.

    Attributes:
        make: The pass.
        nodes: From `x` and `ids` to `y`, float[2,2].
        weights: Of the pattern.
        types: Of values between its nodes.
        done: Whether the pattern is as it should be.
        inlined: It takes no functions.
        in_functions: It changes functions as well; what needs weights finds none there.
        runs: ONNX Runtime runs the graph before and after.
    """

    make: Callable[[], PassBase]
    nodes: str
    done: Callable[[ir.Model], bool]
    weights: str = _EMBEDDING
    types: str = ""
    opset: int = 21
    inlined: bool = False
    in_functions: bool = False
    runs: bool = True


def _brain_source() -> ir.Model:
    return ir.from_onnx_text('<ir_version: 10, opset_import: ["" : 21]> g () => () <float[2,2] E = {1, 1e-9, 3, 5}> {}')


CASES = {
    "tie": Case(
        make=TieWeights,
        nodes="e = Gather(E, ids) y = MatMul(e, H)",
        weights=f"{_EMBEDDING}, float[2,2] H = {{1, 3, 2, 5}}",
        done=lambda model: "Transpose" in kinds(model),
    ),
    "untie": Case(
        make=UntieWeights,
        nodes="t = Transpose(E) y = MatMul(x, t)",
        done=lambda model: "Transpose" not in kinds(model),
    ),
    "gemms": Case(
        make=SplitGemms,
        nodes="y = Gemm<transB = 1>(x, E, B)",
        weights=f"{_EMBEDDING}, float[2] B = {{1, 2}}",
        done=lambda model: "Gemm" not in kinds(model) and {"MatMul", "Add"} <= set(kinds(model)),
    ),
    "infinities": Case(
        make=lambda: BoundInfinities(20.0),
        nodes="m = Add(x, E) y = Softmax(m)",
        weights="float[2,2] E = {0, -3e38, 1, 3e38}",
        done=lambda model: (
            max(np.abs(array).max() for array in weight_arrays(model) if array.dtype == np.float32) == 20
        ),
    ),
    "names": Case(
        make=NameNodes,
        nodes="a = Neg(x) b = Neg(a) y = Add(b, E)",
        done=lambda model: len({node.name for node in every_node(model)} - {None, ""}) == len(kinds(model)),
        in_functions=True,
    ),
    "float8": Case(
        make=Int8ToFloat8,
        nodes="""
            s = Constant<value = float {0.5}>() z = Constant<value = int8 {0}>()
            q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) y = MatMul(d, E)
        """,
        done=lambda model: FLOAT8 in types(model) and ir.DataType.INT8 not in types(model),
        in_functions=True,
        runs=False,
    ),
    "float8-weights": Case(
        make=Int8ToFloat8,
        nodes="q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) y = MatMul(d, E)",
        weights=f"{_EMBEDDING}, float s = {{0.5}}, int8 z = {{0}}",
        done=lambda model: FLOAT8 in types(model) and ir.DataType.INT8 not in types(model),
        inlined=True,
        runs=False,
    ),
    "bfloat16": Case(
        make=lambda: BrainFloats(_brain_source()),
        nodes="h = Cast<to = 10>(x) p = MatMul(h, E) y = Cast<to = 1>(p)",
        weights="float16[2,2] E = {1, 0, 3, 5}",
        types="float16[2,2] h, float16[2,2] p",
        done=lambda model: BRAIN in types(model) and HALF not in types(model) and has_small_weight(model),
        runs=False,
    ),
    "rounding": Case(
        make=RoundToBrainFloats,
        nodes="h = Cast<to = 16>(x) p = Add(h, h) y = Cast<to = 1>(p)",
        weights="bfloat16[2] E = {1, 2}",
        types="bfloat16[2,2] h, bfloat16[2,2] p",
        done=lambda model: kinds(model).count("Cast") >= 6,
        runs=False,
    ),
    "gathers": Case(
        make=PlainGathers,
        nodes="g = GatherND(x, I) y = Add(g, E)",
        weights=f"{_EMBEDDING}, int64[2,2,2] I = {{0, 0, 0, 1, 1, 0, 1, 1}}",
        types="float[2,2] g",
        done=lambda model: "GatherND" not in kinds(model) and "Reshape" in kinds(model),
        inlined=True,
    ),
    "shapes": Case(
        make=FoldShapes,
        nodes="s = Shape(x) r = Reshape(x, s) y = Add(r, E)",
        done=lambda model: "Shape" not in kinds(model),
    ),
    "opset": Case(
        make=lambda: RaiseOpset(13),
        nodes="w = Unsqueeze<axes = [0]>(x) v = Squeeze<axes = [0]>(w) y = Add(v, E)",
        opset=12,
        done=lambda model: all(len(node.inputs) == 2 for node in every_node(model) if "queeze" in node.op_type),
        inlined=True,
    ),
    "attention": Case(
        make=FuseAttention,
        nodes=_ATTENTION,
        weights="int64[4] split = {1, 2, 1, 2}, int64[2] join = {2, 2}",
        types="float[1,2,1,2] parts, float[1,1,2,2] query, float[1,1,2,2] seen",
        done=lambda model: "MultiHeadAttention" in kinds(model) and "Softmax" not in kinds(model),
        inlined=True,
    ),
}
PLACES = ("top", "branch", "body", "function")


def has_small_weight(model: ir.Model) -> bool:
    """Whether what float16 rounds to 0 came from float32."""
    return any(array.dtype == ml_dtypes.bfloat16 and array.flat[1] != 0 for array in weight_arrays(model))


def model_of(case: Case, place: str, nodes: str | None = None) -> ir.Model:
    """A model with the pattern of a case in one of its graphs."""
    nodes = nodes or case.nodes
    names = [word.split("=")[0].split()[-1] for word in _split(case.weights)]
    head = f'<ir_version: 10, opset_import: ["" : {case.opset}, "own" : 1]>'
    ends = "(float[2,2] x, int64[2] ids, bool c)"
    extra = ", ".join(part for part in (case.weights, case.types) if part)
    # A function is given its weights.
    outer, function = "", ""
    if place == "top":
        outer = f"<{extra}> {{ {nodes} }}"
    elif place == "branch":
        inner = _renamed(nodes, {"y": "made"})
        outer = f"""{{ y = If (c) <
            then_branch = t () => (float[2,2] made) <{extra}> {{ {inner} }},
            else_branch = e () => (float[2,2] other) {{ other = Identity(x) }}
        > }}"""
    elif place == "body":
        inner = _renamed(nodes, {"y": "made", "x": "state"})
        outer = f"""{{ n = Constant<value = int64 {{1}}>() y = Loop (n, c, x) <
            body = l (int64 i, bool go, float[2,2] state) => (bool more, float[2,2] made)
            <{extra}> {{ more = Identity(go) {inner} }}
        > }}"""
    else:
        given = ", ".join(["x", "ids", *names])
        types = f"<{case.types}>" if case.types else ""
        outer = f"<{case.weights}> {{ y = own.F({given}) }}"
        function = f'<domain: "own", opset_import: ["" : {case.opset}]> F ({given}) => (y) {types} {{ {nodes} }}'
    return ir.from_onnx_text(f"{head} g {ends} => (float[2,2] y) {outer} {function}")


def _split(weights: str) -> list[str]:
    return [part.strip(" ,") + "=" for part in weights.split("}") if part.strip(" ,")]


def _renamed(nodes: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        for left, right in ((" ", " "), ("(", ")"), ("(", ","), (" ", ")"), (" ", ",")):
            nodes = nodes.replace(f"{left}{old}{right}", f"{left}{new}{right}")
        if nodes.startswith(f"{old} "):
            nodes = new + nodes[len(old) :]
    return nodes


def outputs(model: ir.Model) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    x = np.array([[0.5, -1], [2, 0.25]], np.float32)
    wanted = {"x": x, "ids": np.array([1, 0]), "c": np.array(True)}
    feeds = {entry.name: wanted[entry.name] for entry in session.get_inputs()}
    return session.run(None, feeds)[0]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", CASES)
def test_a_pass_covers_every_graph_and_runs_once(name: str, place: str) -> None:
    case = CASES[name]
    model = model_of(case, place)
    expected: Any = outputs(model) if case.runs else None
    if place == "function" and not case.in_functions:
        edit(model, InlineFunctions())
    before = ir.to_proto(model)
    assert not case.done(model)
    assert edit(model, case.make())
    assert ir.to_proto(model) != before
    assert case.done(model)
    if case.runs:
        np.testing.assert_allclose(outputs(model), expected, atol=1e-6)
    after = ir.to_proto(model)
    assert not edit(model, case.make())
    assert ir.to_proto(model) == after


NEARLY = {
    "tie": "e = Gather(E, ids) t = MatMul(e, H) y = MatMul(t, E)",
    "untie": "t = Transpose<perm = [0, 1]>(E) y = MatMul(x, t)",
    "gemms": "g = Gemm<alpha = 2.0>(x, E, B) h = Gemm<transA = 1>(g, E, B) y = Gemm(E, x)",
    "infinities": "y = Add(x, E)",
    # A weight that nothing reads goes at the second turn of the optimizer.
    "shapes": "y = Add(x, E)",
    "gathers": "y = GatherND(x, I)",
}


@pytest.mark.parametrize("place", PLACES[:3])
@pytest.mark.parametrize("name", CASES)
def test_a_pass_with_nothing_to_do_changes_nothing(name: str, place: str) -> None:
    """What only looks alike stays."""
    weights = {
        "tie": f"{_EMBEDDING}, float[2,2] H = {{1, 2, 3, 4}}",
        "gathers": "int64[2,2,2] I = {0, 1, 0, 0, 1, 0, 1, 1}",
        "gemms": CASES["gemms"].weights,
    }
    case = dataclasses.replace(CASES[name], weights=weights.get(name, _EMBEDDING), types="", opset=21)
    model = model_of(case, place, NEARLY.get(name, "y = Relu(x)"))
    for index, node in enumerate(model.graph.all_nodes()):
        node.name = f"node_{index}"
    if name == "shapes":
        edit(model, FoldShapes())
    before = ir.to_proto(model)
    assert not edit(model, case.make())
    assert ir.to_proto(model) == before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.in_functions and name != "shapes"])
def test_in_functions_without_weights_nothing_is_changed_by_halves(name: str) -> None:
    """A pass that cannot cover functions says so; what needs weights finds none in them."""
    case = CASES[name]
    model = model_of(case, "function")
    edit(model, NameNodes())
    before = ir.to_proto(model)
    if case.inlined and name != "float8-weights":
        with pytest.raises(EditError, match="inline them before"):
            edit(model, case.make())
    elif name == "float8-weights":
        with pytest.raises(EditError, match="is not a constant"):
            edit(model, case.make())
    elif name in ("bfloat16", "rounding", "infinities"):
        assert edit(model, case.make())
        assert case.done(model)
        return
    else:
        assert not edit(model, case.make())
    assert ir.to_proto(model) == before


def test_a_weight_that_two_branches_turn_is_folded_once() -> None:
    branches = "then_branch = t () => (float[2,2] a) { u = Transpose(E) a = MatMul(x, u) }"
    branches += ", else_branch = e () => (float[2,2] b) { v = Transpose(E) b = Add(x, v) }"
    ends = f"(float[2,2] x, bool c) => (float[2,2] y) <{_EMBEDDING}>"
    model = ir.from_onnx_text(f'<ir_version: 10, opset_import: ["" : 21]> g {ends} {{ y = If (c) <{branches}> }}')
    expected = outputs(model)
    assert edit(model, UntieWeights(), RemoveUnusedNodesPass())
    assert list(model.graph.initializers) == ["E_turned"]
    np.testing.assert_array_equal(outputs(model), expected)


@pytest.mark.parametrize(
    ("make", "nodes"), [(UntieWeights, "t = Transpose(E)"), (SplitGemms, "t = Gemm<transB = 1>(x, E)")]
)
def test_a_weight_of_the_new_name_stays_as_it_is(make: Callable[[], PassBase], nodes: str) -> None:
    weights = f"{_EMBEDDING}, float[2,2] E_turned = {{7, 7, 7, 7}}"
    ends = f"(float[2,2] x) => (float[2,2] y) <{weights}>"
    nodes = f"{nodes} s = MatMul(x, t) y = Add(s, E_turned)"
    model = ir.from_onnx_text(f'<ir_version: 10, opset_import: ["" : 21]> g {ends} {{ {nodes} }}')
    expected = outputs(model)
    assert edit(model, make(), RemoveUnusedNodesPass())
    np.testing.assert_array_equal(outputs(model), expected)


def test_weights_beside_the_file_follow_into_a_newer_opset(tmp_path: Path) -> None:
    """Of a branch too: the converter reads no files."""
    model = model_of(CASES["opset"], "branch")
    expected = outputs(model)
    ir.save(model, tmp_path / "model.onnx", external_data="weights.bin", size_threshold_bytes=0)
    model = ir.load(tmp_path / "model.onnx")
    assert edit(model, RaiseOpset(13))
    np.testing.assert_array_equal(outputs(ir.external_data.load_to_model(model)), expected)


def test_an_operator_that_cannot_be_converted_is_said() -> None:
    model = model_of(CASES["opset"], "top", 's = Upsample<mode = "nearest">(x, E) y = Identity(s)')
    model.graph.opset_imports[""] = 8
    with pytest.raises(EditError, match="Its opset 8 cannot be raised to 13"):
        edit(model, RaiseOpset(13))


def test_outputs_of_the_model_keep_their_type_where_values_are_rounded() -> None:
    ends = "(float[2,2] x) => (bfloat16[2,2] y) <bfloat16[2,2] h>"
    nodes = "h = Cast<to = 16>(x) y = Add(h, h)"
    model = ir.from_onnx_text(f'<ir_version: 10, opset_import: ["" : 21]> g {ends} {{ {nodes} }}')
    assert edit(model, RoundToBrainFloats())
    (output,) = model.graph.outputs
    assert (output.name, output.dtype) == ("y", BRAIN)
    onnxruntime.InferenceSession(ir.to_proto(model).SerializeToString(), providers=["CPUExecutionProvider"])


def looped(kind: str) -> ir.Model:
    """A loop that doubles its state of a float type of 16 bits twice."""
    code = {"float16": 10, "bfloat16": 16}[kind]
    body = f"(int64 i, bool go, {kind}[2,2] state) => (bool more, {kind}[2,2] twice)"
    nodes = f"n = Constant<value = int64 {{2}}>() h = Cast<to = {code}>(x) d = Loop (n, c, h) "
    nodes += f"<body = l {body} {{ more = Identity(go) twice = Add(state, state) }}> y = Cast<to = 1>(d)"
    ends = f"(float[2,2] x, bool c) => (float[2,2] y) <{kind}[2,2] h, {kind}[2,2] d>"
    return ir.from_onnx_text(f'<ir_version: 10, opset_import: ["" : 21]> g {ends} {{ {nodes} }}')


def test_the_state_of_a_loop_becomes_bfloat16_with_the_loop() -> None:
    model = looped("float16")
    assert edit(model, BrainFloats(_brain_source()))
    onnx.checker.check_model(ir.to_proto(model), full_check=True)


def test_the_state_of_a_loop_is_rounded_in_float32() -> None:
    model = looped("bfloat16")
    assert edit(model, RoundToBrainFloats())
    np.testing.assert_array_equal(outputs(model), np.array([[0.5, -1], [2, 0.25]], np.float32) * 4)


def test_an_embedding_of_one_branch_is_not_seen_by_the_other() -> None:
    then = f"then_branch = t () => (float[2,2] a) <{_EMBEDDING}> {{ a = Gather(E, ids) }}"
    other = "else_branch = e () => (float[2,2] b) <float[2,2] H = {1, 3, 2, 5}> { b = MatMul(x, H) }"
    ends = "(float[2,2] x, int64[2] ids, bool c) => (float[2,2] y)"
    model = ir.from_onnx_text(f'<ir_version: 10, opset_import: ["" : 21]> g {ends} {{ y = If (c) <{then}, {other}> }}')
    assert not edit(model, TieWeights())


def test_a_bug_is_no_word_about_the_graph() -> None:
    class Wrong(NameNodes):
        def call(self, model: ir.Model) -> Any:
            raise KeyError(model)

    with pytest.raises(PassError, match="Wrong") as caught:
        edit(model_of(CASES["names"], "top"), Wrong())
    assert isinstance(caught.value.__cause__, KeyError)


PICTURES = (
    '<ir_version: 3, opset_import: ["" : 9]> g (float[1,3,8,8] p, float[3] w) => (float[1,3,8,8] y, float[1,3,8,8] z)'
)
INTERFACE = {
    "constant": (
        DropConstantInputs,
        f"{PICTURES} <float[3] w = {{1, 2, 3}}> {{ y = PRelu(p, p) z = Relu(y) }}",
        [["p"], ["y", "z"]],
    ),
    "inputs": (
        lambda: MakeInputs(("w",)),
        '<ir_version: 10, opset_import: ["" : 21]> g (float p) => (float y) <float w = {1}> { y = Add(p, w) }',
        [["p", "w"], ["y"]],
    ),
    "sizes": (
        FreePictureSizes,
        PICTURES.replace(", float[3] w", "") + " { y = Relu(p) z = Relu(y) }",
        [["p"], ["y", "z"]],
    ),
    "outputs": (lambda: KeepOutputs(("y",)), f"{PICTURES} {{ y = Relu(p) z = Relu(y) }}", [["p", "w"], ["y"]]),
    "values": (
        lambda: GiveValues(("h", "q")),
        '<ir_version: 10, opset_import: ["" : 21]> g (float p) => (float q) { h = Relu(p) q = Relu(h) }',
        [["p"], ["q", "h"]],
    ),
    "names": (
        PartNames,
        '<ir_version: 10, opset_import: ["" : 21]> g (float p) => (float q) { q = Identity(p) }',
        [["p"], ["p_output"]],
    ),
    "fix": (
        lambda: FixInputShapes({"p": (2, 3)}),
        '<ir_version: 10, opset_import: ["" : 21]> g (float[n,3] p) => (float[n,3] q) { q = Relu(p) }',
        [["p"], ["q"]],
    ),
}


@pytest.mark.parametrize("name", INTERFACE)
def test_passes_over_inputs_and_outputs_change_once(name: str) -> None:
    make, text, names = INTERFACE[name]
    model = ir.from_onnx_text(text)
    if name == "names":
        model.graph.outputs[0].name = "p"
    before = ir.to_proto(model)
    assert edit(model, make())
    after = ir.to_proto(model)
    assert after != before
    assert [[value.name for value in values] for values in (model.graph.inputs, model.graph.outputs)] == names
    assert not edit(model, make())
    assert ir.to_proto(model) == after


@pytest.mark.parametrize(
    ("recipe", "calls"),
    [
        (Recipe(method="dynamic"), 2),
        (Recipe(method="cast", float_type="float16"), 1),
        (Recipe(method="weight-only", block_size=16), 2),
        (
            Recipe(
                method="static", activation_type="float8e4m3fn", weight_type="float8e4m3fn", activation_symmetric=True
            ),
            2,
        ),
    ],
)
def test_a_graph_is_read_once_and_written_once_on_each_side_of_the_quantizer(
    recipe: Recipe, calls: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(CASES["gemms"], "top", "p = MatMul(x, E) y = Gemm<transB = 1>(p, E, B)")
    model.graph.opset_imports[""] = 17
    save_graph(model, tmp_path / "float")
    before = {path.name: path.read_bytes() for path in (tmp_path / "float").rglob("*") if path.is_file()}
    (tmp_path / "made").mkdir()
    done: list[str] = []
    for name in ("load", "save"):
        monkeypatch.setattr(ir, name, _counted(done, name, getattr(ir, name)))
    feeds = [{"x": np.ones((2, 2), np.float32), "ids": np.array([0, 1]), "c": np.array(True)}]
    quantize(tmp_path / "float", recipe, feeds, tmp_path / "made")
    assert (done.count("load"), done.count("save")) == (calls, 2)
    assert {path.name: path.read_bytes() for path in (tmp_path / "float").rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) in (["model.onnx"], ["model.onnx", "weights"])


def _counted(done: list[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **settings: Any) -> Any:
        done.append(name)
        return function(*arguments, **settings)

    return call


def test_an_edit_that_fails_is_not_the_quantizers_failure(tmp_path: Path) -> None:
    model = model_of(CASES["opset"], "top", 'u = Upsample<mode = "nearest">(x, E) y = MatMul(u, E)')
    model.graph.opset_imports[""] = 8
    save_graph(model, tmp_path / "float")
    (tmp_path / "made").mkdir()
    with pytest.raises(QuantizationError) as caught:
        quantize(tmp_path / "float", Recipe(method="static"), [{}], tmp_path / "made")
    assert str(caught.value).startswith("Its opset 8 cannot be raised to 13: ")
