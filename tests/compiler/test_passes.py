"""The contract of graph passes: every graph of a model, `modified` where it changed, and twice is the same as once."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

from edgewright_compiler.graphs.passes.contract import EditError, edit
from edgewright_compiler.graphs.passes.fixed_shapes import FixInputShapes
from edgewright_compiler.graphs.passes.interface import (
    ChannelsFirst,
    DropConstantInputs,
    FreePictureSizes,
    GiveValues,
    KeepOutputs,
    MakeInputs,
    PartNames,
)
from edgewright_compiler.graphs.passes.plain_graph import InlineFunctions, NameNodes
from graph_cases import CASES, EMBEDDING, PLACES, model_of, outputs


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
        "tie": f"{EMBEDDING}, float[2,2] H = {{1, 2, 3, 4}}",
        "gathers": "int64[2,2,2] I = {0, 1, 0, 0, 1, 0, 1, 1}",
        "gemms": CASES["gemms"].weights,
    }
    case = dataclasses.replace(CASES[name], weights=weights.get(name, EMBEDDING), types="", opset=21)
    model = model_of(case, place, NEARLY.get(name, "y = Relu(x)"))
    for index, node in enumerate(model.graph.all_nodes()):
        node.name = f"node_{index}"
    if name in ("shapes", "constants"):
        edit(model, case.make())
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
    "channels": (
        ChannelsFirst,
        '<ir_version: 10, opset_import: ["" : 21]> g (float[n,8,6,3] p) => (float[n,8,6,3] y) { y = Relu(p) }',
        [["p"], ["y"]],
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
