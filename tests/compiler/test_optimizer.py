"""Graphs that came as files: what ONNX Runtime's optimizations change is said, and the metric judges it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest

from command import QUICK, Command
from edgewright_benchmarks.optimizer_facts import OptimizerFacts
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.building import optimizations
from edgewright_compiler.building.optimizations import allowed_difference
from edgewright_compiler.graphs.changed_nodes import changed_nodes, largest_share
from edgewright_compiler.graphs.quantize import quantize
from edgewright_runtime import Package, load
from edgewright_runtime.errors import EngineUnavailableError
from edgewright_targets import Recipe

Array = np.ndarray[Any, Any]
NAN, INF = float("nan"), float("inf")
FLOAT8 = Recipe(
    method="static",
    activation_type="float8e4m3fn",
    weight_type="float8e4m3fn",
    activation_symmetric=True,
    operators=("Conv", "MatMul"),
)
OPTION = "session.graph_optimization_level"


def save(folder: Path, nodes: str, weights: dict[str, Any]) -> Path:
    text = f'<ir_version: 8, opset_import: ["" : 19]> g (float[N, 3, 8, 8] x) => (float[N, 6] y) {{ {nodes} }}'
    model = onnx.parser.parse_model(text)
    arrays = {name: np.asarray(array, np.float32) for name, array in weights.items()}
    model.graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in arrays.items())
    folder.mkdir()
    onnx.save(model, folder / "model.onnx")
    return folder


def pictures(count: int = 24) -> Array:
    return np.random.default_rng(3).standard_normal((count, 3, 8, 8)).astype(np.float32)


def float8(folder: Path) -> Path:
    """A graph of float8: its pairs become operators that have none."""
    random = np.random.default_rng(0)
    weights = {
        "first": random.standard_normal((16, 3, 3, 3)) / 5,
        "second": random.standard_normal((16, 16, 3, 3)) / 12,
        "last": random.standard_normal((16, 6)) / 4,
    }
    nodes = """a = Conv(x, first) b = Relu(a) c = Conv(b, second) d = Relu(c) e = GlobalAveragePool(d) f = Flatten(e)
        y = MatMul(f, last)"""
    folder.mkdir()
    made = save(folder / "float", nodes, weights)
    quantize(made, FLOAT8, [{"x": picture[None]} for picture in pictures()], folder)
    # Beside the graph as well, as files of users have them.
    shutil.copyfile(folder / "weights" / "weights.bin", folder / "weights.bin")
    return folder


def cancelling(folder: Path) -> Path:
    """Floats: a normalization takes away a mean of a million, and is folded into the convolution before it."""
    random = np.random.default_rng(0)
    weights = {
        "w": random.standard_normal((8, 3, 3, 3)) / 5,
        "bias": np.full(8, 1e6),
        "one": np.ones(8),
        "zero": np.zeros(8),
        "mean": np.full(8, 1e6),
        "last": random.standard_normal((8, 6)),
    }
    nodes = """a = Conv(x, w, bias) b = BatchNormalization(a, one, zero, mean, one) c = Relu(b)
        d = GlobalAveragePool(c) e = Flatten(d) y = MatMul(e, last)"""
    return save(folder, nodes, weights)


def answers(graph: Path, *, optimized: bool) -> Array:
    """Optimized or as the graph is written."""
    options = onnxruntime.SessionOptions()
    if not optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"x": picture[None]})[0] for picture in pictures()])


MAKE: dict[str, Callable[[Path], Path]] = {"float8": float8, "cancelling": cancelling}


@pytest.mark.parametrize(("name", "says"), [("float8", "Conv"), ("cancelling", "Conv")])
def test_the_nodes_that_answer_otherwise_are_named(name: str, says: str, tmp_path: Path) -> None:
    folder = MAKE[name](tmp_path / "graph")
    given = {"x": pictures(1)}
    found = changed_nodes(folder, given, 1e-3)
    assert found, "nothing was named"
    assert says in found[0], found
    # With all that it may be nothing is.
    assert changed_nodes(folder, given, 1e9) == []


A, B = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 4.4])
GAPS: dict[str, tuple[Any, Any, float]] = {
    "same": (A, A, 0.0),
    "share": (B, A, 0.1),
    "small": (np.array([0.1]), np.array([0.2]), 0.1),
    "infinity": (np.array([1.0, -INF, INF]), np.array([1.0, -INF, INF]), 0.0),
    "other-infinity": (np.array([1.0, INF]), np.array([1.0, -INF]), INF),
    "nan": (np.array([1.0, NAN]), np.array([1.0, NAN]), 0.0),
    "one-nan": (np.array([1.0, NAN]), np.array([1.0, 2.0]), INF),
    "nan-gone": (np.array([1.0, 2.0]), np.array([1.0, NAN]), INF),
    "shape": (A, A[:2], INF),
    "empty": (A[:0], A[:0], 0.0),
    "whole": (np.array([1, 3]), np.array([1, 4]), 0.25),
    "truth": (np.array([True]), np.array([False]), 1.0),
    "words": (np.array(["a"]), np.array(["a"]), 0.0),
}


@pytest.mark.parametrize("name", GAPS)
def test_differences_are_shares_of_a_size(name: str) -> None:
    made, expected, gap = GAPS[name]
    assert largest_share({"y": made}, {"y": expected}) == pytest.approx(gap)


@pytest.mark.parametrize(
    ("quantized", "allowed"),
    [
        ("", 1e-3),
        ("its weights are float16", 1e-2),
        ("its weights are bfloat16", 1e-2),
        ("its weights are int8", 5e-2),
        ("it has DequantizeLinear, QuantizeLinear", 5e-2),
        ("it has MatMulNBits", 5e-2),
    ],
)
def test_what_rounding_explains_depends_on_the_type(quantized: str, allowed: float) -> None:
    assert allowed_difference(quantized) == allowed


def test_all_of_it_is_said() -> None:
    facts = OptimizerFacts(
        difference=0.5, allowed=0.05, samples=16, nodes=("QLinearConv 'a'",), kept=False, drop=0.25, judged_on=400
    )
    assert facts.words() == (
        "ONNX Runtime's optimizations change the outputs of the graph, by 0.5 of their size at most, on 16 inputs "
        "(0.05 "
        "counts as rounding), first at QLinearConv 'a'. By that it loses 25.00 percentage points on 400 labelled "
        "samples. They are off for the baseline."
    )
    assert "in shape or by odd values" in OptimizerFacts(difference=None, allowed=0.001, samples=16, kept=False).words()
    assert OptimizerFacts(difference=1e-6, allowed=0.001, samples=16).words().endswith("(0.001 counts as rounding).")


def build(command: Command, graph: Path, labels: Any = None) -> tuple[Result, Path]:
    arrays = {"x": pictures()} if labels is None else {"x": pictures(), "label": labels}
    np.savez(command.folder / "d.npz", **arrays)
    package = command.folder / "p"
    data = ("--evaluation", command.folder / "d.npz", "--target", command.target)
    done = command("build", graph / "model.onnx", *data, "-o", package, *QUICK)
    assert done.code == 0, done.err
    return result_from_json(Package.open(package).evidence("tiny"), "evidence"), package


def shipped(package: Path, result: Result) -> tuple[Array, bool]:
    """What the baseline answers, and whether it is optimized."""
    part = Package.open(package).manifest.engines[result.baseline].parts["model"]
    with load(package, engine=result.baseline) as model:
        made = np.concatenate([model({"x": picture[None]})["y"] for picture in pictures()])
    return made, OPTION not in part.session_options


@pytest.mark.parametrize("name", MAKE)
def test_without_ground_truth_the_graph_runs_as_it_is_written(name: str, command: Command, tmp_path: Path) -> None:
    """Both were refused: the graph did not answer as the file did without optimizations."""
    graph = MAKE[name](tmp_path / "graph")
    result, package = build(command, graph)
    assert result.optimizer is not None
    assert result.optimizer.exceeds
    assert not result.optimizer.kept
    assert "Without ground truth, nothing tells which outputs are correct." in " ".join(result.warnings)
    made, optimized = shipped(package, result)
    assert not optimized
    np.testing.assert_array_equal(made, answers(graph / "model.onnx", optimized=False))
    assert command("verify", package).code == 0


def test_the_metric_judges_where_there_is_one(command: Command, tmp_path: Path) -> None:
    graph = float8(tmp_path / "graph")
    before, after = (answers(graph / "model.onnx", optimized=optimized).argmax(1) for optimized in (False, True))
    lost = float((before != after).mean())
    assert lost > 0.1
    result, package = build(command, graph, before)
    assert result.optimizer is not None
    assert (result.optimizer.kept, result.optimizer.judged_on) == (False, 24)
    assert result.optimizer.drop == pytest.approx(lost)
    assert not shipped(package, result)[1]
    # The optimized answers are the right ones: the difference stays a fact, and nothing else.
    result, package = build(command, graph, after)
    assert result.optimizer is not None
    assert (result.optimizer.kept, result.optimizer.exceeds) == (True, True)
    assert any("They stay on." in warning for warning in result.warnings)
    assert shipped(package, result)[1]


def test_what_rounding_explains_is_a_fact_as_well(built_arrays: Path) -> None:
    found = result_from_json(Package.open(built_arrays).evidence("tiny"), "evidence").optimizer
    assert found is not None
    assert found.kept
    assert not found.exceeds
    assert found.difference is not None
    assert found.difference < 1e-4


def test_a_graph_that_only_runs_as_it_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As where a fused operator has no kernel for the types of the graph."""

    class Refusing:
        def __enter__(self) -> Any:
            raise EngineUnavailableError("It cannot run here.", reason="No kernel for FusedThing.")

        def __exit__(self, *found: object) -> None: ...

    monkeypatch.setattr("edgewright_compiler.building.optimizations.load", lambda package, engine, strict: Refusing())
    graphs: Any = None
    compared = optimizations._compare(tmp_path, ("float", "other"), [{}], graphs, 1e-3)
    found = optimizations._facts(compared, 1e-3, 1, asked=False)
    assert (found.kept, found.exceeds) == (False, True)
    assert "does not run with ONNX Runtime's optimizations: No kernel for FusedThing." in found.words()
