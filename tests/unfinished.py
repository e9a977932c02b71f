"""A package with engines that only a device can judge, and what its tests share.

No GPU is here, so nothing runs a plan; plans come from the builder of TensorRT for RTX, which needs no GPU.
"""

import dataclasses
from pathlib import Path

import pytest

from command import QUICK, run_apart
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.finish.device_plan import stored_or_built
from edgewright_runtime import Package
from edgewright_runtime.finished import Finished
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.trt import RTX, missing
from edgewright_targets.gpu import Gpu, unavailable
from tiny_targets import candidate_text, recipe_text, target_text

needs_no_gpu = [
    pytest.mark.skipif(missing(RTX) is not None, reason=str(missing(RTX))),
    pytest.mark.skipif(unavailable() is None, reason="these tests are about a machine without a GPU"),
]

GPU = Gpu("RTX 4090", "8.9", 24 * 2**30, "580.95 cuda 13000")
BASELINE, PLAN, LATER = "gpu-cpu-fp32", "gpu-ahead", "gpu-later"
TARGET = target_text(
    recipe_text("fp32", method="float"),
    recipe_text("fp16", method="cast", float_type="float16"),
    candidate_text("cpu-fp32", "fp32"),
    candidate_text("ahead", "fp16", provider="TensorRT-RTX", engine="tensorrt-rtx"),
    candidate_text("later", "fp16", provider="TensorRT", engine="tensorrt"),
    title="A GPU that is not here",
    rung="compiled",
    compute_capabilities=["8.9"],
)


def build_unfinished(sources: Path, cache: Path, folder: Path) -> Path:
    """A package with an engine built ahead of time and one to be made on the device, and behind them this machine's."""
    (folder / "gpu.toml").write_text(TARGET, encoding="utf-8")
    output = folder / "gpu.ortpackage"
    data = ("--calibration", sources / "inputs.npz", "-o", output)
    targets = ("--target", folder / "gpu.toml", "--target", sources / "tiny.toml")
    done = run_apart("build", sources / "perceptron.onnx", *data, *targets, *QUICK, cache=cache, cwd=folder)
    assert done.code == 0, done.err
    return output


def on_the_device(package: Package) -> EngineSpec:
    """The engine that is made on the device, for the flavour that can be built here."""
    return dataclasses.replace(package.manifest.engines[LATER], engine="tensorrt-rtx")


def found(engine: str, *, ratio: float = 0.5, accepted: bool = True) -> Finished:
    return Finished(
        engine=engine,
        accepted=accepted,
        reason="So it is.",
        difference=0.0,
        tolerance=0.01,
        ratio=ratio,
        ratio_low=ratio,
        ratio_high=ratio,
        gpu="RTX 4090",
        created="2026-11-24T00:00:00",
    )


def make(package: Package, spec: EngineSpec, here: Gpu = GPU) -> bool:
    return stored_or_built(package, spec, here, Quiet(), capabilities=("8.9",))
