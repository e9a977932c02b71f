"""Passes over graphs that others exported: branches that an input chooses, inputs that a graph makes itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

from edgewright_compiler.graphs.exported import ports_of
from edgewright_compiler.graphs.passes.audio_inputs import AudioInputs
from edgewright_compiler.graphs.passes.branches import TakeBranch
from edgewright_compiler.graphs.passes.contract import EditError, edit
from edgewright_compiler.graphs.passes.decoders import CountPositions, OneTokenEach, TakeOneToken
from edgewright_compiler.graphs.passes.joined import DropUnusedInputs

X = np.array([[0.5, -1], [2, 0.25]], np.float32)
OTHER = X + 1


def parsed(text: str, opset: int = 17) -> ir.Model:
    return ir.from_onnx_text(f'<ir_version: 8, opset_import: ["" : {opset}]> g {text}')


def run(model: ir.Model, **feeds: Any) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    text = ir.to_proto(model).SerializeToString()
    session = onnxruntime.InferenceSession(text, options, providers=["CPUExecutionProvider"])
    return list(session.run(None, {entry.name: feeds[entry.name] for entry in session.get_inputs()}))


# As optimum merges two decoders: weights of both outside, others of one name in each, an input that one alone reads.
MERGED = """(float[2,2] x, float[2,2] other, bool[1] choose) => (float[2,2] y, float[2,2] z)
<float[2,2] E = {1, 2, 3, 5}>
{
    y, z = If (choose) <
        then_branch = with () => (float[2,2] y, float[2,2] z) <float[2] w = {1, 2}>
            { y = Add (x, w) z = MatMul (y, E) },
        else_branch = without () => (float[2,2] y, float[2,2] z) <float[2] w = {7, 9}>
            { inner = Mul (other, w) y = Sub (inner, x)
              z = If (choose) <then_branch = t () => (float[2,2] a) { a = Neg (x) },
                               else_branch = e () => (float[2,2] b) { b = MatMul (other, E) }> }
    >
}"""


@pytest.mark.parametrize("taken", [True, False])
def test_a_branch_that_an_input_chooses(taken: bool) -> None:
    model = parsed(MERGED)
    feeds = {"x": X, "other": OTHER}
    expected = run(model, **feeds, choose=np.array([taken]))
    assert edit(model, TakeBranch("choose", taken=taken), DropUnusedInputs())
    assert ports_of(model).inputs == (("x",) if taken else ("x", "other"))
    assert ports_of(model).outputs == ("y", "z")
    assert "If" not in {node.op_type for node in model.graph.all_nodes()}
    for mine, theirs in zip(run(model, **feeds), expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not edit(model, TakeBranch("choose", taken=taken))


def test_a_weight_of_the_same_name_outside() -> None:
    text = MERGED.replace("<float[2,2] E", "<float[2] w = {4, 4}, float[2,2] E").replace("{ y = Add (x, w)", "{ y = x")
    text = text.replace("y = x z", "u = Add (x, w) y = Add (u, x) z").replace("y, z = If", "v = Mul (x, w) y, z = If")
    model = parsed(text.replace("=> (float[2,2] y,", "=> (float[2,2] v, float[2,2] y,", 1))
    feeds = {"x": X, "other": OTHER}
    expected = run(model, **feeds, choose=np.array([True]))
    assert edit(model, TakeBranch("choose", taken=True))
    for mine, theirs in zip(run(model, **feeds), expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_one_value_for_two_outputs_and_one_from_outside() -> None:
    branch = "{ y = Add (x, x) }"
    model = parsed(
        "(float[2,2] x, bool c) => (float[2,2] a, float[2,2] b) { a, b = If (c) <then_branch = t () => (float[2,2] y, "
        f"float[2,2] y) {branch}, else_branch = e () => (float[2,2] y, float[2,2] y) {branch}> }}"
    )
    assert edit(model, TakeBranch("c", taken=False))
    first, second = run(model, x=X)
    np.testing.assert_array_equal(first, X + X)
    np.testing.assert_array_equal(second, X + X)


def test_an_input_that_does_more_than_choose() -> None:
    model = parsed("(bool c) => (float d) { d = Cast <to = 1> (c) }")
    with pytest.raises(EditError, match="a Cast takes it"):
        edit(model, TakeBranch("c", taken=True))


def test_tokens_of_each_row() -> None:
    model = parsed("""(int64[n,t] ids, float[n,k,4] read) => (float[n,k,4] y) {
        shape = Shape (ids) rows = Slice (shape, zero, one) rest = Constant <value_ints = [-1, 4]> ()
        all = Concat <axis = 0> (rows, rest) y = Reshape (read, all) }""".replace(
        "(float[n,k,4] y) {", "(float[n,k,4] y) <int64[1] zero = {0}, int64[1] one = {1}> {"
    ))  # fmt: skip
    assert edit(model, OneTokenEach("ids", "read"))
    assert ports_of(model).inputs == ("read",)
    read = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    np.testing.assert_array_equal(run(model, read=read)[0], read)
    assert not edit(model, OneTokenEach("ids", "read"))


def test_positions_are_counted() -> None:
    text = """(int64[n,t] ids, float[n,2,p,4] past, int64[t] places) => (int64[n,t] y, float[n,2,p,4] kept) {
        y = Add (ids, places) kept = Identity (past) }"""
    model = parsed(text)
    assert edit(model, CountPositions("places", "ids", "past"))
    made, _ = run(model, ids=np.zeros((1, 3), np.int64), past=np.zeros((1, 2, 5, 4), np.float32))
    np.testing.assert_array_equal(made, [[5, 6, 7]])
    assert not edit(model, CountPositions("places", "ids", "past"))
    with pytest.raises(EditError, match="cannot be counted without 'other'"):
        edit(parsed(text), CountPositions("places", "ids", "other"))


def test_one_token_at_a_time() -> None:
    model = parsed("(int64[n,t] ids) => (int64[n,t] y) { y = Identity (ids) }")
    assert edit(model, TakeOneToken("ids"))
    shape = model.graph.inputs[0].shape
    assert shape is not None
    assert shape[1] == 1
    assert not edit(model, TakeOneToken("ids"))


# As older opsets write it.
AXES = "y = Squeeze <axes = [1]> (x)"
SOUND = np.arange(6, dtype=np.float32)[None]


@pytest.mark.parametrize(
    ("inputs", "nodes"),
    [
        ("float[n,s] audio", "y = Identity (audio)"),
        ("float[n,1,s] x", "one = Constant <value_ints = [1]> () y = Squeeze (x, one)"),
        ("double[n,s] speech", "y = Cast <to = 1> (speech)"),
        ("float[n,s] waveform, int64[n] lengths", "w = Cast <to = 1> (lengths) y = Add (waveform, w)"),
        ("int32 length, float[n,s] signal", "w = Cast <to = 1> (length) y = Add (signal, w)"),
        ("float[n,s] input_values, int64[n,s] mask", "m = Cast <to = 1> (mask) y = Mul (input_values, m)"),
        ("float[n,s] input, int64 sr", "r = Cast <to = 1> (sr) y = Add (input, r)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("opset", [11, 17])
def test_inputs_of_recordings(inputs: str, nodes: str, opset: int) -> None:
    if opset == 11:
        nodes = nodes.replace(
            "one = Constant <value_ints = [1]> () y = Squeeze (x, one)", "y = Squeeze <axes = [1]> (x)"
        )
    model = parsed(f"({inputs}) => (float[n,s] y) {{ {nodes} }}", opset)
    sound = AudioInputs("input_values", 2, 16_000)
    before = ir.to_proto(model)
    assert edit(model, sound)
    assert ports_of(model).inputs == ("input_values",)
    (mine,) = run(model, input_values=SOUND)
    (theirs,) = run(ir.from_proto(before), **{one.name: one.of({"input_values": SOUND}) for one in sound.given})
    np.testing.assert_array_equal(mine, theirs)
    assert not edit(model, sound)


@pytest.mark.parametrize(
    "inputs",
    [
        "float[n,s] input_values",
        "float[n,s] audio, float[2,n,64] state",
        "float[n,s] audio, float[n,s] other",
        "float[n,s] audio, bool[n,s] padding_mask",
        "int64[n,s] codes",
    ],
)
def test_other_inputs_of_recordings_stay(inputs: str) -> None:
    name = inputs.split("] ")[1].split(",", maxsplit=1)[0]
    model = parsed(f"({inputs}) => (float[n,s] y) {{ y = Cast <to = 1> ({name}) }}")
    before = ir.to_proto(model)
    assert not edit(model, AudioInputs("input_values", 2, 16_000))
    assert ir.to_proto(model) == before
