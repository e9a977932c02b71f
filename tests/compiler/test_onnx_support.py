"""Graphs that ONNX Runtime does not know: told by the file alone, in words about the file."""

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest

from command import QUICK, Command, run_apart
from edgewright_compiler.sources import SourceOptions
from edgewright_compiler.sources.onnx_file import OnnxSource
from edgewright_runtime.provider_words import provider_words
from edgewright_targets import InputError

FOREIGN = "com.acme"
ENDS = "g (float[N, 4] x) => (float[N, 4] y)"


def write(path: Path, nodes: str, *, opsets: str = '"" : 17', ir_version: int = 8, functions: str = "") -> Path:
    text = f"<ir_version: {min(ir_version, 10)}, opset_import: [{opsets}]> {ENDS} {{ {nodes} }} {functions}"
    model = onnx.parser.parse_model(text)
    model.ir_version = ir_version
    path.write_bytes(model.SerializeToString())
    return path


THEN = "then_branch = t () => (float[N, 4] a) { a = com.acme.Inner(x) }"
BODY = f"{THEN}, else_branch = e () => (float[N, 4] b) {{ b = Relu(x) }}"
INSIDE = BODY.replace("com.acme.Inner(x)", "Add(x, lost)")
LOST = f"c = Constant <value = bool[1] {{1}}> () y = If <{INSIDE}> (c)"
OLD = '<domain: "own", opset_import: ["" : 15, "com.acme" : 1]> Old (X) => (Y) { Y = com.acme.Deep(X) }'
MIXED = '"" : 17, "com.acme" : 1'
# Nodes, opsets, IR version, functions; and what is said.
WRONG: dict[str, tuple[str, str, int, str, tuple[str, ...]]] = {
    "ir": ("y = Relu(x)", '"" : 17', 20, "", ("has IR version 20", "reads versions up to", "model.ir_version =")),
    "opset": ("y = Relu(x)", '"" : 40', 8, "", ("has opset 40", "supports opsets up to", "opset_version")),
    "onnx-opset": ("y = Relu(x)", '"ai.onnx" : 40', 8, "", ("has opset 40",)),
    "custom": ("[layer1] y = com.acme.MyOp(x)", MIXED, 8, "", ("com.acme.MyOp (node 'layer1')", "Custom operators")),
    "both": ("y = com.acme.MyOp(x)", MIXED, 20, "", ("has IR version 20", "com.acme.MyOp (a node without a name")),
    "unknown": ("y = NoSuch(x)", '"" : 17', 8, "", ("NoSuch (a node without a name that gives 'y')",)),
    "microsoft": ("y = com.microsoft.NoSuch(x)", '"" : 17, "com.microsoft" : 1', 8, "", ("com.microsoft.NoSuch",)),
    "too-old": ("y = Gelu(x)", '"" : 12', 8, "", ("came with opset 20 and the file is of 12",)),
    "not-imported": ("y = com.acme.MyOp(x)", '"" : 17', 8, "", ("com.acme.MyOp",)),
    "branch": (f"c = Constant <value = bool[1] {{1}}> () y = If <{BODY}> (c)", MIXED, 8, "", ("com.acme.Inner",)),
    "function": ("y = own.Old(x)", '"" : 17, "own" : 1, "com.acme" : 1', 8, OLD, ("com.acme.Deep",)),
    "made-nowhere": ("[sum] y = Add(x, lost)", '"" : 17', 8, "", ("nothing computes: 'lost' of Add (node 'sum')",)),
    "made-nowhere-inside": (LOST, '"" : 17', 8, "", ("'lost' of Add",)),
    "several": (
        "a = com.acme.A(x) b = com.acme.B(a) c = com.acme.C(b) d = com.acme.D(c) y = com.acme.A(d)",
        MIXED,
        8,
        "",
        ("com.acme.A", "com.acme.C", "more"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_onnx_runtime_does_not_know_is_said_at_once(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    nodes, opsets, ir_version, functions, says = WRONG[name]
    path = write(tmp_path / "m.onnx", nodes, opsets=opsets, ir_version=ir_version, functions=functions)
    with pytest.raises(InputError) as refused:
        OnnxSource(path, SourceOptions())
    message = f"{refused.value.message} {refused.value.hint}"
    assert str(path) in message
    for words in says:
        assert words in message
    assert "onnxruntime_src" not in message
    assert "[ONNXRuntimeError]" not in message
    assert capfd.readouterr() == ("", ""), "a library printed something"


FUNCTION = '<domain: "com.acme", opset_import: ["" : 17]> MyOp (X) => (Y) { Y = Relu(X) }'
# Nodes, opsets, IR version, functions of what is loaded.
RIGHT = {
    "function": ("y = com.acme.MyOp(x)", MIXED, 8, FUNCTION),
    "function-that-stays": ("y = com.acme.MyOp(x)", MIXED, 8, FUNCTION.replace("17", "15")),
    "microsoft": ("y = com.microsoft.Gelu(x)", '"" : 17, "com.microsoft" : 1', 8, ""),
    "own-in-onnx": ("s = Shape(x) k = Identity(x) y = ThresholdedRelu(k)", '"" : 17', 8, ""),
    "new": ("y = Gelu(x)", '"" : 23', 11, ""),
    "alias": ("y = Relu(x)", '"ai.onnx" : 17', 8, ""),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_it_knows_is_loaded(name: str, tmp_path: Path) -> None:
    nodes, opsets, ir_version, functions = RIGHT[name]
    path = write(tmp_path / "m.onnx", nodes, opsets=opsets, ir_version=ir_version, functions=functions)
    OnnxSource(path, SourceOptions()).reference([{"x": np.ones((2, 4), np.float32)}])


SIGNATURE = (
    "/onnxruntime_src/onnxruntime/core/graph/model_load_utils.h:46 void onnxruntime::model_load_utils::ValidateOpsetFor"
    "Domain(const std::unordered_map<std::__cxx11::basic_string<char>, int>&, const logging::Logger&, bool, int) "
)
WORDS = {
    f"[ONNXRuntimeError] : 1 : FAIL : Load model from /c/a b.onnx failed:{SIGNATURE}It is new.\n": "It is new.",
    "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find Relu(14) node with name ''": (
        "Could not find Relu(14) node with name ''"
    ),
    "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned. Status Message: /onnxruntime_src/core/reshape.h:91 "
    "onnxruntime::ReshapeHelper(const std::function<void(int)>&, bool) input_shape_size == requested was false.": (
        "Non-zero status code returned. Status Message: input_shape_size == requested was false."
    ),
    "plain words (of a provider) at 3:4 stay": "plain words (of a provider) at 3:4 stay",
    "": "ValueError",
}


@pytest.mark.parametrize("text", WORDS)
def test_providers_are_quoted_without_their_source(text: str) -> None:
    assert provider_words(ValueError(text)) == WORDS[text]
    assert len(provider_words(ValueError("long " * 1000))) <= 300


def test_a_build_refuses_it_before_any_work(command: Command, tmp_path: Path) -> None:
    path = write(tmp_path / "custom.onnx", "[layer1] y = com.acme.MyOp(x)", opsets=MIXED)
    np.savez(tmp_path / "d.npz", x=np.ones((8, 4), np.float32))
    data = ("--evaluation", tmp_path / "d.npz", "--target", command.target)
    done = command("build", path, *data, "-o", command.folder / "p", *QUICK)
    assert done.code == 2
    assert f"'{path}' has operators that ONNX Runtime" in done.err_line
    assert "Exported" not in done.err


def test_what_fails_later_is_said_once_and_with_what_to_do(command: Command, tmp_path: Path) -> None:
    """In a process of its own: ONNX Runtime prints past Python's streams."""
    np.savez(tmp_path / "d.npz", x=np.ones((8, 4), np.float32))
    graphs = {
        "old": ("y = Relu(x)", '"" : 5', "for opset 13 or newer"),
        "wrong": ("s = Shape(x) k = Concat <axis = 0> (s, s) y = Reshape(x, k)", '"" : 17', "cannot be reshaped"),
    }
    for name, (nodes, opsets, says) in graphs.items():
        path = write(tmp_path / f"{name}.onnx", nodes, opsets=opsets)
        data = ("--evaluation", tmp_path / "d.npz", "--target", command.target)
        done = run_apart("build", path, *data, "-o", command.folder / "p", *QUICK, cache=command.cache)
        assert done.code == 2
        assert says in done.err_line
        assert "onnxruntime" not in done.err
