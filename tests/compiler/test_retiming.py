"""The winner of a search is timed anew; what is not as fast there does not ship, and the next engine is timed."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from doubles import QUICK_METER, Recording, recorded_times
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.result import Result
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.building.search_bound import SearchBound
from edgewright_compiler.search import retiming
from tiny_models import write_arrays
from tiny_targets import candidate_text, recipe_text, write_target

TIMES = {"tiny-cpu-fp32": (3e-3,), "tiny-cpu-int8": (1e-3,), "tiny-cpu-dynamic": (2e-3,)}


def searched(sources: Path, folder: Path, anew: dict[str, float], times: dict[str, Any]) -> tuple[Result, Recording]:
    """A search of one engine more; its winners take so many times the baseline's latency when they are timed anew."""
    # Other samples in each test: readings are kept.
    random, progress, timed = np.random.default_rng(len(anew)), Recording(), list(anew.values())
    for name, count in (("guide", 40), ("proof", 120)):
        write_arrays(folder / f"{name}.npz", pixels=random.normal(size=(count, 8)).astype(np.float32))
    more = recipe_text("int8-dynamic", method="dynamic"), candidate_text("cpu-dynamic", "int8-dynamic")
    options = BuildOptions(
        output=folder / "p",
        targets=(str(write_target(folder / "tiny.toml", *more)),),
        calibration=folder / "guide.npz",
        evaluation=folder / "proof.npz",
        max_drop=0.2,
        meter=QUICK_METER,
        search=SearchBound(engines=1),
    )

    def ratio(*_: object, confidence: float) -> Interval:
        value = timed.pop(0)
        return Interval(value, value - 0.01, value + 0.01, confidence)

    with pytest.MonkeyPatch.context() as patch:
        # An engine that the search makes of its own is as slow as float.
        recorded_times(patch, defaultdict(lambda: (3e-3,), times))
        patch.setattr(retiming, "latency_ratio", ratio)
        result = build(str(sources / "perceptron.onnx"), options, progress=progress).result
    assert not timed
    return result, progress


def test_the_next_one_ships_where_the_winner_is_not_as_fast(sources: Path, shared_cache: Path, tmp_path: Path) -> None:
    result, progress = searched(sources, tmp_path, {"cpu-int8": 1.02, "cpu-dynamic": 0.7}, TIMES)
    assert [note for note in progress.notes if note.startswith("Timing")] == [
        "Timing tiny-cpu-int8 anew against the float engine.",
        "Timing tiny-cpu-dynamic anew against the float engine.",
    ]
    assert result.chosen == "tiny-cpu-dynamic"
    assert "Timed anew, it takes 0.70 times the baseline latency (95 % interval 0.69 to 0.71)." in result.reason
    refused = result.engine("tiny-cpu-int8")
    assert refused.status == "refused"
    assert refused.reasons[-1] == (
        "Refused: timed anew, it is not shown to be as fast as the baseline. It takes 1.02 times the baseline latency "
        "(95 % interval 1.01 to 1.03); in the search it took 0.33 times the baseline latency (95 % interval "
        "0.33 to 0.34)."
    )
    assert result.search is not None
    assert result.search.path[-1] == "tiny-cpu-dynamic"


def test_float_ships_where_none_is(sources: Path, shared_cache: Path, tmp_path: Path) -> None:
    result, _ = searched(sources, tmp_path, {"cpu-int8": 1.2, "cpu-dynamic": 1.3}, TIMES)
    assert result.chosen == result.baseline
    # The profile decides whether the search makes an engine of its own, so they are not counted.
    assert "no candidate was accepted" in result.reason
    assert {result.engine(name).status for name in ("tiny-cpu-int8", "tiny-cpu-dynamic")} == {"refused"}


def test_the_baseline_is_not_timed_against_itself(sources: Path, shared_cache: Path, tmp_path: Path) -> None:
    slow = TIMES | {"tiny-cpu-int8": (4e-3,), "tiny-cpu-dynamic": (5e-3,)}
    result, progress = searched(sources, tmp_path, {}, slow)
    assert result.chosen == result.baseline
    assert not [note for note in progress.notes if note.startswith("Timing")]
