"""Whole searches of models and machines that a search cannot take as they are, and what it says of them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest

import tiny_searched
from doubles import QUICK_METER, Recording, recorded_times
from edgewright_benchmarks.result import Result
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.building.search_bound import SearchBound
from edgewright_compiler.search import find_facts, node_costs
from tiny_targets import candidate_text, recipe_text, target_text

SHAPE = (4, 32)
# A layer and its activation as a function of the model's own.
LAYER = """
<domain: "local", opset_import: ["" : 17]>
layer (given, weight) => (made) {
    product = MatMul(given, weight)
    made = Relu(product)
}
"""
# What comes behind the layers: a choice of two products, and one of them twice.
TAIL = """
<ir_version: 8, opset_import: ["" : 17]>
tail (float[batch, 4, 32] last) => (float[batch, 4, 32] y) {
    total = ReduceSum<keepdims = 0>(last)
    zero = Constant<value_float = 0.0>()
    positive = Greater(total, zero)
    chosen = If(positive) <
        then_branch = larger () => (float[batch, 4, 32] one) { one = MatMul(last, layer_0_weight) },
        else_branch = smaller () => (float[batch, 4, 32] other) { other = MatMul(last, layer_2_weight) }
    >
    trips = Constant<value = int64 {2}>()
    going = Constant<value = bool {1}>()
    y = Loop(trips, going, chosen) <
        body = again (int64 trip, bool before, float[batch, 4, 32] given) => (bool after, float[batch, 4, 32] made) {
            after = Identity(before)
            made = MatMul(given, layer_3_weight)
        }
    >
}
"""


def ruined(path: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    model = onnx.load(tiny_searched.write_ruined(path, width=32, rows=4))
    change(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def without_names(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        node.name = ""


def with_functions(model: onnx.ModelProto) -> None:
    nodes = list(model.graph.node)
    for layer, activation in itertools.pairwise(nodes):
        if (layer.op_type, activation.op_type) == ("MatMul", "Relu"):
            layer.op_type, layer.domain, layer.name = "layer", "local", ""
            layer.output[0] = activation.output[0]
            model.graph.node.remove(activation)
    model.functions.append(onnx.parser.parse_function(LAYER))
    model.opset_import.add(domain="local", version=1)


def with_loops(model: onnx.ModelProto) -> None:
    for weight in model.graph.initializer:
        weight.name = weight.name.replace(".weight_0", "_weight")
    for node in model.graph.node:
        node.input[:] = [name.replace(".weight_0", "_weight") for name in node.input]
    model.graph.node[-1].output[0] = "last"
    model.graph.node.extend(onnx.parser.parse_model(TAIL).graph.node)


def searched(model: Path, monkeypatch: pytest.MonkeyPatch, progress: Recording | None = None) -> Result:
    """A search of a model of which int8 ruins three layers, on a machine where int8 is always twice as fast."""
    recorded_times(monkeypatch, defaultdict(lambda: (1e-3,), {"tiny-cpu-fp32": (2e-3,)}))
    folder, random = model.parent, np.random.default_rng(5)
    for name, count in (("guide", 32), ("proof", 100)):
        np.savez(folder / f"{name}.npz", x=random.normal(size=(count, *SHAPE)).astype(np.float32))
    tables = (
        recipe_text("fp32", method="float"),
        recipe_text("int8", method="static", operators=["MatMul"]),
        candidate_text("cpu-fp32", "fp32"),
        candidate_text("cpu-int8", "int8"),
    )
    target = folder / "tiny.toml"
    target.write_text(target_text(*tables), encoding="utf-8")
    options = BuildOptions(
        output=folder / "p",
        targets=(str(target),),
        calibration=folder / "guide.npz",
        evaluation=folder / "proof.npz",
        max_drop=0.05,
        search=SearchBound(engines=6),
        meter=QUICK_METER,
    )
    return build(str(model), options, progress=progress or Recording()).result


def no_costs(*_: Any, **__: Any) -> Any:
    raise node_costs.NoCostsError("The profile has no nodes.")


@pytest.fixture
def no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profiler that gives nothing: what layers cost does not decide which of them stay in float."""
    monkeypatch.setattr(find_facts, "costs", no_costs)


def float_layers(result: Result) -> int:
    assert result.search is not None
    assert result.search.tried
    assert result.engine(result.chosen).status == "accepted"
    assert result.chosen in [one.name for one in result.search.tried]
    assert all(one.node for one in result.search.float_nodes)
    return sum(one.operator == "MatMul" and one.reason == "accuracy" for one in result.search.float_nodes)


@pytest.mark.usefixtures("no_profile")
@pytest.mark.parametrize("change", [without_names, with_functions, with_loops])
def test_ruined_layers_are_found(
    change: Callable[[onnx.ModelProto], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nodes are given names and functions are inlined; what is in loops and branches is no group, and the rest is."""
    result = searched(ruined(tmp_path / "model.onnx", change), monkeypatch)
    assert len(tiny_searched.RUINED) <= float_layers(result) < len(tiny_searched.LAYERS)


@pytest.mark.usefixtures("no_profile")
def test_a_profiler_that_gives_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations stand in for times, and the search says so."""
    progress = Recording()
    result = searched(ruined(tmp_path / "model.onnx", lambda _: None), monkeypatch, progress)
    assert any("The profile has no nodes." in note for note in progress.notes), progress.notes
    assert float_layers(result) >= len(tiny_searched.RUINED)


@pytest.mark.parametrize("change", [without_names, with_loops])
def test_with_the_profile_of_this_machine(
    change: Callable[[onnx.ModelProto], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Recording()
    result = searched(ruined(tmp_path / "model.onnx", change), monkeypatch, progress)
    assert result.search is not None
    assert result.search.ended == "finished"
    assert not any("nothing is known of its layers" in note for note in progress.notes), progress.notes
