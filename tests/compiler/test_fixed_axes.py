"""Free axes get the one length that they have in the data. Where the data has several, the candidate fails in words."""

import dataclasses
from pathlib import Path

import numpy as np
import onnx_ir
import pytest

from doubles import QUICK_METER, recorded_times
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.graphs.feed_shapes import FeedShapes
from edgewright_compiler.graphs.fixed_shapes import FixingError
from edgewright_compiler.graphs.free_dimensions import free_dimensions
from edgewright_runtime import SampleError, load
from edgewright_runtime.package import Package
from tiny_targets import candidate_text, write_target

FIXED = candidate_text("cpu-fp32-fixed", "fp32", fixed_axes=True)
TIMES = {"tiny-cpu-fp32": (2e-3,), "tiny-cpu-int8": (3e-3,), "tiny-cpu-fp32-fixed": (1e-3,)}


def options(source: Path, folder: Path) -> BuildOptions:
    target = write_target(folder / "tiny.toml", FIXED)
    return BuildOptions(
        output=folder / "made.ortpackage",
        targets=(str(target),),
        calibration=source,
        max_drop=0.9,
        meter=QUICK_METER,
        accept_baseline=True,
    )


def test_a_package_says_the_lengths_and_refuses_others(
    sources: Path, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded_times(monkeypatch, TIMES)
    built = build(str(sources / "perceptron.onnx"), options(sources / "inputs.npz", tmp_path))
    assert built.result.chosen == "tiny-cpu-fp32-fixed"
    (found,) = [one for one in built.result.engines if one.name == built.result.chosen]
    assert "its outputs were equal to the last bit" in " ".join(found.reasons)
    (axis,) = free_dimensions(*only_graph(built.package), FeedShapes({"pixels": ((1, 8), (1, 8))}))
    said = Package.open(built.package).manifest.engines["tiny-cpu-fp32-fixed"].parts["model"].session_options
    assert said[f"edgewright.free_dimension.{axis}"] == "1"
    # It may be another engine's file: the graph is the same.
    assert len({path.read_bytes() for path in built.package.rglob("*.onnx")}) == 1
    with load(built.package) as model:
        model({"pixels": np.zeros((1, 8), np.float32)})
        with pytest.raises(SampleError, match=r"has the shape \[2, 8\]; the model takes \[1, 8\]"):
            model({"pixels": np.zeros((2, 8), np.float32)})
    with load(built.package, engine="tiny-cpu-fp32") as model:
        model({"pixels": np.zeros((2, 8), np.float32)})


def only_graph(package: Path) -> tuple[Path]:
    """The folder of one of the graphs, under the name that the compiler gives it."""
    graph = next(iter(package.rglob("*.onnx")))
    return (graph.parent,)


def test_texts_of_several_lengths_are_a_finding(
    sources: Path, checkpoint: Path, shared_cache: Path, tmp_path: Path
) -> None:
    asked = dataclasses.replace(options(sources / "train.csv", tmp_path), evaluation=sources / "validation.csv")
    built = build(str(checkpoint), asked)
    (found,) = [one for one in built.result.engines if one.name == "tiny-cpu-fp32-fixed"]
    assert found.status == "failed"
    assert "of the input 'input_ids' has" in found.reasons[0]
    assert "lengths in the data" in found.reasons[0]


def graph(folder: Path, **inputs: list[int | str | None]) -> Path:
    kind = onnx_ir.TensorType(onnx_ir.DataType.FLOAT)
    values = [onnx_ir.Value(name=name, type=kind, shape=onnx_ir.Shape(shape)) for name, shape in inputs.items()]
    node = onnx_ir.node("Identity", values[:1])
    node.outputs[0].type = kind
    body = onnx_ir.Graph(values, node.outputs, nodes=[node], opset_imports={"": 18}, name="g")
    folder.mkdir()
    onnx_ir.save(onnx_ir.Model(body, ir_version=8), folder / "model.onnx")
    return folder


def test_lengths_of_named_axes(tmp_path: Path) -> None:
    folder = graph(tmp_path / "g", a=["batch", 3, None, "width"], b=["batch", 8])
    shapes = FeedShapes({"a": ((1, 3, 5, 7), (1, 3, 6, 7)), "b": ((1, 8), (1, 8))})
    # An axis without a name stays free, whatever lengths it has.
    assert free_dimensions(folder, shapes) == {"batch": 1, "width": 7}


def test_axes_of_one_name_must_be_alike(tmp_path: Path) -> None:
    folder = graph(tmp_path / "g", a=["n"], b=["n"])
    with pytest.raises(FixingError, match=r"'n' of the input 'b' has 2 lengths in the data \(4, 5\)"):
        free_dimensions(folder, FeedShapes({"a": ((4,),), "b": ((5,),)}))
    with pytest.raises(FixingError, match=r"'n' of the input 'a' has 4 lengths in the data \(1, 2, 3, ...\)"):
        free_dimensions(folder, FeedShapes({"a": ((1,), (2,), (3,), (4,)), "b": ((1,),)}))


def test_a_graph_without_free_axes_has_none(tmp_path: Path) -> None:
    assert free_dimensions(graph(tmp_path / "g", a=[1, 3]), FeedShapes({"a": ((1, 3),)})) == {}
