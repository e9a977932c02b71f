"""The same input arrays for every engine, and what the outputs of a peer come to by our metric.

A row's package makes the feeds: the steps before its graph. Outputs of a peer go through the steps behind the graph in
its place, so that boxes, masks and labels are read from them as from our own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from edgewright_benchmarks.accuracy._scoring import Scoring
from edgewright_benchmarks.data import Dataset, read_dataset
from edgewright_benchmarks.engine_result import Accuracy
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime import Package
from edgewright_runtime.engine import Engine
from edgewright_runtime.manifest import COMPONENT
from edgewright_runtime.model import EngineInfo, Model
from edgewright_runtime.probe import Probe
from edgewright_runtime.samples import pack_answer
from edgewright_targets import InputError

_FOLDER_KEY = "session.model_external_initializers_file_folder_path"
Outputs = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class _Recorded:
    """In the place of a graph: gives what is laid into `outputs`."""

    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    outputs: dict[str, Any]
    fixed_length: Callable[[Sequence[str]], int | None]
    batchable: bool = False

    def infer(self, _feeds: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.outputs)


class _Answered(Engine):
    """An engine whose graph answers what it is told to."""

    recorded: _Recorded

    def graph(self, _component: str, /) -> Any:
        return self.recorded


class Steps:
    """The steps of a package around the graph of an engine.

    Args:
        package: The package.
        engine: Name of the engine; by default the float baseline.

    Raises:
        InputError: The model has several graphs, or a loop, so that one call of a graph is not an answer.
    """

    def __init__(self, package: Package, engine: str | None = None) -> None:
        self.package = package
        spec = package.manifest.engines[engine or package.manifest.baselines[package.targets[0]]]
        steps = [step.step for step in package.manifest.pipeline.steps]
        if set(spec.parts) != {COMPONENT} or "infer" not in steps:
            parts = ", ".join(sorted(spec.parts))
            raise InputError(f"The model is not one graph that is called once (its parts: {parts}).")
        answered = _Answered(package, spec)
        answered.activate()
        graph = Engine.graph(answered, COMPONENT)
        answered.recorded = _Recorded(graph.input_names, graph.output_names, {}, answered.fixed_length)
        self._recorded = answered.recorded
        info = EngineInfo(
            name=spec.name,
            target=spec.target,
            provider=spec.provider,
            precision=spec.precision,
            threads=answered.threads,
            nodes=answered.nodes,
            reason="",
            passed_over=(),
        )
        self._probe = Probe(Model(package, answered, info))

    def write_feeds(self, samples: Sequence[Any], folder: Path) -> None:
        """The feeds of each sample as `0.npz`, `1.npz`, ... in a new folder."""
        folder.mkdir(parents=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for index, sample in enumerate(samples):
                feeds: dict[str, Any] = dict(self._probe.feeds(sample))
                np.savez(folder / f"{index}.npz", **feeds)

    def predictions(self, samples: Sequence[Any], outputs: Outputs) -> list[Prediction]:
        """What a person would get of each sample, from the outputs of a graph.

        Raises:
            InputError: A peer's graph gives fewer outputs than ours.
        """
        pipeline = self.package.manifest.pipeline
        names = self._recorded.output_names
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for sample, values in zip(samples, outputs, strict=True):
                if len(values) < len(names):
                    raise InputError(f"The graph gives {len(values)} outputs; the model has {len(names)}.")
                self._recorded.outputs.update(zip(names, values, strict=False))
                named = self._probe.values_for_comparison(sample)
                packed = None
                if pipeline.output not in ("labels", "*"):
                    packed = pack_answer(named[pipeline.measured.answer if pipeline.measured else pipeline.output])
                found.append(Prediction(dict(named["outputs"]), packed))
        return found


def read_data(package: Package, path: str | None, most: int) -> Dataset:
    """Samples of a table or a folder, drawn from all of it where there are more than `most`.

    Raises:
        InputError: They cannot be read, or there are none.
    """
    if path is None:
        raise InputError("The row has no such data.")
    manifest = package.manifest
    found = read_dataset(
        path, task=manifest.task, input_name=manifest.pipeline.input, class_names=manifest.labels, most=most
    )
    return found.part(most)


def class_numbers(package: Package, data: Dataset) -> list[int] | None:
    """The right class of each sample by its number; None where the ground truth is something else."""
    labels = package.manifest.labels
    if data.labels is None or not labels or not all(isinstance(one, str) and one in labels for one in data.labels):
        numbers = data.labels is not None and all(isinstance(one, (int, np.integer)) for one in data.labels)
        return [int(one) for one in data.labels or ()] if numbers else None
    return [labels.index(one) for one in data.labels]


def accuracy(
    package: Package, data: Dataset, baseline: Sequence[Prediction], found: Sequence[Prediction], max_drop: float
) -> Accuracy:
    """By the metric of the task, against the float engine on the same samples."""
    metric = find_task(package.manifest.task).metric(labelled=data.labels is not None)
    return Scoring(metric, data.labels, baseline, max_drop=max_drop).of(found)


def write_float_graph(package: Package, engine: str, path: Path) -> None:
    """The float graph as one ONNX file with its weights inside, which is what other tools take."""
    part = package.manifest.engines[engine].parts[COMPONENT]
    model = onnx.load(package.file(part.model_file), load_external_data=False)
    folder = part.session_options.get(_FOLDER_KEY)
    where = package.resolve(folder) if folder else str(package.file(part.model_file).parent)
    onnx.load_external_data_for_model(model, where)
    onnx.save(model, path)


def read_outputs(file: Path, count: int) -> list[list[Any]]:
    """Outputs of each sample as `worker.py` writes them."""
    with np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    places = 1 + max(int(name.partition("/")[2]) for name in arrays)
    return [[arrays[f"{index}/{place}"] for place in range(places)] for index in range(count)]
