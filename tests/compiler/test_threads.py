"""Threads are a setting of a candidate: the same graph with another number of them costs its timing alone."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from doubles import QUICK_METER, Recording, recorded_times
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.predictions import Prediction
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.package_build import Built
from edgewright_runtime import load
from edgewright_runtime.package import Package
from edgewright_targets.host import host_facts, usable_threads
from tiny_models import write_arrays
from tiny_targets import candidate_text, write_target

# On a machine of one core a build gives engines one thread.
CORES = host_facts().cores
OTHER = 1 if CORES > 1 else 2
MORE = (
    candidate_text("cpu-fp32-other", "fp32", threads=OTHER),
    candidate_text("cpu-int8-other", "int8", threads=OTHER),
)
SAMPLES = 100
# So the float engine with other threads ships.
TIMES = {
    "tiny-cpu-fp32": (2e-3,),
    "tiny-cpu-int8": (3e-3,),
    "tiny-cpu-int8-other": (3e-3,),
    "tiny-cpu-fp32-other": (1e-3,),
}


def options(sources: Path, folder: Path, **others: Any) -> BuildOptions:
    target = write_target(folder / "tiny.toml", *MORE)
    pixels = np.random.default_rng(1).normal(size=(SAMPLES, 8)).astype(np.float32)
    output, data = folder / "perceptron.ortpackage", write_arrays(folder / "inputs.npz", pixels=pixels)
    asked = BuildOptions(output=output, targets=(str(target),), calibration=data, max_drop=0.9, meter=QUICK_METER)
    return dataclasses.replace(asked, **others)


def built_with(sources: Path, folder: Path, answered: list[int]) -> tuple[Built, Recording]:
    """A build, and in `answered` how many samples each engine answered in each request."""
    progress, answer = Recording(), WorkerProcess.answer

    def counted(worker: WorkerProcess, indices: Sequence[int]) -> list[Prediction]:
        answered.append(len(indices))
        return answer(worker, indices)

    with pytest.MonkeyPatch.context() as patch:
        recorded_times(patch, TIMES)
        patch.setattr(WorkerProcess, "answer", counted)
        return build(str(sources / "perceptron.onnx"), options(sources, folder), progress=progress), progress


@pytest.fixture(scope="module")
def built(
    sources: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Built, Recording, list[int]]:
    answered: list[int] = []
    return *built_with(sources, tmp_path_factory.mktemp("threads"), answered), answered


def engines(built: Built) -> dict[str, EngineResult]:
    return {one.name.removeprefix("tiny-"): one for one in built.result.engines}


def test_each_engine_runs_with_its_own_threads(built: tuple[Built, Recording, list[int]]) -> None:
    usable = min(OTHER, usable_threads())
    asked = {"cpu-fp32": CORES, "cpu-int8": CORES, "cpu-fp32-other": usable, "cpu-int8-other": usable}
    assert {name: one.threads for name, one in engines(built[0]).items()} == asked


def test_the_package_says_the_threads_and_the_runtime_uses_them(built: tuple[Built, Recording, list[int]]) -> None:
    package = Package.open(built[0].package)
    assert {name: spec.threads for name, spec in package.manifest.engines.items()} == {
        "tiny-cpu-fp32": CORES,
        "tiny-cpu-fp32-other": OTHER,
    }
    with load(package) as model:
        assert (model.engine.name, model.engine.threads) == ("tiny-cpu-fp32-other", min(OTHER, usable_threads()))
    with load(package, engine="tiny-cpu-fp32") as model:
        assert model.engine.threads == CORES


def test_a_graph_is_quantized_once(built: tuple[Built, Recording, list[int]]) -> None:
    assert sum(note.startswith("Quantized") for note in built[1].notes) == 1


def test_a_part_of_the_samples_is_answered_again(built: tuple[Built, Recording, list[int]]) -> None:
    # Two engines answer all, two answer 64 of them.
    assert sum(built[2]) == 2 * SAMPLES + 2 * 64
    assert not any(title.startswith("tiny-cpu-fp32-other: answering") for title in built[1].titles)


def test_only_the_speed_is_measured_again(built: tuple[Built, Recording, list[int]]) -> None:
    found, names = engines(built[0]), list(engines(built[0]))
    assert names == ["cpu-fp32", "cpu-int8", "cpu-fp32-other", "cpu-int8-other"]
    for name in ("cpu-fp32", "cpu-int8"):
        other = found[f"{name}-other"]
        assert other.accuracy == found[name].accuracy
        assert other.otherwise == found[name].otherwise
        assert f"It is tiny-{name} with other settings of speed." in " ".join(other.reasons)
    # No sample is unlike the baseline's, so none could have shown a drop.
    assert found["cpu-fp32-other"].status == "accepted"


def test_predictions_that_differ_in_a_bit_are_the_engine_s_own(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, answer, load_engine = list[str](), WorkerProcess.answer, WorkerProcess.load

    def loading(worker: WorkerProcess, package: Path, engine: str, *arguments: Any, **more: Any) -> Any:
        loaded.append(engine)
        return load_engine(worker, package, engine, *arguments, **more)

    def otherwise(worker: WorkerProcess, indices: Sequence[int]) -> list[Prediction]:
        found = answer(worker, indices)
        if loaded[-1] != "tiny-cpu-fp32-other":
            return found
        return [
            Prediction({k: np.nextafter(v, np.inf, dtype=v.dtype) for k, v in one.outputs.items()}) for one in found
        ]

    monkeypatch.setattr(WorkerProcess, "answer", otherwise)
    monkeypatch.setattr(WorkerProcess, "load", loading)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = build(str(sources / "perceptron.onnx"), options(sources, tmp_path))
    found = engines(made)
    assert not any("other settings of speed" in text for text in found["cpu-fp32-other"].reasons)
    assert any("other settings of speed" in text for text in found["cpu-int8-other"].reasons)


def test_asked_threads_are_those_of_all_candidates_and_none_is_tried_twice(sources: Path, tmp_path: Path) -> None:
    def candidates(threads: int | None) -> dict[str, int]:
        meter = dataclasses.replace(QUICK_METER, threads=threads)
        (job,) = read_jobs(str(sources / "perceptron.onnx"), options(sources, tmp_path, meter=meter))
        return {one.name: job.threads_of(one) for one in job.target.candidates}

    other = {"cpu-fp32-other": OTHER, "cpu-int8-other": OTHER}
    assert candidates(None) == {"cpu-fp32": CORES, "cpu-int8": CORES, **other}
    assert candidates(3) == {"cpu-fp32": 3, "cpu-int8": 3}
    assert candidates(OTHER) == {"cpu-fp32": OTHER, "cpu-int8": OTHER}


def test_a_candidate_that_differs_in_more_than_threads_is_kept(sources: Path, tmp_path: Path) -> None:
    more = candidate_text("cpu-other", "fp32", threads=OTHER, pad_to_multiple_of=8)
    target = write_target(tmp_path / "more.toml", more)
    meter = dataclasses.replace(QUICK_METER, threads=3)
    asked = options(sources, tmp_path, targets=(str(target),), meter=meter)
    (job,) = read_jobs(str(sources / "perceptron.onnx"), asked)
    assert {one.name: job.threads_of(one) for one in job.target.candidates}["cpu-other"] == 3
