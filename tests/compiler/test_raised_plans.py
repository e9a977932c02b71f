"""A search for a GPU that is not here: int8 that loses too much gets layers in float16, and the device judges it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgewright_compiler.graphs.precision_difference import PrecisionDifference
from edgewright_compiler.search import plans
from edgewright_compiler.search.facts import Facts, Group, GroupFacts
from edgewright_targets import Candidate, load_target

LAYERS = ("a", "b", "c", "d", "e", "f")
# Each changes one prediction of a hundred by itself; these ten.
RUINED = ("b", "e")
INT8 = next(one for one in load_target("rtx-40").candidates if one.name == "tensorrt-int8")


class Planted:
    """In the place of graphs: what is in float16 decides what is changed."""

    def __init__(self) -> None:
        self.made: list[tuple[str, ...]] = []

    def quantized(self, candidate: Candidate) -> Any:
        self.made.append(candidate.recipe.excluded_nodes)
        return SimpleNamespace(folders={"model": Path("/".join(candidate.recipe.excluded_nodes) or "none")})


def changed(graphs: Planted, folders: dict[str, Path]) -> PrecisionDifference:
    low = set(LAYERS) - set(graphs.made[-1])
    count = sum(10 if name in RUINED else 1 for name in low)
    return PrecisionDifference(largest=count / 10, changed=count, samples=100)


def facts(candidate: Candidate) -> Facts:
    assert candidate.recipe.float_type == "float32"
    return Facts(
        candidate=candidate.name,
        groups=tuple(
            GroupFacts(
                group=Group(name=name, component="model", nodes=(name,), operators=("Conv",)),
                error=0.5 if name in RUINED else 0.01,
                operations=100.0,
            )
            for name in LAYERS
        ),
    )


def test_the_fewest_layers_are_raised_that_bring_it_within_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "precision_change", changed)
    graphs: Any = Planted()
    found = plans.raised_plan(graphs, INT8, facts, 0.05)
    assert found is not None
    assert set(found.candidate.recipe.excluded_nodes) == set(RUINED)
    assert (found.candidate.name, found.candidate.precision) == ("tensorrt-int8-s01", "int8-mixed")
    assert found.candidate.recipe.float_type == "float16"
    assert "2 of 6 layers in float16 that change the outputs most for their operations: b, e." in found.why
    # Halving, not one by one.
    assert len(graphs.made) <= 5


def test_int8_within_the_budget_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "precision_change", changed)
    graphs: Any = Planted()
    assert plans.raised_plan(graphs, INT8, facts, 0.5) is None
    assert graphs.made == [()]


def test_only_plans_in_int8_and_float16_that_failed_are_raised() -> None:
    candidates = load_target("rtx-40").candidates
    names = [one.name for one in candidates]
    assert [one.name for one in plans.plans_to_raise(candidates, names)] == ["tensorrt-int8"]
    assert plans.plans_to_raise(candidates, ()) == []
    snapdragon = load_target("snapdragon-8-gen-3").candidates
    assert plans.plans_to_raise(snapdragon, [one.name for one in snapdragon]) == []
