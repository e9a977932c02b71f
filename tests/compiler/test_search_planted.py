"""A whole search of a model with planted weak places: the weak layers end in float, the rest in int8.

Costs and times are planted too, for what is slower depends on the machine; `test_search_proposals` has more of that.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_searched
from doubles import recorded_times
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.result import Result
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.building.search_bound import SearchBound
from edgewright_compiler.cache import StageCache
from edgewright_compiler.search import find_facts, node_costs
from tiny_targets import candidate_text, recipe_text, target_text

pytestmark = pytest.mark.slow

ENGINES = 20


def searched(model: Path, shape: tuple[int, ...], max_drop: float) -> Result:
    folder = model.parent
    random = np.random.default_rng(5)
    for name, count in (("guide", 32), ("proof", 120)):
        np.savez(folder / f"{name}.npz", x=random.normal(size=(count, *shape)).astype(np.float32))
    target = folder / "planted.toml"
    operators = ["Conv", "ConvTranspose", "Gemm", "MatMul"]
    tables = (
        recipe_text("fp32", method="float"),
        recipe_text("int8", method="static", operators=operators),
        candidate_text("cpu-fp32", "fp32"),
        candidate_text("cpu-int8", "int8"),
    )
    target.write_text(target_text(*tables), encoding="utf-8")
    options = BuildOptions(
        output=folder / "p",
        targets=(str(target),),
        calibration=folder / "guide.npz",
        evaluation=folder / "proof.npz",
        max_drop=max_drop,
        search=SearchBound(engines=ENGINES),
        meter=MeterSettings(rounds=7, loads=1, threads=1),
    )
    return build(str(model), options, cache=StageCache(folder / "cache")).result


def tried_names(result: Result) -> list[str]:
    assert result.search is not None
    return [one.name for one in result.search.tried]


@pytest.fixture
def twice_as_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every layer takes half its time in int8, however busy this machine is; graphs are profiled and timed as ever."""
    costs = node_costs.costs

    def planted(*arguments: Any) -> node_costs.Costs:
        found = costs(*arguments)
        count = len(found.groups)
        assert count
        halves = dict.fromkeys(found.groups, (2e-4, 1e-4))
        return replace(found, groups=halves, float_seconds=2e-4 * count, low_seconds=1e-4 * count, borders=())

    monkeypatch.setattr(find_facts, "costs", planted)
    recorded_times(monkeypatch, defaultdict(lambda: (1e-3,), {"planted-cpu-fp32": (2e-3,)}))


@pytest.mark.usefixtures("twice_as_fast")
def test_three_ruined_layers_end_in_float(tmp_path: Path) -> None:
    model = tiny_searched.write_ruined(tmp_path / "ruined.onnx", width=256, rows=32)
    result = searched(model, (32, 256), 0.03)
    assert result.search is not None
    assert len(result.search.tried) < ENGINES
    assert result.search.ended == "finished"
    nodes = {node.node for node in result.search.float_nodes}
    assert set(tiny_searched.RUINED) <= nodes
    chosen = result.engine(result.chosen)
    # One benign layer may stay in float with them, but not many do.
    assert chosen.low_precision.get("MatMul", 0) >= len(tiny_searched.LAYERS) - len(tiny_searched.RUINED) - 1
    assert chosen.status == "accepted"
    assert {node.reason for node in result.search.float_nodes if node.node in tiny_searched.RUINED} == {"accuracy"}
    assert result.search.path[0] == "planted-cpu-int8"
    assert result.search.path[-1] == result.chosen
    assert result.chosen in tried_names(result)
