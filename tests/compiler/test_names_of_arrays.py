"""Arrays of the user may have any names: what a call says beside them stands apart."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_runtime import SampleError, load
from edgewright_runtime.probe import Probe
from tiny_targets import write_target

# Names that a run has, or had, among its own values.
NAMES = ("top_k", "options", "whole_feeds", "call", "outputs", "encoding", "text", "batch_size")


def write_sum(path: Path, names: tuple[str, ...]) -> None:
    """A graph whose `made` is the sum of its inputs, float32 [n, 2] each."""
    floats = ir.TensorType(ir.DataType.FLOAT)
    inputs = [ir.Value(name=name, shape=ir.Shape(["n", 2]), type=floats) for name in names]
    total = ir.node("Sum", inputs)
    made = total.outputs[0]
    made.name, made.shape, made.type = "made", ir.Shape(["n", 2]), floats
    graph = ir.Graph(inputs, [made], nodes=[total], opset_imports={"": 20}, name="sum")
    ir.save(ir.Model(graph, ir_version=10), path)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    write_sum(folder / "sum.onnx", NAMES)
    np.savez(folder / "data.npz", **{name: np.ones((4, 2), np.float32) for name in NAMES})  # type: ignore[arg-type]
    target = str(write_target(folder / "tiny.toml"))
    options = BuildOptions(output=folder / "p", targets=(target,), calibration=folder / "data.npz")
    (job,) = read_jobs(str(folder / "sum.onnx"), options)
    draft_package(job, folder / "draft", StageCache(folder / "cache"), Quiet())
    return folder / "draft"


def test_every_name_reaches_the_graph(package: Path) -> None:
    sample = {name: np.full((1, 2), 10.0**place, np.float32) for place, name in enumerate(NAMES)}
    with load(package, engine="tiny-cpu-fp32") as model:
        np.testing.assert_array_equal(model(sample)["made"], sum(sample.values()))
        assert {name: feeds[0].tolist() for name, feeds in Probe(model).feeds(sample).items()} == {
            name: value[0].tolist() for name, value in sample.items()
        }
        ((fed,),) = Probe(model).recorded_feeds(sample).values()
        assert set(fed) == set(NAMES)


@pytest.mark.parametrize("missing", NAMES)
def test_a_missing_array_is_missed(package: Path, missing: str) -> None:
    sample = {name: np.ones((1, 2), np.float32) for name in NAMES if name != missing}
    with load(package, engine="tiny-cpu-fp32") as model, pytest.raises(SampleError, match=f"input '{missing}'"):
        model(sample)
