"""What ONNX files of all ages and makers look like: every opset, odd names and domains, single values, real models."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir
import onnxruntime
import pytest

import opset_graphs
from command import QUICK, Command
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_compiler import BuildOptions, Built, build
from edgewright_compiler.graphs.exported import copy_graph
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.sources import SourceOptions
from edgewright_compiler.sources.onnx_file import OnnxSource
from edgewright_runtime import load
from edgewright_targets import Recipe
from real_models import unpacked_wheel

Arrays = dict[str, np.ndarray[Any, Any]]
_GAIN = opset_graphs.INPUTS[2]
_SILERO = ("silero_vad_16k_op15", "silero_vad", "silero_vad_op18_ifless", "silero_vad_half")


def _session(folder: Path, destination: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(copy_graph(folder, destination)), options)


def _rows(arrays: Arrays) -> list[Arrays]:
    count = len(next(iter(arrays.values())))
    return [{name: array[index : index + 1] for name, array in arrays.items()} for index in range(count)]


@pytest.mark.parametrize("opset", opset_graphs.OPSETS)
def test_every_opset(tmp_path: Path, opset: int) -> None:
    """The exported graph, optimised, answers as the file without optimisation; and so, nearly, in int8."""
    source = OnnxSource(opset_graphs.write_graph(tmp_path / "graph.onnx", opset), SourceOptions())
    assert source.quantized == ""
    rows = _rows(opset_graphs.samples(6))
    reference = source.reference(rows)
    source.export(tmp_path / "exported")
    session = _session(tmp_path / "exported" / "model", tmp_path / "float")
    assert [entry.name for entry in session.get_inputs()] == list(opset_graphs.INPUTS)
    feeds = [{**row, _GAIN: row[_GAIN].reshape(())} for row in rows]
    for feed, expected in zip(feeds, reference, strict=True):
        (found,) = session.run(None, feed)
        np.testing.assert_allclose(found, expected[opset_graphs.OUTPUT], atol=1e-6)
    recipe = Recipe(method="static", operators=("Conv", "Gemm"))
    (tmp_path / "int8").mkdir()
    quantize(tmp_path / "exported" / "model", recipe, feeds, tmp_path / "int8")
    session = _session(tmp_path / "int8", tmp_path / "quantized")
    gaps = [
        abs(session.run(None, feed)[0] - next(iter(made.values()))).max()
        for feed, made in zip(feeds, reference, strict=True)
    ]
    assert 0 < max(gaps) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("opset", [9, 15, 23])
def test_builds_of_three_opsets(command: Command, tmp_path: Path, opset: int) -> None:
    graph = opset_graphs.write_graph(tmp_path / "graph.onnx", opset)
    np.savez(tmp_path / "inputs.npz", **opset_graphs.samples(6))  # type: ignore[arg-type] # names are not keywords of it
    package = command.folder / "p"
    data = ("--calibration", tmp_path / "inputs.npz")
    done = command("build", graph, *data, "--target", command.target, "-o", package, *QUICK)
    assert done.code == 0, done.err
    row = _rows(opset_graphs.samples(6))[0]
    with load(package, engine="tiny-cpu-fp32") as model:
        answer = model(row)
        np.testing.assert_allclose(answer[opset_graphs.OUTPUT].sum(), 1, atol=1e-5)
    assert command("verify", package).code == 0


def test_a_shape_that_is_wrong_is_named(command: Command, tmp_path: Path) -> None:
    """CenterFace's file demands pictures of [10, 3, 32, 32] and means any."""
    path = opset_graphs.write_graph(tmp_path / "graph.onnx", 13)
    model = onnx_ir.load(path)
    model.graph.inputs[0].shape = onnx_ir.Shape([10, 3, 32, 32])
    onnx_ir.save(model, path)
    np.savez(tmp_path / "inputs.npz", **opset_graphs.samples(6))  # type: ignore[arg-type]
    says = ["Input 'pixels:0' has the shape [1, 3, 12, 12]; the model takes [10, 3, 32, 32]"]
    command.refuses_build(path, "--calibration", tmp_path / "inputs.npz", says=says)


@pytest.mark.parametrize("name", _SILERO)
def test_silero_vad(tmp_path: Path, name: str) -> None:
    """Branches, a single value as input and a state whose first axis is layers, in four exports of one model."""
    source = OnnxSource(unpacked_wheel("silero-vad") / "silero_vad" / "data" / f"{name}.onnx", SourceOptions())
    assert source.quantized == ""
    random = np.random.default_rng(1)
    arrays = {
        "input": random.normal(scale=0.1, size=(3, 576)).astype(np.float32),
        "state": random.normal(scale=0.1, size=(3, 2, 1, 128)).astype(np.float32),
        "sr": np.full(3, 16_000),
    }
    if name == "silero_vad_half":
        del arrays["sr"]
    rows = _rows(arrays)
    reference = source.reference(rows)
    source.export(tmp_path / "exported")
    session = _session(tmp_path / "exported" / "model", tmp_path / "float")
    for row, expected in zip(rows, reference, strict=True):
        feed = {key: value if key == "input" else value.reshape(value.shape[1:]) for key, value in row.items()}
        for found, made in zip(session.run(None, feed), expected.values(), strict=True):
            np.testing.assert_allclose(found, made, atol=1e-5)


@pytest.fixture(scope="module")
def magika(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path, sources: Path) -> tuple[Built, Path]:
    """A package of Google's classifier of files, measured without labels on the source files of these tests."""
    folder = tmp_path_factory.mktemp("magika")
    graph = unpacked_wheel("magika") / "magika" / "models" / "standard_v3_3" / "model.onnx"
    files = sorted(Path(__file__).parents[1].rglob("*.py"))[:16]
    np.savez(folder / "files.npz", bytes=np.stack([_file_bytes(file.read_bytes()) for file in files]))
    options = BuildOptions(
        output=folder / "p",
        targets=(str(sources / "tiny.toml"),),
        calibration=folder / "files.npz",
        meter=MeterSettings(rounds=2, calls=4),
    )
    return build(str(graph), options), graph


def _file_bytes(content: bytes) -> np.ndarray[Any, Any]:
    """The first and the last 1024 bytes, 256 where there are fewer: what the model was trained on."""
    found = np.full(2048, 256, np.int32)
    content = content.strip()
    first, last = content[:1024], content[-1024:]
    found[: len(first)] = list(first)
    found[2048 - len(last) :] = list(last)
    return found


@pytest.mark.slow
def test_magika_from_end_to_end(magika: tuple[Built, Path]) -> None:
    built, graph = magika
    int8 = next(engine for engine in built.result.engines if engine.precision == "int8")
    assert int8.accuracy is not None, int8.reasons
    assert list(int8.accuracy.metrics) == ["agreement", "top_1_agreement", "top_5_agreement"]
    assert int8.accuracy.metrics["top_5_agreement"].value >= int8.accuracy.metrics["top_1_agreement"].value
    base = built.result.engine(built.result.baseline)
    assert base.accuracy is not None
    assert list(base.accuracy.metrics) == list(int8.accuracy.metrics)
    sample = {"bytes": _file_bytes(Path(__file__).read_bytes())[None]}
    (expected,) = onnxruntime.InferenceSession(str(graph)).run(None, sample)
    with load(built.package, engine=built.result.baseline) as model:
        np.testing.assert_allclose(model(sample)["target_label"], expected, atol=1e-5)
    labels = json.loads((graph.parent / "config.min.json").read_text(encoding="utf-8"))["target_labels_space"]
    assert labels[int(expected.argmax())] == "python"


def test_no_warnings_of_the_quantizer_reach_the_terminal(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = OnnxSource(opset_graphs.write_graph(tmp_path / "graph.onnx", 13), SourceOptions())
    source.export(tmp_path / "exported")
    feeds = [{**row, _GAIN: row[_GAIN].reshape(())} for row in _rows(opset_graphs.samples(2))]
    (tmp_path / "int8").mkdir()
    quantize(tmp_path / "exported" / "model", Recipe(method="static", operators=("Gemm",)), feeds, tmp_path / "int8")
    assert capfd.readouterr().err == ""
