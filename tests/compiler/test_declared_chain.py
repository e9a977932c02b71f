"""ONNX files that feed one another, declared for named arrays: the answer, and declarations that are wrong."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from command import QUICK, Command
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import load

# Both call their output the same.
BACKBONE = """
<ir_version: 10, opset_import: ["" : 18]>
backbone (float[n,3] pixels) => (float[n,4] out)
<float[3,4] w = {0.5, -1, 2, 0.25, 1, 0.75, -0.5, 1, -2, 1, 0.5, 1}> { h = MatMul(pixels, w)  out = Relu(h) }
"""
HEAD = """
<ir_version: 10, opset_import: ["" : 18]>
head (float[n,4] features, float[n,2] bias) => (float[n,2] out)
<float[4,2] w = {1, -1, 0.5, 0.5, 2, 1, -1, 0.25}> { s = MatMul(features, w)  out = Add(s, bias) }
"""
DECLARATION = """\
kind = "model"
task = "arrays"

[component.head]
file = "head.onnx"
inputs = { features = "backbone" }
keep_float = true

[component.backbone]
file = "backbone.onnx"
"""
SAMPLES = 6


@pytest.fixture
def declaration(tmp_path: Path) -> Path:
    for name, text in (("backbone", BACKBONE), ("head", HEAD)):
        ir.save(ir.from_onnx_text(text), tmp_path / f"{name}.onnx")
    path = tmp_path / "two.toml"
    path.write_text(DECLARATION, encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(11)
    pixels, bias = (random.normal(size=(SAMPLES, width)).astype(np.float32) for width in (3, 2))
    path = tmp_path / "inputs.npz"
    np.savez(path, pixels=pixels, bias=bias)
    return path


@pytest.mark.slow
def test_the_answer_is_that_computed_by_hand(command: Command, declaration: Path, data: Path) -> None:
    out = command.folder / "two.ortpackage"
    done = command("build", declaration, "--calibration", data, "--target", command.target, "-o", out, *QUICK)
    assert done.code == 0, done.err
    arrays = np.load(data)
    backbone = np.array([[0.5, -1, 2, 0.25], [1, 0.75, -0.5, 1], [-2, 1, 0.5, 1]])
    head = np.array([[1, -1], [0.5, 0.5], [2, 1], [-1, 0.25]])
    expected = np.maximum(arrays["pixels"] @ backbone, 0) @ head + arrays["bias"]
    with load(out, engine="tiny-cpu-fp32") as model:
        for index in range(SAMPLES):
            sample = {name: arrays[name][index : index + 1] for name in ("pixels", "bias")}
            answer = model(sample)
            assert set(answer) == {"out"}
            np.testing.assert_allclose(answer["out"], expected[index : index + 1], atol=1e-5)
    assert Path(out / "manifest.json").read_text().count('"head"') > 0


def test_the_digest_is_that_of_all_files(declaration: Path) -> None:
    def digest() -> str:
        return open_source(str(declaration), SourceOptions()).digest()

    before = digest()
    assert digest() == before
    ir.save(ir.from_onnx_text(HEAD.replace("{1, -1, 0.5", "{1, -1, 0.75")), declaration.parent / "head.onnx")
    assert digest() != before


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('features = "backbone"', 'feature = "backbone"', ["'head' has no input 'feature'", "features"]),
        ('"backbone" }', '"backbones" }', ["there is no component 'backbones'", "backbone"]),
        ('"backbone" }', '"backbone.outs" }', ["'backbone' has no output 'outs'", "out"]),
        ('"backbone" }', '"head" }', ["the components form a cycle: head -> head"]),
        ('inputs = { features = "backbone" }\n', "", ["no other component takes from backbone and head"]),
        ('"head.onnx"', '"heads.onnx"', ["there is no file 'heads.onnx' beside it", "head.onnx"]),
        ('"head.onnx"', '"../head.onnx"', ["'../head.onnx' is outside the folder"]),
        ("component.backbone]", 'component."back bone"]', ["'back bone' is not a name for a component"]),
        ("keep_float", "keep_floats", ["keep_floats"]),
        ('"arrays"', '"translation"', ["two.toml:2: a model of several graphs cannot be declared for the task"]),
        ('"arrays"', '"array"', ["cannot be declared for the task 'array'", "arrays"]),
    ],
)
def test_declarations_that_are_wrong(
    command: Command, declaration: Path, data: Path, old: str, new: str, says: list[str]
) -> None:
    assert old in DECLARATION
    declaration.write_text(DECLARATION.replace(old, new), encoding="utf-8")
    command.refuses_build(declaration, "--calibration", data, says=["two.toml", *says])
