"""Several samples in one run: the answers of one by one, whatever sizes they have, and one by one where need be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_images
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_runtime import Model, load
from edgewright_runtime.errors import SampleError
from edgewright_runtime.graph import Graph
from tiny_targets import candidate_text, recipe_text, write_target


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, sources: Path) -> Path:
    """A classifier of pictures with all engines: do not write into it."""
    folder = tmp_path_factory.mktemp("batches")
    source = tiny_images.write_onnx(folder / "source")
    dynamic = (recipe_text("dynamic", method="dynamic"), candidate_text("cpu-int8-dynamic", "dynamic", "int8-dynamic"))
    target = write_target(folder / "tiny.toml", *dynamic)
    data = tiny_images.write_pictures(folder / "pictures", each=1)
    output = folder / "out.ortpackage"
    settings: dict[str, Any] = {"task": "image-classification", "labels": tiny_images.LABELS, "calibration": data}
    (job,) = read_jobs(str(source), BuildOptions(output=output, targets=(str(target),), **settings))
    draft_package(job, output, StageCache(), Quiet())
    return output


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many samples each run of a graph has had."""
    found: list[int] = []
    infer = Graph.infer

    def counted(graph: Graph, feeds: dict[str, Any]) -> dict[str, Any]:
        found.append(len(next(iter(feeds.values()))))
        return infer(graph, feeds)

    monkeypatch.setattr(Graph, "infer", counted)
    return found


def pictures() -> list[Any]:
    """Seven of different sizes; what the graph is given of them is of one."""
    random = np.random.default_rng(3)
    return [random.integers(0, 255, (*random.integers(30, 70, 2), 3)).astype(np.uint8) for _ in range(7)]


def same(model: Model, samples: list[Any], size: int) -> None:
    alone = model(samples, top_k=3)
    together = model(samples, top_k=3, batch_size=size)
    for one, other in zip(alone, together, strict=True):
        assert [entry["label"] for entry in one] == [entry["label"] for entry in other]
        assert [entry["score"] for entry in one] == pytest.approx([entry["score"] for entry in other], abs=1e-5)


@pytest.mark.parametrize("engine", ["fp32", "int8"])
def test_pictures_go_through_together(package: Path, runs: list[int], engine: str) -> None:
    with load(package, engine=f"tiny-cpu-{engine}") as model:
        same(model, pictures(), 5)
        assert runs == [1] * 7 + [5, 2]
        for size in (0, 1.5, "8"):
            with pytest.raises(SampleError, match="take 1 or more samples per call"):
                model(pictures(), batch_size=size)
        assert model([], batch_size=4) == []


def test_ranges_that_are_found_at_run_time_are_found_for_each_picture(package: Path, runs: list[int]) -> None:
    with load(package, engine="tiny-cpu-int8-dynamic") as model:
        same(model, pictures(), 7)
    assert runs == [1] * 14


def test_texts_of_one_length_go_through_together(built_text: Path, runs: list[int]) -> None:
    texts = ["turn on the light", "what time is it", "the light", "play", "the light is on", "turn on the light"]
    with load(built_text, engine="tiny-cpu-fp32") as model:
        lengths = Counter(len(model.run(text)["encoding"]) for text in texts)
        assert 1 < len(lengths) < len(texts)
        runs.clear()
        same(model, texts, 6)
        assert sorted(runs[6:]) == sorted(lengths.values())


def test_named_arrays_are_answered_one_by_one(built_arrays: Path) -> None:
    """Nobody said that their first axis is that of samples."""
    with load(built_arrays) as model, pytest.raises(SampleError, match="take one sample per call, not 2"):
        model([{}, {}], batch_size=2)


def test_a_graph_that_declares_more_than_it_can_is_asked_once(
    package: Path, runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Graph, "batchable", True)
    with load(package, engine="tiny-cpu-fp32") as model:
        session = model._engine.graph("model").session

        class OfOneRow:
            """As graphs in which a one was written down where the number of samples belongs."""

            def run(self, names: Any, feeds: dict[str, Any]) -> Any:
                outputs = session.run(names, feeds)
                return [output[:1] for output in outputs]

        model._engine.graph("model").session = OfOneRow()
        same(model, pictures(), 4)
    assert runs == [1] * 7 + [4] + [1] * 7
