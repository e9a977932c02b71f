"""Copies of a package with something planted: texts that are padded further, one thread less, a loss of one point."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from _package import running_engine
from _planted_nodes import PlantedNodes, put_behind_scores
from edgewright_benchmarks.bench import read_samples
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_runtime import Package, load
from edgewright_runtime.probe import Probe
from edgewright_targets import InputError, host_facts

# Texts are padded to a multiple of so many tokens: intents have about ten.
PADDING = 32
# Samples are told apart by the sum of their tokens modulo this; the loss is that of samples with some of the rests.
_MODULUS = 997


def padded(package: Path, copy: Path) -> Path:
    """A copy whose engines pad texts further: a session that is slower, with the same predictions."""
    if not _rewritten(package, copy, "pad_to_multiple_of", lambda _: PADDING):
        raise InputError(f"'{package}' has no engine that pads texts.", hint="Pass the package of a text classifier.")
    return copy


def with_threads(package: Path, copy: Path, threads: int) -> Path:
    """A copy whose engines have so many threads."""
    if threads < 1:
        raise InputError(
            "This machine has one core, so a session cannot have one thread less than cores.",
            hint="Leave it out: --only equal padding loss.",
        )
    if not _rewritten(package, copy, "intra_op_num_threads", lambda _: str(threads)):
        raise InputError(f"'{package}' has no engine that says its threads.")
    return copy


def cores() -> int:
    """Physical cores of this machine."""
    return host_facts().cores


def losing(package: Path, copy: Path, data: Path, *, points: float, seed: int) -> tuple[Path, float]:
    """A copy whose running engine turns its scores around for some of the samples; and the share of these samples.

    The graph itself knows them, by the sum of their tokens: to whoever calls it, it is a worse model of the same speed.

    Args:
        package: Of a text classifier.
        copy: The folder that is made.
        data: The samples that the loss is planted on.
        points: About how many percentage points of the samples.
        seed: Decides which samples.
    """
    opened = Package.open(package)
    running = running_engine(opened)
    samples = read_samples(opened, data, MeterSettings()).samples
    with load(opened, engine=running.name) as model:
        probe = Probe(model)
        sums = np.array([int(probe.feeds(sample)["input_ids"].sum()) % _MODULUS for sample in samples])
    rests: list[int] = []
    for rest in np.random.default_rng(seed).permutation(np.unique(sums)).tolist():
        # Many samples may share a sum; of those that would be far too many, none is taken.
        if 100 * float(np.isin(sums, [*rests, rest]).mean()) <= 1.2 * points:
            rests.append(rest)
        if 100 * float(np.isin(sums, rests).mean()) >= points:
            break
    share = float(np.isin(sums, rests).mean())
    if 100 * share < points / 2:
        raise InputError(
            f"A loss of {points:g} points cannot be planted on {len(samples):,} samples.",
            hint="Pass --data with some thousand texts, or leave it out: --only equal padding thread.",
        )
    shutil.copytree(package, copy)
    graph = Package.open(copy).file(opened.manifest.engines[running.name].parts["model"].model_file)
    _turn_around(Path(graph), rests)
    return copy, share


def _turn_around(path: Path, rests: list[int]) -> None:
    """Put nodes behind the scores of a graph that negate them where the sum of tokens has one of the rests."""
    import onnx_ir as ir

    def change(make: PlantedNodes, tokens: Any, scores: Any) -> Any:
        axis = make.constant("axis", np.array([1], np.int64))
        total = make.step("ReduceSum", [tokens, axis], "sum")
        rest = make.step("Mod", [total, make.constant("modulus", np.array([_MODULUS]))], "rest")
        equal = make.step("Equal", [rest, make.constant("rests", np.array([rests]))], "equal")
        hit = make.step("ReduceSum", [make.step("Cast", [equal], "counts", to=ir.DataType.FLOAT), axis], "hit")
        twice = make.step("Mul", [hit, make.constant("minus_two", np.array([-2], np.float32))], "twice")
        sign = make.step("Add", [twice, make.constant("one", np.array([1], np.float32))], "sign")
        return make.step("Mul", [scores, sign], "turned")

    put_behind_scores(path, "planted", change)


def _rewritten(package: Path, copy: Path, key: str, value: Callable[[Any], Any]) -> int:
    """Copy a package and set a key wherever its JSON has it; how often it has it."""
    shutil.copytree(package, copy)
    changed = 0
    for path in copy.rglob("*.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        found = _set(data, key, value)
        if found:
            path.write_text(json.dumps(data), encoding="utf-8")
        changed += found
    return changed


def _set(data: Any, key: str, value: Callable[[Any], Any]) -> int:
    if isinstance(data, list):
        return sum(_set(one, key, value) for one in data)
    if not isinstance(data, dict):
        return 0
    found = sum(_set(one, key, value) for one in data.values())
    if key in data:
        data[key] = value(data[key])
        found += 1
    return found
