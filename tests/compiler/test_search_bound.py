"""How far a search goes, as `--search` says it, and which candidates only a search tries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgewright_compiler import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.search_bound import SearchBound, search_bound
from edgewright_compiler.search.budget import SearchBudget, SpentError, Work
from edgewright_targets import InputError, load_target
from tiny_targets import candidate_text, write_target


@pytest.mark.parametrize(
    ("text", "bound", "words"),
    [
        ("10m", SearchBound(seconds=600), "10m"),
        ("90s", SearchBound(seconds=90), "90s"),
        ("1.5h", SearchBound(seconds=5400), "90m"),
        ("2h", SearchBound(seconds=7200), "2h"),
        ("40", SearchBound(engines=40), "40 engines"),
        ("1", SearchBound(engines=1), "1 engine"),
    ],
)
def test_a_bound_is_a_time_or_a_number_of_engines(text: str, bound: SearchBound, words: str) -> None:
    assert search_bound(text) == bound
    assert str(bound) == words


@pytest.mark.parametrize("text", ["abc", "", "10 minutes", "-5m", "1e3s", "m", "4.5", "10M"])
def test_what_is_neither_is_refused_with_both(text: str) -> None:
    with pytest.raises(InputError, match="is not a time or a number of engines") as caught:
        search_bound(text)
    assert "10m" in caught.value.hint
    assert "40" in caught.value.hint


@pytest.mark.parametrize("text", ["0", "0s", "0.0m"])
def test_a_search_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="tries nothing"):
        search_bound(text)


@pytest.mark.parametrize("search", [None, SearchBound(engines=1)])
def test_only_a_search_tries_what_is_for_searches(search: SearchBound | None, sources: Path, tmp_path: Path) -> None:
    target = write_target(tmp_path / "tiny.toml", candidate_text("cpu-more", "int8", search_only=True))
    data = tmp_path / "inputs.npz"
    # As many as can be split into those that guide and those that prove.
    np.savez(data, pixels=np.zeros((32, 8), dtype=np.float32))
    options = BuildOptions(output=tmp_path / "p", targets=(str(target),), calibration=data, search=search)
    (job,) = read_jobs(str(sources / "perceptron.onnx"), options)
    names = [candidate.name for candidate in job.target.candidates]
    assert ("cpu-more" in names) == (search is not None)
    assert "cpu-int8" in names


def test_a_baseline_is_for_every_build(tmp_path: Path) -> None:
    target = write_target(tmp_path / "tiny.toml")
    target.write_text(target.read_text().replace('name = "cpu-fp32"', 'name = "cpu-fp32"\nsearch_only = true', 1))
    with pytest.raises(InputError, match="is for searches only"):
        load_target(str(target))


def test_a_bound_is_shared_and_used_up() -> None:
    assert SearchBound(seconds=600).share(3) == SearchBound(seconds=200)
    assert SearchBound(engines=5).share(2) == SearchBound(engines=3)
    assert SearchBound(engines=5).without(seconds=9.0, engines=3) == SearchBound(engines=2)
    assert SearchBound(seconds=60).without(seconds=90.0, engines=3) == SearchBound(seconds=0.0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.made = 0

    def step(self, budget: SearchBudget, work: Work, seconds: float, *, engines: int = 1, cached: bool = False) -> None:
        assert budget.most(work, engines) == engines
        with budget.step(work, engines):
            self.now += seconds
            self.made += not cached


def test_what_is_in_the_cache_costs_nothing_and_a_proof_is_kept_in_reserve() -> None:
    clock = Clock()
    budget = SearchBudget(SearchBound(seconds=100), lambda: clock.made, 20.0, clock=lambda: clock.now)
    clock.step(budget, "screen", 500.0, cached=True)
    assert budget.seconds == 0
    clock.step(budget, "screen", 30.0)
    assert budget.left() == "70 s left"
    clock.step(budget, "screen", 30.0)
    # 40 s are left: one more engine would leave no time to measure any.
    with pytest.raises(SpentError) as caught:
        budget.most("screen")
    assert caught.value.ended == "time"
    clock.step(budget, "prove", 25.0)
    with pytest.raises(SpentError):
        budget.most("prove")


def test_a_number_of_engines_leaves_their_proofs_free() -> None:
    budget = SearchBudget(SearchBound(engines=2), lambda: 0, 20.0)
    budget.engines = 2
    with pytest.raises(SpentError) as caught:
        budget.most("screen")
    assert caught.value.ended == "engines"
    assert budget.most("prove", 3) == 3


def test_a_step_has_as_many_engines_as_end_in_time() -> None:
    """A proof of three engines measures four, the float one among them: it takes twice as long as that of one."""
    clock = Clock()
    budget = SearchBudget(SearchBound(seconds=100), lambda: clock.made, 20.0, 8.0, clock=lambda: clock.now)
    clock.step(budget, "screen", 16.0, engines=3)
    # As if one alone had taken 8 s, so that six take 28 s, beside the 20 s of a proof and the 8 s of the end.
    assert budget.most("screen", 6) == 6
    assert budget.most("prove", 9) == 6
    clock.step(budget, "prove", 45.0, engines=2)
    # 39 s are left, and a proof takes 30 s.
    assert budget.most("prove", 6) == 1
    with pytest.raises(SpentError):
        budget.most("screen")


@pytest.mark.parametrize(("bound", "fits"), [(54, False), (55, True)])
def test_steps_are_expected_to_take_what_they_took_in_the_mean(bound: float, fits: bool) -> None:
    """However short the last one was: 13.3 s, where 13 or 14 are left beside the reserve."""
    clock = Clock()
    budget = SearchBudget(SearchBound(seconds=bound), lambda: clock.made, 1.0, clock=lambda: clock.now)
    for seconds in (20.0, 15.0, 5.0):
        clock.step(budget, "facts", seconds)
    if fits:
        assert budget.most("facts") == 1
        return
    with pytest.raises(SpentError):
        budget.most("facts")
