"""A pattern for each graph pass, and models that have it in one of their graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import onnx_ir as ir
import onnxruntime
from onnx_ir.passes import PassBase

from edgewright_compiler.graphs.passes.contract import every_graph, every_node
from edgewright_compiler.graphs.passes.fixed_shapes import FoldShapes, PlainGathers
from edgewright_compiler.graphs.passes.float8 import Int8ToFloat8
from edgewright_compiler.graphs.passes.float_types import BoundInfinities, BrainFloats, RoundToBrainFloats
from edgewright_compiler.graphs.passes.gemms import SplitGemms
from edgewright_compiler.graphs.passes.opset import RaiseOpset
from edgewright_compiler.graphs.passes.plain_graph import NameNodes
from edgewright_compiler.graphs.passes.rewrites import Rewrite
from edgewright_compiler.graphs.passes.tied_weights import TieWeights, UntieWeights
from edgewright_compiler.graphs.passes.unsigned import UnsignedActivations
from edgewright_compiler.graphs.passes.widened import TakeUnrounded

FULL, HALF, BRAIN, FLOAT8 = (
    ir.DataType.FLOAT,
    ir.DataType.FLOAT16,
    ir.DataType.BFLOAT16,
    ir.DataType.FLOAT8E4M3FN,
)
EMBEDDING = "float[2,2] E = {1, 2, 3, 5}"
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
    weights: str = EMBEDDING
    types: str = ""
    opset: int = 21
    inlined: bool = False
    in_functions: bool = False
    runs: bool = True


def brain_source() -> ir.Model:
    return ir.from_onnx_text('<ir_version: 10, opset_import: ["" : 21]> g () => () <float[2,2] E = {1, 1e-9, 3, 5}> {}')


CASES = {
    "tie": Case(
        make=TieWeights,
        nodes="e = Gather(E, ids) y = MatMul(e, H)",
        weights=f"{EMBEDDING}, float[2,2] H = {{1, 3, 2, 5}}",
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
        weights=f"{EMBEDDING}, float[2] B = {{1, 2}}",
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
        weights=f"{EMBEDDING}, float s = {{0.5}}, int8 z = {{0}}",
        done=lambda model: FLOAT8 in types(model) and ir.DataType.INT8 not in types(model),
        inlined=True,
        runs=False,
    ),
    "unsigned": Case(
        make=UnsignedActivations,
        nodes="""
            q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z)
            w = DequantizeLinear(W, s, z) y = MatMul(d, w)
        """,
        weights="float s = {0.5}, int8 z = {3}, int8[2,2] W = {1, -2, 3, 5}",
        # The weight stays signed.
        done=lambda model: {ir.DataType.INT8, ir.DataType.UINT8} <= types(model),
        inlined=True,
    ),
    "bfloat16": Case(
        make=lambda: BrainFloats(brain_source()),
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
    "widened": Case(
        make=TakeUnrounded,
        nodes="a = Add(x, E) h = Cast<to = 10>(a) w = Cast<to = 1>(h) y = Neg(w)",
        types="float[2,2] a, float16[2,2] h, float[2,2] w",
        done=lambda model: "Cast" not in kinds(model),
        in_functions=True,
    ),
    "gathers": Case(
        make=PlainGathers,
        nodes="g = GatherND(x, I) y = Add(g, E)",
        weights=f"{EMBEDDING}, int64[2,2,2] I = {{0, 0, 0, 1, 1, 0, 1, 1}}",
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
        make=lambda: Rewrite("attention"),
        nodes=_ATTENTION,
        weights="int64[4] split = {1, 2, 1, 2}, int64[2] join = {2, 2}",
        types="float[1,2,1,2] parts, float[1,1,2,2] query, float[1,1,2,2] seen",
        done=lambda model: "MultiHeadAttention" in kinds(model) and "Softmax" not in kinds(model),
        inlined=True,
    ),
    "constants": Case(
        make=lambda: Rewrite("constants"),
        nodes="a = Neg(E) b = Abs(a) y = Add(x, b)",
        done=lambda model: kinds(model) == ["Add"] or not {"Neg", "Abs"} & set(kinds(model)),
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
