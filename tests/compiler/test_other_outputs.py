"""Outputs of ONNX files that are not plain numbers: maps of classes, texts, infinities; and those that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from command import QUICK, Command
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import load

_LINEAR = 'coefficients=[1.0, 2.0, -1.0, 0.5], intercepts=[0.1, 0.2], post_transform="SOFTMAX"'
_NUMBERS = "classlabels_ints=[0, 1]", "classlabels_int64s=[0, 1]", "int64", "int64"
_TEXTS = 'classlabels_strings=["cat", "dog"]', 'classlabels_strings=["cat", "dog"]', "string", "string"
_DATA = np.random.default_rng(1).normal(size=(6, 2)).astype(np.float32)


def write(path: Path, signature: str, body: str) -> Path:
    text = f'<ir_version: 8, opset_import: ["": 17, "ai.onnx.ml": 3]> g {signature} {{ {body} }}'
    onnx.save(onnx.parser.parse_model(text), path)
    return path


def classifier(path: Path, kind: tuple[str, str, str, str]) -> Path:
    """As scikit-learn's converters write one: the class, and a map from each class to its probability."""
    given, zipped, of_label, key = kind
    body = f"""
        label, scores = ai.onnx.ml.LinearClassifier <{_LINEAR}, {given}> (x)
        chances = ai.onnx.ml.ZipMap <{zipped}> (scores)
    """
    return write(path, f"(float[N, 2] x) => ({of_label}[N] label, seq(map({key}, float)) chances)", body)


def divided(path: Path) -> Path:
    """Infinities and NaN wherever it is asked: x divided by nothing."""
    return write(path, "(float[N, 2] x) => (float[N, 2] y)", "none = Sub (x, x) y = Div (x, none)")


def drafted(graph: Path, folder: Path, sources: Path, **data: Any) -> Path:
    np.savez(folder / "data.npz", x=_DATA, **data)
    target = str(sources / "tiny.toml")
    options = BuildOptions(output=folder / "p", targets=(target,), calibration=folder / "data.npz")
    (job,) = read_jobs(str(graph), options)
    draft_package(job, folder / "draft", StageCache(folder / "cache"), Quiet())
    return folder / "draft"


@pytest.mark.parametrize(("kind", "classes"), [(_NUMBERS, [0, 1]), (_TEXTS, ["cat", "dog"])], ids=["numbers", "texts"])
def test_a_map_of_classes_is_taken_as_its_scores(
    tmp_path: Path, sources: Path, kind: tuple[str, str, str, str], classes: list[Any]
) -> None:
    import onnxruntime

    graph = classifier(tmp_path / "m.onnx", kind)
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    labels, rows = session.run(None, {"x": _DATA[:1]})
    (note,) = open_source(str(graph), SourceOptions()).notes
    assert "'chances' is used as the scores. A ZipMap operator" in note
    assert f"the classes {classes[0]}, {classes[1]}" in note
    with load(drafted(graph, tmp_path, sources), engine="tiny-cpu-fp32") as model:
        found = model({"x": _DATA[:1]})
    assert found["label"].tolist() == labels.tolist()
    # Texts as objects would be pickled on their way.
    assert found["label"].dtype.kind in "iU"
    np.testing.assert_array_equal(found["chances"], np.array([[rows[0][name] for name in classes]], np.float32))


def test_it_is_built_with_ground_truth_and_verified(command: Command, tmp_path: Path) -> None:
    """Texts go through workers and golden samples, and the one output of scores is told from the classes beside it."""
    graph = classifier(tmp_path / "m.onnx", _TEXTS)
    label = (_DATA @ np.array([[1.0, -1.0], [2.0, 0.5]]) + [0.1, 0.2]).argmax(1)
    np.savez(tmp_path / "data.npz", x=np.tile(_DATA, (8, 1)), label=np.tile(label, 8))
    output = command.folder / "cats.ortpackage"
    options = ("--target", command.target, *QUICK, "--accept-baseline")
    made = command("build", graph, "--evaluation", tmp_path / "data.npz", "-o", output, *options)
    assert made.code == 0, made.err
    assert "A ZipMap operator" in made.err_line
    assert "differ from the float outputs by at most 0 " in " ".join(command("verify", output).out.split())


def test_infinities_and_nan_of_the_model_itself_are_no_difference(tmp_path: Path, sources: Path) -> None:
    graph = divided(tmp_path / "m.onnx")
    with load(drafted(graph, tmp_path, sources), engine="tiny-cpu-fp32") as model:
        found = model({"x": np.array([[1, -1], [0, 1]], np.float32)})["y"]
    np.testing.assert_array_equal(found, [[np.inf, -np.inf], [np.nan, np.inf]])


@pytest.mark.parametrize(
    ("signature", "body", "says"),
    [
        (
            "(float[N, 2] x) => (float[N, 2] y, seq(float) parts)",
            "y = Relu (x) parts = SplitToSequence <axis=1> (x)",
            ["the output 'parts' is a sequence", "Beside it there is 'y'"],
        ),
        ("(seq(float) xs, int64 i) => (float y)", "y = SequenceAt (xs, i)", ["the input 'xs' is a sequence", "'i'"]),
        ("(float[N, 2] x) => (optional(float[N, 2]) y)", "y = Optional (x)", ["the output 'y' is an optional value"]),
        (
            "(map(int64, float) x) => (float[N, 2] y)",
            "y = ai.onnx.ml.DictVectorizer <int64_vocabulary=[0, 1]> (x)",
            ["the input 'x' is a map"],
        ),
        (
            "(float[N, 2] x) => (seq(map(int64, float)) p, seq(map(int64, float)) q)",
            "p = ai.onnx.ml.ZipMap <classlabels_int64s=[0, 1]> (x) q = Identity (p)",
            ["the output 'p' is a sequence, 'q' is a sequence"],
        ),
    ],
    ids=["sequence", "input", "optional", "map", "used"],
)
def test_what_is_no_tensor_is_refused_by_name(
    command: Command, tmp_path: Path, signature: str, body: str, says: list[str]
) -> None:
    graph = write(tmp_path / "m.onnx", signature, body)
    np.savez(tmp_path / "data.npz", x=_DATA)
    command.refuses_build(graph, "--evaluation", tmp_path / "data.npz", says=[f"'{graph}': the", *says])
