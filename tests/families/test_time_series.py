"""Forecasters from their sources to the next values, on the real command line: as their source answers, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
import torch
import transformers

import tiny_forecasters
from command import QUICK, Command
from edgewright_runtime import Package, load
from tiny_forecasters import COLUMNS, CONTEXT, HORIZON, SEASON

TASK = ("--task", "time-series-forecasting")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of data: do not write into it."""
    folder = tmp_path_factory.mktemp("series")
    values = tiny_forecasters.series(600)
    tiny_forecasters.write_series(folder / "before.csv", values[:300])
    tiny_forecasters.write_series(folder / "after.csv", values[300 - CONTEXT :])
    return folder


def test_a_graph_that_was_fitted_beats_the_season_before(command: Command, data: Path) -> None:
    values = tiny_forecasters.series(600)
    graph = tiny_forecasters.write_graph(data / "graph", values[:300])
    out = command.folder / "linear.ortpackage"
    parts = ("--calibration", data / "before.csv", "--evaluation", data / "after.csv")
    done = command("build", graph, *TASK, *parts, "--target", command.target, "-o", out, *QUICK)
    assert done.code == 0, done.err
    evidence = Package.open(out).evidence("tiny")
    found = next(one for one in evidence["engines"] if one["status"] == "baseline")["accuracy"]["metrics"]
    mean, std = values[:300].mean(axis=0), values[:300].std(axis=0)
    network = tiny_forecasters.network((values[:300] - mean) / std)
    later = values[300 - CONTEXT :]
    origins = range(len(later) - HORIZON, CONTEXT - 1, -HORIZON)
    pasts = np.stack([later[at - CONTEXT : at] for at in origins])
    with torch.no_grad():
        theirs = network(torch.tensor((pasts - mean) / std, dtype=torch.float32)).double().numpy() * std + mean
    right = np.stack([later[at : at + HORIZON] for at in origins])
    assert found["mae"]["value"] == pytest.approx(np.abs(theirs - right).mean(), rel=1e-4)
    naive = np.abs(right - pasts[:, CONTEXT - SEASON : CONTEXT - SEASON + HORIZON]).mean()
    assert found["mae"]["value"] < 0.8 * naive
    assert found["r2"]["value"] > 0.9
    with load(out, engine="tiny-cpu-fp32") as model:
        answer = model({name: later[:, place] for place, name in enumerate(COLUMNS)})
        assert list(answer) == list(COLUMNS)
        assert model(later) == answer
        with torch.no_grad():
            last = network(torch.tensor((later[None, -CONTEXT:] - mean) / std, dtype=torch.float32))[0].double()
        assert np.allclose(np.array(list(answer.values())).T, last.numpy() * std + mean, rtol=1e-4)
        assert len(model([later, later[:-1]])) == 2
    told = command("run", out, data / "after.csv")
    assert told.code == 0, told.err
    assert [line.split()[0] for line in told.out.splitlines()] == list(COLUMNS)
    told = command("run", out, json.dumps(later.tolist()), "--json", "--engine", "tiny-cpu-fp32")
    assert json.loads(told.out)["answers"][0]["forecast"] == answer
    told = command("bench", out, "--data", data / "after.csv", "--json", *QUICK)
    measured = json.loads(told.out)["engines"][0]["accuracy"]["metrics"]
    assert measured["mase"]["value"] == pytest.approx(found["mase"]["value"])
    command.refuses("run", out, "[1, 2, 3]", says=["takes a series of numbers, [values, 2]; found [3]"])
    command.refuses("run", out, "later.csv", says=["'later.csv' is neither a .csv, .tsv or .npy file"])
    command.refuses("run", out, says=["No input was given; this model takes a series"])


@pytest.mark.parametrize("family", ["patchtst", pytest.param("patchtsmixer", marks=pytest.mark.slow)])
def test_a_checkpoint_answers_as_transformers(command: Command, data: Path, tmp_path: Path, family: str) -> None:
    source = tiny_forecasters.write_checkpoint(tmp_path / family, family)
    tiny_forecasters.write_settings(source, columns=COLUMNS, season=SEASON)
    out = command.folder / f"{family}.ortpackage"
    fixed = ("--target", command.target, "-o", out, *QUICK, "--accept-baseline", "-q", "--json")
    done = command("build", source, "--evaluation", data / "after.csv", *fixed)
    assert done.code == 0, done.err
    package = Package.open(out)
    assert package.manifest.task == "time-series-forecasting"
    assert any("was split in the order of time" in one for one in package.evidence("tiny")["warnings"])
    kind: Any = getattr(transformers, f"{tiny_forecasters.FAMILIES[family][0]}ForPrediction")
    network = kind.from_pretrained(source).eval()
    values = tiny_forecasters.series(120, seed=3)
    with torch.no_grad():
        past = torch.tensor(values[None, -CONTEXT:], dtype=torch.float32)
        expected = network(past_values=past).prediction_outputs[0].numpy()
    with load(out, engine="tiny-cpu-fp32") as model:
        found = model(values)
        assert np.allclose(np.array(list(found.values())).T, expected, rtol=1e-3, atol=1e-4)
        several = model([values, values[:-5]], batch_size=2)
        assert np.allclose(list(several[0].values()), list(found.values()), rtol=1e-3)


def test_a_module_says_its_horizon(
    command: Command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
import torch

class Last(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.keep = torch.nn.Parameter(torch.ones(()))

    def forward(self, history):
        return history[:, -4:] * self.keep

def last():
    return Last(), torch.zeros(2, 8, 2), {"horizon": 4, "columns": ["load", "wind"], "targets": ["load", "wind"]}

def bare():
    return Last(), torch.zeros(2, 8, 2)
"""
    (tmp_path / "own_forecasters.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    out = command.folder / "last.ortpackage"
    parts = (*TASK, "--evaluation", data / "after.csv", "--target", command.target, "-o", out, *QUICK, "-q")
    done = command("build", "own_forecasters:last", *parts, "--accept-baseline")
    assert done.code == 0, done.err
    with load(out, engine="tiny-cpu-fp32") as model:
        assert model(np.arange(20.0).reshape(10, 2)) == {"load": [12, 14, 16, 18], "wind": [13, 15, 17, 19]}
    command.refuses_build("own_forecasters:bare", *TASK, says=["how many values the module forecasts", "'horizon': 24"])


def test_sources_that_are_refused(command: Command, data: Path, tmp_path: Path) -> None:
    def config(**values: object) -> Path:
        (tmp_path / "checkpoint").mkdir(exist_ok=True)
        (tmp_path / "checkpoint" / "config.json").write_text(json.dumps(values), encoding="utf-8")
        (tmp_path / "checkpoint" / "model.safetensors").write_bytes(b"")
        return tmp_path / "checkpoint"

    sizes = {"model_type": "patchtst", "context_length": 8, "prediction_length": 2}
    drawn = config(architectures=["InformerForPrediction"], model_type="informer")
    command.refuses_build(drawn, says=["draws its forecasts from a distribution", "Supported: PatchTSTForPrediction"])
    told = config(architectures=["PatchTSTForPrediction"], loss="nll", **sizes)
    command.refuses_build(told, says=["trained with the loss 'nll'", "loss='mse'"])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"columns": ["load"]}, ["forecast.json names 1 columns; the model takes 2"]),
        ({"columns": ["load", "wind"], "targets": ["wind"]}, ["gives 2 columns; 1 are forecast by the settings"]),
        ({"columns": ["load", "wind"], "targets": ["sun"]}, ["the target 'sun' is not a column"]),
        ({"mean": [1.0]}, ["mean has 1 numbers for 2 columns"]),
        ({"colums": []}, ["unknown key 'colums'", "columns"]),
        ({"season": 0}, ["season is 0; it must be at least 1"]),
        ({}, ["has 3 columns, month, load, wind; the model takes 2", "Leave out the others"]),
    ],
)
def test_settings_that_do_not_fit(
    command: Command, data: Path, tmp_path: Path, settings: dict[str, object], says: list[str]
) -> None:
    graph = tiny_forecasters.write_graph(tmp_path / "graph", tiny_forecasters.series(120), settings=False)
    tiny_forecasters.write_settings(graph.parent, **settings)
    command.refuses_build(graph, *TASK, "--evaluation", data / "after.csv", says=says)


def test_graphs_that_do_not_fit(command: Command, data: Path, tmp_path: Path) -> None:
    def graph(inputs: dict[str, list[Any]], output: list[Any]) -> Path:
        values = [
            ir.Value(name=name, shape=ir.Shape(shape), type=ir.TensorType(ir.DataType.FLOAT))
            for name, shape in inputs.items()
        ]
        node = ir.node("Identity", values[:1])
        made = node.outputs[0]
        made.name, made.shape, made.type = "y", ir.Shape(output), ir.TensorType(ir.DataType.FLOAT)
        whole = ir.Graph(values, [made], nodes=[node], opset_imports={"": 17}, name="forecaster")
        ir.save(ir.Model(whole, ir_version=8), tmp_path / "model.onnx")
        return tmp_path / "model.onnx"

    more = (*TASK, "--evaluation", data / "after.csv")
    two = graph({"x": ["n", 8, 2], "mask": ["n", 8, 2]}, ["n", 8, 2])
    command.refuses_build(two, *more, says=["a graph takes one input; this one has x, mask"])
    free = graph({"x": ["n", "steps", 2]}, ["n", "steps", 2])
    command.refuses_build(free, *more, says=["nothing says how many values the model takes", "'context': 24"])
    deep = graph({"x": ["n", 2, 8, 2]}, ["n", 2, 8, 2])
    command.refuses_build(deep, *more, says=["float32 of the shape [samples, values, columns]", "without --task"])
