"""A matrix in real environments whose libraries are linked: what they write, ground truth, plugins that are missing."""

import csv
import importlib.util
import json
import shutil
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

import numpy as np
import onnx
import pytest

from doubles import QUICK_METER
from edgewright_benchmarks.matrix.libraries import words_of
from edgewright_benchmarks.matrix.markdown import markdown_from_matrix
from edgewright_benchmarks.matrix.measure import measure_matrix
from edgewright_benchmarks.matrix.result import MatrixResult
from edgewright_benchmarks.matrix.rows import failures, grouped_warnings
from edgewright_runtime import load
from edgewright_targets.host import architecture
from linked_environments import link_environment
from sums import reseal
from tiny_models import LABELS

OLD = Path(__file__).parents[1] / "data" / "format-1"
HERE = metadata.version("onnxruntime")
# No release has this number: it stands for one that does what the test says.
OTHER = "1.99.0"

pytestmark = pytest.mark.slow

UNUSED = "onnxruntime: Removing initializer 'unused'. It is not used by any node and should be removed from the model."
IN_INPUTS = "onnxruntime: Initializer b1 appears in graph inputs and will not be treated as constant value/weight."
SHAPE = "onnxruntime: Expected shape from model of {5,4} does not match actual shape of {1,4} for output scores"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def old_package(tmp_path: Path) -> Path:
    if architecture() != "x86_64":
        pytest.skip("the package is for x86-64")
    return Path(shutil.copytree(OLD, tmp_path / "old.ortpackage"))


@pytest.fixture
def pixels(tmp_path: Path) -> Path:
    path = tmp_path / "inputs.npz"
    np.savez(path, pixels=np.random.default_rng(3).normal(size=(4, 8)).astype(np.float32))
    return path


def versions(*libraries: str, **others: str) -> dict[str, str]:
    return {name: others.get(name) or metadata.version(name) for name in ("numpy", "onnxruntime", *libraries)}


def measured(package: Path, data: Path, **asked: str) -> MatrixResult:
    return measure_matrix(package, data, asked, settings=QUICK_METER)


def that_warns(package: Path) -> Path:
    """The package with a graph of which ONNX Runtime warns: twice when it opens it, and once in each call."""
    path = package / "model" / "tiny-cpu-fp32" / "model.onnx"
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(2, dtype=np.float32), "unused"))
    bias = next(one for one in model.graph.initializer if one.name == "b1")
    named = model.graph.input.add(name=bias.name)
    named.type.tensor_type.elem_type = bias.data_type
    for size in bias.dims:
        named.type.tensor_type.shape.dim.add(dim_value=size)
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 5
    onnx.save(model, path)
    reseal(package)
    return package


def test_warnings_of_onnx_runtime_about_a_graph_are_read_in_each_environment(old_package: Path, pixels: Path) -> None:
    link_environment(versions())
    # A stand-in for a release that warns of something more.
    code = "import warnings; warnings.warn('The provider of \\x1b[31mcalls is deprecated.', FutureWarning)\n"
    link_environment(versions(onnxruntime=OTHER), added={"onnxruntime": code})
    found = measured(that_warns(old_package), pixels, onnxruntime=f"{HERE},{OTHER}")
    for row in found.rows:
        assert row.failure == ""
        logged = {one.text: one for one in row.logged}
        (in_inputs,) = (one for text, one in logged.items() if text.startswith(IN_INPUTS))
        # The graph is opened once. A call comes with the load, and one with each of the four samples.
        assert (in_inputs.times, logged[UNUSED].times, logged[SHAPE].times) == (1, 1, 5)
        assert not any("\x1b" in text or "graph.cc" in text for text in logged)
    here, other = ({one.text for one in row.logged if one.new} for row in found.rows)
    assert here == set()
    assert other == {"onnxruntime/__init__.py: FutureWarning: The provider of calls is deprecated."}
    shown = grouped_warnings(found)
    assert f"All: {SHAPE} (5 times)" in shown
    new = f"onnxruntime {OTHER}, new: onnxruntime/__init__.py: FutureWarning: The provider of calls is deprecated."
    assert new in shown
    assert f"> **Warning:** All: {UNUSED}" in markdown_from_matrix(found)


def test_accuracy_is_that_of_each_version_by_ground_truth(built_text: Path, sources: Path) -> None:
    data = sources / "validation.csv"
    # A stand-in for a release whose predictions are the least probable ones.
    code = (
        "_run = InferenceSession.run\n"
        "InferenceSession.run = lambda *given: [-one if one.dtype.kind == 'f' else one for one in _run(*given)]\n"
    )
    link_environment(versions("tokenizers"))
    link_environment(versions("tokenizers", onnxruntime=OTHER), added={"onnxruntime": code})
    found = measured(built_text, data, onnxruntime=f"{HERE},{OTHER}")
    with data.open(encoding="utf-8", newline="") as file:
        samples = list(csv.DictReader(file))
    with load(built_text, engine=found.engine) as model:
        labels = [[one["label"] for one in model(sample["text"], top_k=len(LABELS))] for sample in samples]
    assert found.measure == "accuracy"
    for row, place, others in zip(found.rows, (0, -1), (0, len(samples)), strict=True):
        right = [ranked[place] == sample["label"] for ranked, sample in zip(labels, samples, strict=True)]
        assert row.engine is not None
        assert row.engine.accuracy is not None
        assert row.engine.accuracy.metrics["accuracy"].value == pytest.approx(np.mean(right))
        assert (row.engine.otherwise.count if row.engine.otherwise else 0) == others


def for_openvino(package: Path) -> Path:
    """The package as a build writes it where OpenVINO's own runtime is the engine."""
    path = package / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    variant = manifest["components"]["model"]["variants"]["tiny-cpu-fp32"]
    infos = variant["executor_info"]
    variant["ep"] = "OpenVINO"
    infos["openvino"] = infos.pop("ort")
    infos["edgewright"] |= {"engine": "openvino", "format": 3}
    manifest["additional_metadata"]["edgewright"]["format"] = 3
    path.write_text(json.dumps(manifest), encoding="utf-8")
    reseal(package)
    return package


PLUGIN: dict[str, tuple[Callable[[Mapping[str, str]], object], str]] = {
    "missing": (lambda wanted: link_environment(wanted, without=("openvino",)), "OpenVINO is not installed"),
    "other": (
        lambda wanted: link_environment(wanted, added={"openvino": "raise ImportError('it needs another glibc')\n"}),
        "it needs another glibc",
    ),
}


@pytest.mark.parametrize("kind", PLUGIN)
def test_an_environment_whose_plugin_does_not_run_is_a_row_with_the_reason(
    old_package: Path, pixels: Path, kind: str
) -> None:
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    link, reason = PLUGIN[kind]
    link_environment(versions("openvino"))
    link(versions("openvino", openvino="2099.1.0"))
    there = metadata.version("openvino")
    found = measured(for_openvino(old_package), pixels, openvino=f"2099.1.0,{there}")
    assert found.reference == {"openvino": there}
    assert [row.engine is None for row in found.rows] == [True, False]
    (failure,) = failures(found)
    assert failure.startswith("openvino 2099.1.0: ")
    assert reason in failure
    assert found.rows[1].libraries == versions("openvino")
    assert words_of(found.rows[1].versions) == f"openvino {there}"
