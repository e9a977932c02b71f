"""Every quantizer leaves in float what the recipe's groups name, and the evidence lists what the made graphs have."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

from command import QUICK, Command
from edgewright_benchmarks.report.markdown import render_markdown
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.graphs.exported import copy_graph, save_graph
from edgewright_compiler.graphs.float_groups.find import float_operators, would_change
from edgewright_compiler.graphs.quantize import quantize
from edgewright_runtime import Package
from edgewright_targets import Recipe
from edgewright_targets.errors import InputError
from edgewright_targets.target_reader import read_target
from float_graphs import DURATIONS, HEAD, graph_of
from tiny_targets import candidate_text, recipe_text, target_text

PLACES = "(float[1, 64, 8] x) => (float[1, 64, 10] y)"


def saved(model: ir.Model, path: Path) -> Path:
    path.mkdir()
    save_graph(model, path)
    return path


def quantized(folder: Path, recipe: Recipe, feeds: list[Any]) -> ir.Model:
    place = folder.parent / f"made-{len(list(folder.parent.iterdir()))}"
    place.mkdir()
    quantize(folder, recipe, feeds, place)
    model = ir.load(place / "model.onnx")
    model.meta["folder"] = place
    return model


def run(folder: Path, feed: dict[str, Any]) -> Any:
    flat = folder.parent / f"{folder.name}-flat"
    file = copy_graph(folder, flat)
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"]).run(None, feed)[0]


def kinds(model: ir.Model) -> set[str]:
    return {node.op_type for node in model.graph.all_nodes()}


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sequences of tokens to three classes, by an LSTM of torch."""
    import torch
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(50, 32)
            self.lstm = nn.LSTM(32, 32, batch_first=True)
            self.out = nn.Linear(32, 3)

        def forward(self, ids: Any) -> Any:
            return self.out(self.lstm(self.embedding(ids))[0][:, -1])

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("classifier")
    given = (torch.zeros(1, 6, dtype=torch.long),)
    with warnings.catch_warnings():
        # The older exporter takes a tenth of the time.
        warnings.simplefilter("ignore")
        torch.onnx.export(Classifier().eval(), given, path / "model.onnx", dynamo=False, input_names=["ids"])
    return path / "model.onnx"


def tokens(count: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 50, (count, 6))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["dynamic", "static", "nncf"])
def test_an_lstm_stays_in_float(classifier: Path, method: Any, tmp_path: Path) -> None:
    folder = saved(ir.load(classifier), tmp_path / "float")
    feeds = [{"ids": row[None]} for row in tokens(4)]
    made = quantized(folder, Recipe(method=method), feeds)
    assert "LSTM" in kinds(made)
    assert kinds(made) & {"DequantizeLinear", "MatMulInteger"}
    if method == "dynamic":
        # Without the groups it is quantized, so the test can fail.
        assert "DynamicQuantizeLSTM" in kinds(quantized(folder, Recipe(method=method, float_groups=()), feeds))


def test_blocks_of_weights_are_not_made_of_a_loop_that_is_written_out(tmp_path: Path) -> None:
    nodes = "[in] a = MatMul(x, W) [one] h = MatMul(a, R) g = Tanh(h) [two] i = MatMul(g, R) j = Tanh(i)"
    nodes += "[three] k = MatMul(j, R) [out] y = MatMul(k, W1)"
    folder = saved(graph_of(nodes), tmp_path / "float")
    made = quantized(folder, Recipe(method="weight-only", block_size=16), [])
    assert sorted(node.op_type for node in made.graph if "MatMul" in node.op_type) == [
        *["MatMul"] * 3,
        *["MatMulNBits"] * 2,
    ]
    blind = quantized(folder, Recipe(method="weight-only", block_size=16, float_groups=()), [])
    assert "MatMul" not in kinds(blind)


@pytest.mark.parametrize("method", ["static", pytest.param("nncf", marks=pytest.mark.slow)])
def test_scores_are_not_rounded_as_coordinates(method: Any, tmp_path: Path) -> None:
    """All operators are quantized but the decoder: scores up to 1 lie beside places up to some hundreds."""
    folder = saved(graph_of(HEAD, PLACES), tmp_path / "float")
    random = np.random.default_rng(1)
    feeds = [{"x": random.standard_normal((1, 64, 8)).astype(np.float32)} for _ in range(4)]
    expected = run(folder, feeds[0])
    assert np.abs(expected[..., :2]).max() > 500

    # In 7 bits, as sums of products saturate on some processors.
    def errors(**more: Any) -> float:
        made = quantized(folder, Recipe(method=method, reduce_range=True, **more), feeds)
        return float(np.abs(run(made.meta["folder"], feeds[0]) - expected)[..., 2:].max())

    assert errors() < 0.2
    if method == "static":
        assert errors(float_groups=()) > 0.5


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_counts_stay_in_32_bits(kind: Any, tmp_path: Path) -> None:
    """Sums of frames above 2,048 have no float16."""
    nodes = f"{DURATIONS} n = Constant<value_int = 3>() [sum] k = CumSum(c, n) [shown] s = Mul(e, zeros) y = Add(k, s)"
    folder = saved(graph_of(nodes, "(float[1, 8, 2, 600] x) => (float[1, 8, 2, 600] k, y)"), tmp_path / "float")
    feed = {"x": np.random.default_rng(2).standard_normal((1, 8, 2, 600)).astype(np.float32) + 1}
    expected = run(folder, feed)
    assert expected.max() > 5000
    made = quantized(folder, Recipe(method="cast", float_type=kind), [])
    types = {node.name: node.outputs[0].dtype for node in made.graph if node.name}
    assert types["exp"] == types["ceil"] == ir.DataType.FLOAT
    assert types["encoder"] == ir.DataType[kind.upper()]
    blind = quantized(folder, Recipe(method="cast", float_type=kind, float_groups=()), [])
    assert {node.name: node.outputs[0].dtype for node in blind.graph}["ceil"] == ir.DataType[kind.upper()]
    if kind == "float16":
        counts, rounded = (run(model.meta["folder"], feed) for model in (made, blind))
        # Between 2,048 and 4,096 float16 has every second whole number.
        assert (counts[counts > 2048] % 2 == 1).any()
        assert (rounded[np.isfinite(rounded) & (rounded > 2048)] % 2 == 0).all()


def test_constants_of_nodes_in_32_bits_are_not_rounded(tmp_path: Path) -> None:
    """Also one that a node in 16 bits takes too."""
    nodes = "far = Constant<value_float = 2049.0>() t = MatMul(x, W) [exp] e = Exp(t) [far] m = Add(e, far) "
    nodes += "o = MatMul(x, R) [both] p = Sub(x, far) y = MatMul(p, R)"
    folder = saved(graph_of(nodes, "(float[1, 8] x) => (float[1, 8] m, o, y)"), tmp_path / "float")
    feed = {"x": np.zeros((1, 8), np.float32)}
    assert run(folder, feed)[0, 0] == 2050
    made = quantized(folder, Recipe(method="cast", float_type="float16"), [])
    types = {node.name: node.outputs[0].dtype for node in made.graph if node.name}
    assert types["far"] == ir.DataType.FLOAT
    assert types["both"] == ir.DataType.FLOAT16
    assert run(made.meta["folder"], feed)[0, 0] == 2050


def test_a_size_in_32_bits_of_a_picture_in_16(tmp_path: Path) -> None:
    nodes = """t = Conv(x, C) s = Shape(t) f = Cast<to = 1>(s) [double] d = Mul(f, two) i = Cast<to = 7>(d)
        [resize] r = Resize(t, , , i) y = Conv(r, C1)"""
    folder = saved(graph_of(nodes, "(float[2, 8, 4, 4] x) => (float[A, B, D, E] y)"), tmp_path / "float")
    made = quantized(folder, Recipe(method="cast", float_type="float16"), [])
    types = {node.name: node.outputs[0].dtype for node in made.graph if node.name}
    assert types["double"] == ir.DataType.FLOAT
    assert types["resize"] == ir.DataType.FLOAT16


@pytest.mark.parametrize(
    ("recipe", "kept"),
    [
        (Recipe(method="static"), {"sigmoid", "soft", "bins", "centre", "size", "join"}),
        (Recipe(method="static", operators=("Add", "MatMul")), {"bins", "centre"}),
        (Recipe(method="weight-only"), {"bins"}),
        (Recipe(method="cast", float_type="float16"), {"sigmoid", "soft", "bins", "centre", "size", "join"}),
        # What is not quantized anyway stays in 32 bits where others get 16.
        (
            Recipe(method="static", operators=("MatMul",), float_type="float16"),
            {"sigmoid", "soft", "bins", "centre", "size", "join"},
        ),
        (Recipe(method="static", operators=("MatMul",), float_type="float16", float_groups=("recurrent",)), set()),
    ],
)
def test_what_a_recipe_would_not_change_is_not_named(recipe: Recipe, kept: set[str]) -> None:
    found = float_operators(graph_of(HEAD, PLACES), recipe.kept_groups)
    assert {one.node for one in found if would_change(one, recipe)} == kept


def test_a_target_can_name_other_groups() -> None:
    text = target_text(
        recipe_text("float", method="float") + candidate_text("float", "float"),
        recipe_text("few", method="dynamic", float_groups=["decoding"]) + candidate_text("few", "few"),
        baseline="float",
    )
    assert read_target("t", text, "t.toml").candidates[1].recipe.float_groups == ("decoding",)
    with pytest.raises(InputError) as caught:
        read_target("t", text.replace('"decoding"', '"loops"'), "t.toml")
    for words in (
        "t.toml",
        "float_groups[0]",
        "'loops' is not allowed",
        "'recurrent', 'durations', 'decoding', 'grids'",
    ):
        assert words in str(caught.value)


@pytest.mark.slow
def test_the_evidence_lists_what_stays_in_float(command: Command, classifier: Path, tmp_path: Path) -> None:
    recipes: dict[str, dict[str, Any]] = {
        "float": {"method": "float"},
        "dynamic": {"method": "dynamic"},
        "blind": {"method": "dynamic", "float_groups": []},
    }
    tables = [recipe_text(name, **settings) + candidate_text(name, name) for name, settings in recipes.items()]
    target = tmp_path / "kept.toml"
    target.write_text(target_text(*tables, baseline="float"), encoding="utf-8")
    np.savez(tmp_path / "ids.npz", ids=tokens(24))
    data = ("--calibration", tmp_path / "ids.npz", "--evaluation", tmp_path / "ids.npz")
    done = command("build", classifier, *data, "--target", target, "-o", tmp_path / "p", *QUICK)
    assert done.code == 0, done.err
    evidence = Package.open(tmp_path / "p").evidence("kept")
    result = result_from_json(evidence, "evidence")
    engines = {engine.name.removeprefix("kept-"): engine for engine in result.engines}
    (kept,) = engines["dynamic"].float_nodes
    assert (kept.group, kept.operators, kept.count) == ("recurrent", {"LSTM": 1}, 1)
    assert len(kept.names) == 1
    assert engines["float"].float_nodes == engines["blind"].float_nodes == ()
    # The cache has told the two graphs apart.
    assert "DynamicQuantizeLSTM" in engines["blind"].low_precision
    assert "DynamicQuantizeLSTM" not in engines["dynamic"].low_precision
    assert "float_nodes" not in json.dumps(next(one for one in evidence["engines"] if one["name"] == "kept-float"))
    shown = " ".join(command("inspect", tmp_path / "p").out.split())
    assert "recurrent layers, 1 node (1 LSTM). Reason: it rounds its own state at each step." in shown
    assert kept.names[0] in shown
    assert "In float because of what it is" in render_markdown(result)
