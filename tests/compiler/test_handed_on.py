"""Predictions handed on: an engine of an earlier measurement answers a part of its samples again, and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from doubles import QUICK_METER, Recording, recorded_times, stand_in_emulator
from edgewright_benchmarks.devices.engine_worker import Place
from edgewright_benchmarks.measuring.emulated_answers import answer_engines
from edgewright_benchmarks.measuring.meter import read_engines
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.parallel import answers_in_parallel
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.predictions import Prediction, same_bits
from edgewright_benchmarks.result import Result
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.building.search_bound import SearchBound
from edgewright_compiler.search import tries
from edgewright_runtime import Package
from tiny_models import write_arrays
from tiny_targets import candidate_text, recipe_text, write_target

# Of so many a part of 64 is answered again: both ends, and not the third.
SAMPLES = [{"pixels": row[None]} for row in np.random.default_rng(4).normal(size=(100, 8)).astype(np.float32)]
LAST, THIRD = len(SAMPLES) - 1, 2


def readings(package: Path, earlier: dict[str, Readings], *, emulated: bool) -> tuple[str, Readings, Recording]:
    name, progress = Package.open(package).manifest.order[-1], Recording()
    if emulated:
        found = answer_engines(package, {name: Place()}, SAMPLES, "there", progress, earlier)
    else:
        settings = MeterSettings(rounds=1, calls=4, loads=1)
        found, _ = read_engines(package, [name], SAMPLES, settings, progress, earlier=earlier)
    return name, found[name], progress


@pytest.mark.parametrize("emulated", [False, True])
def test_most_samples_are_not_answered_again(built_arrays: Path, emulated: bool) -> None:
    name, first, _ = readings(built_arrays, {}, emulated=emulated)
    assert first.compared == 0
    marked = Prediction({"mark": np.zeros(1)})
    known = [*first.predictions[:THIRD], marked, *first.predictions[THIRD + 1 :]]
    _, again, progress = readings(built_arrays, {name: replace(first, predictions=tuple(known))}, emulated=emulated)
    assert again.failure is None
    assert again.predictions[THIRD] is marked
    assert (again.compared, again.same_as) == (64, "")
    assert f"{name}: answering" not in progress.titles
    # What is timed is timed anew.
    assert len(again.rounds) == (0 if emulated else 1)


@pytest.mark.parametrize("emulated", [False, True])
def test_one_other_bit_and_all_are_answered(built_arrays: Path, emulated: bool) -> None:
    name, first, _ = readings(built_arrays, {}, emulated=emulated)
    outputs = {key: np.nextafter(array, array.dtype.type(9)) for key, array in first.predictions[LAST].outputs.items()}
    marked = Prediction({"mark": np.zeros(1)})
    known = (*first.predictions[:THIRD], marked, *first.predictions[THIRD + 1 : LAST], Prediction(outputs))
    _, again, _ = readings(built_arrays, {name: replace(first, predictions=known)}, emulated=emulated)
    assert again.compared == 0
    assert len(again.predictions) == len(SAMPLES)
    assert all(same_bits(one, other) for one, other in zip(again.predictions, first.predictions, strict=True))


def test_a_search_lets_the_float_engine_answer_each_sample_once(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once on the samples that guide and once on those that prove, however many batches there are."""
    faster = defaultdict(lambda: (1e-3,), {"tiny-cpu-fp32": (4e-3,), "tiny-cpu-int8": (3e-3,)})
    recorded_times(monkeypatch, faster)
    progress = Recording()
    result = searched(sources, tmp_path, write_target(tmp_path / "tiny.toml", *more()), progress)
    proven = [engine for engine in result.engines if engine.accuracy is not None]
    assert len(proven) >= 4
    batches = sum(note.startswith("Measuring ") for note in progress.notes)
    # Each is on many samples, but for the last one, which times the winner anew on 64.
    assert batches > 3
    assert progress.titles.count("tiny-cpu-fp32: answering") == 3


def test_an_emulated_search_does_so_too(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_emulator(monkeypatch)
    answered: list[tuple[str, int]] = []

    def noted(place: Place, package: Path, engine: str, samples: Sequence[Any], *more: Any) -> Any:
        answered.append((engine, len(samples)))
        return answers_in_parallel(place, package, engine, samples, *more)

    monkeypatch.setattr("edgewright_benchmarks.measuring.emulated_answers.answers_in_parallel", noted)
    # More samples than are answered again.
    monkeypatch.setattr(tries, "_FEWEST", 80)
    settings = {"rung": "emulated", "machine_model": "No such board", "emulated_cpu": "max"}
    board = write_target(tmp_path / "board.toml", *more(), **settings)
    result = searched(sources, tmp_path, board, Recording())
    assert result.search is not None
    assert result.search.tried
    # In the emulator and, to compare, here. Of the samples that guide it answers a part in the second batch.
    assert answered.count(("board-cpu-fp32", 100)) == 2
    assert answered.count(("board-cpu-fp32", 80)) == 2
    assert answered.count(("board-cpu-fp32", 64)) == 1
    assert all(engine.native is not None for engine in result.engines if engine.accuracy is not None)


def more() -> list[str]:
    """Candidates for searches: a batch of three, and one."""
    tables = []
    for name, per_channel, symmetric in (("a", True, True), ("b", False, False), ("c", False, True)):
        tables.append(recipe_text(name, method="static", per_channel=per_channel, activation_symmetric=symmetric))
        tables.append(candidate_text(f"cpu-{name}", name, search_only=True))
    tables.append(recipe_text("d", method="dynamic"))
    tables.append(candidate_text("cpu-d", "d", search_only=True))
    return tables


def searched(sources: Path, folder: Path, target: Path, progress: Recording) -> Result:
    random = np.random.default_rng(1)
    options = BuildOptions(
        output=folder / "p",
        targets=(str(target),),
        calibration=write_arrays(folder / "guide.npz", pixels=random.normal(size=(90, 8)).astype(np.float32)),
        evaluation=write_arrays(folder / "proof.npz", pixels=random.normal(size=(100, 8)).astype(np.float32)),
        max_drop=0.5,
        search=SearchBound(engines=5),
        meter=QUICK_METER,
    )
    return build(str(sources / "perceptron.onnx"), options, progress=progress).result
