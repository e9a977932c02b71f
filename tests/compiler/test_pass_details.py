"""What single graph passes do beyond their contract, and how `quantize` composes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from onnx_ir.passes import PassBase, PassError
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgewright_compiler.graphs.exported import save_graph
from edgewright_compiler.graphs.passes.contract import EditError, edit
from edgewright_compiler.graphs.passes.float_types import BrainFloats, RoundToBrainFloats
from edgewright_compiler.graphs.passes.gemms import SplitGemms
from edgewright_compiler.graphs.passes.opset import RaiseOpset
from edgewright_compiler.graphs.passes.plain_graph import NameNodes
from edgewright_compiler.graphs.passes.tied_weights import TieWeights, UntieWeights
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.quantizers import QuantizationError
from edgewright_targets import Recipe
from graph_cases import BRAIN, CASES, EMBEDDING, brain_source, model_of, outputs


def test_a_weight_that_two_branches_turn_is_folded_once() -> None:
    branches = "then_branch = t () => (float[2,2] a) { u = Transpose(E) a = MatMul(x, u) }"
    branches += ", else_branch = e () => (float[2,2] b) { v = Transpose(E) b = Add(x, v) }"
    ends = f"(float[2,2] x, bool c) => (float[2,2] y) <{EMBEDDING}>"
    model = ir.from_onnx_text(f'<ir_version: 10, opset_import: ["" : 21]> g {ends} {{ y = If (c) <{branches}> }}')
    expected = outputs(model)
    assert edit(model, UntieWeights(), RemoveUnusedNodesPass())
    assert list(model.graph.initializers) == ["E_turned"]
    np.testing.assert_array_equal(outputs(model), expected)


@pytest.mark.parametrize(
    ("make", "nodes"), [(UntieWeights, "t = Transpose(E)"), (SplitGemms, "t = Gemm<transB = 1>(x, E)")]
)
def test_a_weight_of_the_new_name_stays_as_it_is(make: Callable[[], PassBase], nodes: str) -> None:
    weights = f"{EMBEDDING}, float[2,2] E_turned = {{7, 7, 7, 7}}"
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
    assert edit(model, BrainFloats(brain_source()))
    onnx.checker.check_model(ir.to_proto(model), full_check=True)


def test_the_state_of_a_loop_is_rounded_in_float32() -> None:
    model = looped("bfloat16")
    assert edit(model, RoundToBrainFloats())
    np.testing.assert_array_equal(outputs(model), np.array([[0.5, -1], [2, 0.25]], np.float32) * 4)


def test_an_embedding_of_one_branch_is_not_seen_by_the_other() -> None:
    then = f"then_branch = t () => (float[2,2] a) <{EMBEDDING}> {{ a = Gather(E, ids) }}"
    other = "else_branch = e () => (float[2,2] b) <float[2,2] H = {1, 3, 2, 5}> { b = MatMul(x, H) }"
    ends = "(float[2,2] x, int64[2] ids, bool c) => (float[2,2] y)"
    model = ir.from_onnx_text(f'<ir_version: 10, opset_import: ["" : 21]> g {ends} {{ y = If (c) <{then}, {other}> }}')
    assert not edit(model, TieWeights())


def test_a_bug_is_not_taken_for_a_limit_of_the_graph() -> None:
    class Wrong(NameNodes):
        def call(self, model: ir.Model) -> Any:
            raise KeyError(model)

    with pytest.raises(PassError, match="Wrong") as caught:
        edit(model_of(CASES["names"], "top"), Wrong())
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("recipe", "calls"),
    [
        (Recipe(method="dynamic"), 2),
        # Read once more before it is converted, for what stays in 32 bits; the converter gives it in memory.
        (Recipe(method="cast", float_type="float16"), 2),
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
