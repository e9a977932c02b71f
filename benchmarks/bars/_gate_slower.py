"""A copy of a package that is slower by a share: its graph does more work, and its predictions stay the same."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from _package import running_engine
from _package_turns import time_packages
from _planted_nodes import PlantedNodes, put_behind_scores
from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_runtime import Package
from edgewright_targets import InputError

# A product of two square matrices of this size takes some microseconds: the steps in which work can be added.
_SIZE = 48
# So many products show what one takes, in rounds that are taken for each of the two measurements.
_TRIED, _ROUNDS = 64, 60


def slowed(package: Path, copy: Path, data: Path, *, share: float) -> tuple[Path, float]:
    """A copy whose running engine takes longer; and how much longer it was when it was made.

    What a product takes is measured on this machine, so nothing may run beside.

    Args:
        package: Of a text classifier.
        copy: The folder that is made.
        data: Samples that are timed.
        share: How much more time, such as 0.05.
    """
    trial = copy.with_name(f"{copy.name}-trial")
    _with_products(package, trial, _TRIED)
    found = time_packages({"package": package, "trial": trial}, data, _ROUNDS)
    shutil.rmtree(trial)
    medians = {name: statistics.median(map(statistics.median, rounds)) for name, rounds in found.items()}
    one = (medians["trial"] - medians["package"]) / _TRIED
    if one <= 0:
        raise InputError("More work took no more time here, so a slowdown cannot be planted.")
    products = max(1, round(share * medians["package"] / one))
    _with_products(package, copy, products)
    made = time_packages({"package": package, "slowed": copy}, data, _ROUNDS)
    return copy, latency_ratio(made["slowed"], made["package"]).value - 1


def _with_products(package: Path, copy: Path, products: int) -> None:
    """Copy a package, and add products of matrices to the graph of its running engine that change nothing."""
    import onnx_ir as ir

    def change(make: PlantedNodes, tokens: Any, scores: Any) -> Any:
        # The matrices depend on the tokens, or an optimizer would compute them once when the session is made.
        floats = make.step("Cast", [tokens], "floats", to=ir.DataType.FLOAT)
        total = make.step("ReduceSum", [floats], "total", keepdims=0)
        matrix = make.step("Expand", [total, make.constant("shape", np.array([_SIZE, _SIZE]))], "matrix")
        identity = make.constant("identity", np.eye(_SIZE, dtype=np.float32))
        for number in range(products):
            matrix = make.step("MatMul", [matrix, identity], f"product{number}")
        largest = make.step("ReduceMax", [matrix], "largest", keepdims=0)
        nothing = make.step("Mul", [largest, make.constant("zero", np.float32(0))], "nothing")
        return make.step("Add", [scores, nothing], "scores")

    opened = Package.open(package)
    part = opened.manifest.engines[running_engine(opened).name].parts["model"]
    shutil.copytree(package, copy)
    put_behind_scores(Path(Package.open(copy).file(part.model_file)), "slowed", change)
