"""Named arrays: inputs that have a value of their own, names that no input has, and samples of different lengths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

from command import QUICK, Command
from edgewright_benchmarks.data import ArrayNames, read_dataset
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.sources.default_inputs import default_inputs
from edgewright_runtime import SampleError, load
from edgewright_targets import InputError

_RANDOM = np.random.default_rng(3)
_WEIGHTS = _RANDOM.normal(size=(8, 4)).astype(np.float32)


def scaled(path: Path, *, defaults: dict[str, Any], version: int = 8, weights: tuple[str, ...] = ()) -> Path:
    """`x` [n, steps, 8] times weights, its mean over steps, times `scale` plus `shift`: [n, 4].

    `defaults` are inputs with these values; `weights` are initializers that are inputs as well.
    """
    held = {
        "w": _WEIGHTS,
        "axes": np.array([1]),
        "scale": np.ones((1, 1), np.float32),
        "shift": np.zeros((), np.float32),
    } | defaults
    values = {
        name: ir.Value(name=name, const_value=ir.tensor(np.asarray(array), name=name)) for name, array in held.items()
    }
    x = ir.Value(name="x", shape=ir.Shape(["n", "steps", 8]), type=ir.TensorType(ir.DataType.FLOAT))
    rows = ir.node("MatMul", [x, values["w"]])
    mean = ir.node("ReduceMean", [rows.outputs[0], values["axes"]], {"keepdims": 0})
    scale = ir.node("Mul", [mean.outputs[0], values["scale"]])
    shift = ir.node("Add", [scale.outputs[0], values["shift"]])
    y = shift.outputs[0]
    y.name, y.shape, y.type = "y", ir.Shape(["n", 4]), ir.TensorType(ir.DataType.FLOAT)
    for name in (*defaults, *weights):
        values[name].shape = ir.Shape(held[name].shape)
        values[name].type = ir.TensorType(ir.DataType.from_numpy(held[name].dtype))
    graph = ir.Graph(
        [x, *(values[name] for name in (*defaults, *weights))],
        [y],
        nodes=[rows, mean, scale, shift],
        initializers=list(values.values()),
        opset_imports={"": 18},
        name="scaled",
    )
    ir.save(ir.Model(graph, ir_version=version), path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("arrays")


@pytest.fixture(scope="module")
def package(folder: Path, sources: Path) -> Path:
    """Of a graph with two inputs that have values of their own, from samples of different lengths."""
    scaled(folder / "m.onnx", defaults={"scale": np.full((1, 1), 2, np.float32), "shift": np.array(0.5, np.float32)})
    data = folder / "samples"
    data.mkdir()
    for index in range(6):
        x = _RANDOM.normal(size=(1, 2 + index, 8)).astype(np.float32)
        more = {"scale": np.full((1, 1), 3, np.float32)} if index % 2 else {}
        np.savez(data / f"{index}.npz", x=x, **more)  # type: ignore[arg-type]
    options = BuildOptions(output=folder / "p", targets=(str(sources / "tiny.toml"),), calibration=data)
    (job,) = read_jobs(str(folder / "m.onnx"), options)
    made = draft_package(job, folder / "draft", StageCache(folder / "cache"), Quiet())
    assert made == ("tiny-cpu-fp32", "tiny-cpu-int8")
    return folder / "draft"


@pytest.mark.parametrize(
    ("engine", "given"),
    [
        ("tiny-cpu-fp32", {}),
        ("tiny-cpu-fp32", {"scale": 7.0}),
        ("tiny-cpu-fp32", {"shift": -3.0}),
        ("tiny-cpu-fp32", {"scale": 0.5, "shift": 4.0}),
        ("tiny-cpu-int8", {}),
        ("tiny-cpu-int8", {"scale": 3.0}),
    ],
)
def test_a_default_counts_where_a_sample_has_none(
    package: Path, folder: Path, engine: str, given: dict[str, float]
) -> None:
    import onnxruntime

    sample = {"x": np.linspace(-1, 1, 24, dtype=np.float32).reshape(1, 3, 8)}
    sample |= {name: np.full({"scale": (1, 1)}.get(name, ()), value, np.float32) for name, value in given.items()}
    session = onnxruntime.InferenceSession(str(folder / "m.onnx"), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, sample)
    with load(package, engine=engine) as model:
        found = model(sample)["y"]
    allowed = 0 if engine.endswith("fp32") else 0.05 * np.abs(expected).max()
    assert np.abs(found - expected).max() <= allowed


def test_an_array_that_is_no_input_is_refused_by_a_package(package: Path) -> None:
    x = np.zeros((1, 2, 8), np.float32)
    with load(package, engine="tiny-cpu-fp32") as model:
        with pytest.raises(SampleError, match=r"no input 'scael'; its inputs are 'scale', 'shift', 'x'") as caught:
            model({"x": x, "scael": np.ones((1, 1), np.float32)})
        assert "Did you mean 'scale'" in (caught.value.hint or "")
        # A file of samples has its ground truth beside the inputs.
        model({"x": x, "label": np.zeros(1, np.int64)})


_ONE = np.ones(1, np.float32)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"defaults": {"scale": _ONE}}, {"scale"}),
        ({"defaults": {"scale": _ONE, "shift": _ONE}}, {"scale", "shift"}),
        ({"defaults": {"axes": np.array([1])}}, {"axes"}),
        # Before version 4 every weight had to be an input, and some exporters still write them so.
        ({"defaults": {"scale": _ONE}, "version": 3}, set()),
        ({"defaults": {"scale": _ONE}, "weights": ("w",)}, set()),
        # Too large for a manifest, and nothing that it can say.
        ({"defaults": {"scale": np.ones((1200, 4), np.float32)}}, set()),
        ({"defaults": {"shift": np.array([-np.inf], np.float32)}}, set()),
        ({"defaults": {"axes": np.array([2**40])}}, set()),
    ],
)
def test_which_inputs_have_defaults(tmp_path: Path, options: dict[str, Any], expected: set[str]) -> None:
    assert set(default_inputs(ir.load(scaled(tmp_path / "m.onnx", **options)))) == expected


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"labels": 1}, ["holds 'labels', which is neither an input nor the ground truth", "Did you mean 'label'"]),
        ({"scael": 1, "extra": 1}, ["'scael', 'extra'", "The inputs of the model are 'x', 'scale'", "'label'"]),
        ({"w": 1}, ["holds 'w'", "In the graph 'w' is a weight, not an input"]),
        ({"X": 1, "x": None}, ["lacks the input 'x'. It holds 'X', which the model does not take"]),
        ({"scale": 1, "x": None}, ["lacks the input 'x'"]),
    ],
)
def test_arrays_that_are_neither_inputs_nor_ground_truth(
    arrays: dict[str, Any], says: list[str], tmp_path: Path
) -> None:
    ones = {name: np.ones((3, 1), np.float32) for name, value in ({"x": 1} | arrays).items() if value}
    names = ArrayNames(("x",), ("scale",), ("w",))
    np.savez(tmp_path / "data.npz", **ones)  # type: ignore[arg-type]
    (tmp_path / "folder").mkdir()
    np.savez(tmp_path / "folder" / "0.npz", **ones)  # type: ignore[arg-type]
    for path in (tmp_path / "data.npz", tmp_path / "folder"):
        with pytest.raises(InputError) as caught:
            read_dataset(path, task="arrays", input_name="*", arrays=names)
        message = f"{caught.value.message} {caught.value.hint}"
        assert [part for part in says if part not in message] == [], message


def test_they_are_refused_before_any_work(command: Command, sources: Path, tmp_path: Path) -> None:
    pixels = np.zeros((4, 8), np.float32)
    np.savez(tmp_path / "misspelt.npz", pixels=pixels, labels=np.zeros(4, np.int64))
    says = ["holds 'labels', which is neither an input nor the ground truth", "The inputs of the model are 'pixels'"]
    for option in ("--evaluation", "--calibration", "--golden"):
        command.refuses_build(sources / "perceptron.onnx", option, tmp_path / "misspelt.npz", says=says)


def test_a_bench_names_them_too(command: Command, built_arrays: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "misspelt.npz", pixels=np.zeros((4, 8), np.float32), labels=np.zeros(4, np.int64))
    says = ["error: The model has no input 'labels'; its inputs are 'pixels'"]
    command.refuses("bench", built_arrays, "--data", tmp_path / "misspelt.npz", says=says)


def files(folder: Path, *samples: dict[str, Any]) -> Path:
    folder.mkdir()
    for index, arrays in enumerate(samples):
        np.savez(folder / f"{index}.npz", **arrays)
    return folder


def test_a_folder_has_a_sample_in_each_file(tmp_path: Path) -> None:
    made = [{"x": np.full((1, steps, 2), steps, np.float32), "label": np.array(steps % 2)} for steps in (3, 1, 2)]
    folder = files(tmp_path / "data", *made)
    (folder / "notes.txt").write_text("not a sample", encoding="utf-8")
    found = read_dataset(folder, task="arrays", input_name="*", arrays=ArrayNames(("x",)))
    assert [sample["x"].shape for sample in found.samples] == [(1, 3, 2), (1, 1, 2), (1, 2, 2)]
    assert found.labels == (1, 1, 0)
    several = files(tmp_path / "several", *({"x": _ONE, "label": np.array(row)} for row in ([0, 1, 1], [0, 0, 0])))
    assert read_dataset(several, task="arrays", input_name="*").labels == ((1, 2), ())
    # What the files hold decides, not only their number.
    np.savez(folder / "1.npz", x=np.zeros((1, 1, 2), np.float32), label=np.array([1]))
    assert read_dataset(folder, task="arrays", input_name="*").digest != found.digest


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        ([], "has no .npz files"),
        ([{"x": _ONE, "label": 1}, {"x": _ONE}], "some of the files have an array 'label'"),
        ([{"x": _ONE}, {"x": _ONE, "label": 1}], "some of the files have an array 'label'"),
        ([{"x": _ONE, "label": [1, 2]}], "has 2 columns with other values than 0 and 1"),
        ([{"x": _ONE, "label": -1}], "0.npz': the array 'label' has indices from -1"),
        ([{"x": _ONE, "label": "cat"}], "must hold a class index or a number"),
        ([{"x": _ONE}, {"x": np.array([np.nan])}], "1.npz': the array 'x' has NaN"),
        ([{"x": _ONE}, {"label": 1}], "1.npz' holds no input arrays"),
    ],
)
def test_a_folder_that_is_wrong(tmp_path: Path, samples: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(InputError, match=says.replace("'", ".")):
        read_dataset(files(tmp_path / "data", *samples), task="arrays", input_name="*")


def test_a_folder_is_benchmarked(command: Command, built_arrays: Path, tmp_path: Path) -> None:
    samples = [{"pixels": np.full((1, 8), value, np.float32)} for value in (0.5, 1.0)]
    folder = files(tmp_path / "data", *samples)
    done = command("bench", built_arrays, "--data", folder, *QUICK)
    assert done.code == 0, done.err
    assert "on 2 samples of data" in " ".join(done.out.split())
