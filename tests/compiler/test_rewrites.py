"""Patterns rewritten before a candidate is made: real operators, the same outputs, and words where there are none."""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import onnx_ir
import pytest

import tiny_images
from doubles import QUICK_METER
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler import BuildOptions
from edgewright_compiler.building.calibration_feeds import CalibrationFeeds
from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.building.exports import check, export
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.stage import CandidateError, Stages
from edgewright_compiler.cache import StageCache
from edgewright_compiler.graphs.exported import GRAPH_FILE
from edgewright_compiler.graphs.passes import rewrites
from edgewright_compiler.graphs.rewrite import RewriteError, compare_rewritten, rewrite
from edgewright_compiler.package_build import build
from edgewright_targets import Candidate
from edgewright_targets.recipe import Pattern
from tiny_targets import candidate_text, recipe_text, write_target

FUSED = (
    recipe_text("fused", rewrites=["attention", "layer-norm", "gelu"]),
    recipe_text("packed", rewrites=["attention", "packed-attention"]),
    recipe_text("int8-fused", method="static", rewrites=["attention"]),
    candidate_text("cpu-fp32-fused", "fused", "fp32"),
    candidate_text("cpu-fp32-packed", "packed", "fp32"),
    candidate_text("cpu-int8-fused", "int8-fused", "int8"),
)


def options(folder: Path, data: Path, **others: object) -> BuildOptions:
    target = write_target(folder / "tiny.toml", *FUSED)
    made = BuildOptions(
        output=folder / "made.ortpackage",
        targets=(str(target),),
        calibration=data,
        max_drop=0.9,
        meter=QUICK_METER,
        accept_baseline=True,
    )
    return dataclasses.replace(made, **others)  # type: ignore[arg-type]


def graphs_of(source: Path, asked: BuildOptions, cache: Path) -> tuple[Graphs, dict[str, Candidate]]:
    (job,) = read_jobs(str(source), asked)
    stages = Stages(StageCache(cache), Quiet())
    exported = export(stages, job)
    check(stages, job, exported)
    graphs = Graphs(stages, job, CalibrationFeeds(stages, job, as_written=False), exported)
    return graphs, {one.name: one for one in job.target.candidates}


def kinds(folder: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx_ir.load(folder / GRAPH_FILE).graph.all_nodes())


@pytest.fixture(scope="module", params=["bert", "vit"])
def transformer(
    request: pytest.FixtureRequest, sources: Path, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Graphs, dict[str, Candidate]]:
    folder = tmp_path_factory.mktemp(request.param)
    source, data = checkpoint, sources / "train.csv"
    if request.param == "vit":
        source, data = tiny_images.write_checkpoint(folder / "vit", "vit"), tiny_images.write_pictures(folder / "data")
    return graphs_of(source, options(folder, data), folder / "cache")


def test_a_transformer_has_the_operators_of_onnx_runtime(transformer: tuple[Graphs, dict[str, Candidate]]) -> None:
    graphs, candidates = transformer
    found = {name: kinds(graphs.quantized(one).folders["model"]) for name, one in candidates.items()}
    layers = found["cpu-fp32"]["Softmax"]
    assert layers
    assert found["cpu-fp32-fused"]["MultiHeadAttention"] == layers
    assert found["cpu-fp32-fused"]["SkipLayerNormalization"] >= layers
    assert found["cpu-fp32-fused"]["BiasGelu"] == layers
    assert found["cpu-fp32-packed"]["Attention"] == layers
    assert found["cpu-int8-fused"]["MultiHeadAttention"] == layers
    assert found["cpu-int8-fused"]["QuantizeLinear"]
    assert not any(found[name]["Softmax"] for name in found if name.endswith(("fused", "packed")))


def test_it_gives_the_outputs_of_the_exported_graph(transformer: tuple[Graphs, dict[str, Candidate]]) -> None:
    graphs, candidates = transformer
    source = graphs.quantized(candidates["cpu-fp32"]).folders["model"]
    feeds = {"input 0": graphs.feeds.read(graphs.exported, "model")[0]}
    for name in ("cpu-fp32-fused", "cpu-fp32-packed"):
        compare_rewritten(graphs.quantized(candidates[name]).folders["model"], source, feeds)


def test_a_graph_without_patterns_is_not_measured_twice(sources: Path, shared_cache: Path, tmp_path: Path) -> None:
    built = build(str(sources / "perceptron.onnx"), options(tmp_path, sources / "inputs.npz"))
    found: dict[str, EngineResult] = {one.name: one for one in built.result.engines}
    for name, words in {"cpu-fp32-fused": "layer-norm, gelu", "cpu-int8-fused": "attention"}.items():
        assert found[f"tiny-{name}"].status == "failed"
        assert "There is nothing to rewrite: the graph has no pattern of" in found[f"tiny-{name}"].reasons[0]
        assert words in found[f"tiny-{name}"].reasons[0]


def _halved(model: onnx_ir.Model) -> int:
    """A rewriter that is wrong: one weight has half its values."""
    name, weight = next(iter(model.graph.initializers.items()))
    assert weight.const_value is not None
    model.graph.initializers[name].const_value = onnx_ir.tensor(weight.const_value.numpy() / 2, name=name)
    return 1


def test_a_rewriting_that_changes_outputs_is_refused(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rewrites._REWRITES, "attention", lambda: [_halved])
    asked = options(tmp_path, sources / "inputs.npz")
    graphs, candidates = graphs_of(sources / "perceptron.onnx", asked, tmp_path / "cache")
    with pytest.raises(
        CandidateError, match=r"gives other outputs than the exported one: on sample 1, '.*' differs by"
    ):
        graphs.quantized(candidates["cpu-int8-fused"])
    # It is a finding, which is kept.
    monkeypatch.undo()
    with pytest.raises(CandidateError, match="gives other outputs than the exported one"):
        graphs.quantized(candidates["cpu-int8-fused"])


def graph(folder: Path, text: str) -> Path:
    folder.mkdir()
    onnx_ir.save(onnx_ir.from_onnx_text(text), folder / GRAPH_FILE)
    return folder


HEAD = '<ir_version: 10, opset_import: ["" : 20]> g'


def test_a_size_that_a_rewriting_froze_is_found(tmp_path: Path) -> None:
    free = graph(tmp_path / "free", f"{HEAD} (float[n, 2] x) => (float[n, 2] y) {{ y = Relu(x) }}")
    frozen = graph(
        tmp_path / "frozen",
        f"{HEAD} (float[n, 2] x) => (float[n, 2] y) <int64[2] s = {{1, 2}}> {{ r = Reshape(x, s) y = Relu(r) }}",
    )
    one, two = (np.ones((rows, 2), np.float32) for rows in (1, 2))
    compare_rewritten(frozen, free, {"input 0": {"x": one}})
    with pytest.raises(RewriteError, match="The rewritten graph does not run on 2 rows"):
        compare_rewritten(frozen, free, {"input 0": {"x": one}, "2 rows": {"x": two}})


BATCH_NORM = f"""{HEAD} (float[1, 1, 4, 4] x) => (float[1, 1, 2, 2] y)
<float[1, 1, 3, 3] w = {{1, 2, 3, 4, 5, 6, 7, 8, 9}}, float[1] scale = {{2}}, float[1] shift = {{1}},
 float[1] mean = {{3}}, float[1] spread = {{4}}>
{{ c = Conv(x, w) y = BatchNormalization(c, scale, shift, mean, spread) }}"""


def test_batch_norms_are_folded_into_convolutions(tmp_path: Path) -> None:
    source = graph(tmp_path / "source", BATCH_NORM)
    assert rewrite(source, ("batch-norm",), tmp_path / "made")
    assert kinds(tmp_path / "made") == {"Conv": 1}
    feed = {"x": np.random.default_rng(0).normal(size=(1, 1, 4, 4)).astype(np.float32)}
    compare_rewritten(tmp_path / "made", source, {"input 0": feed})


def test_constants_are_folded(tmp_path: Path) -> None:
    text = f"{HEAD} (float[2] x) => (float[2] y) <float[2] a = {{1, 2}}> {{ b = Neg(a) c = Abs(b) y = Add(x, c) }}"
    assert rewrite(graph(tmp_path / "source", text), ("constants",), tmp_path / "made")
    assert kinds(tmp_path / "made") == {"Add": 1}
    assert not rewrite(tmp_path / "made", ("constants",), tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_recipes_and_the_compiler_know_the_same_patterns() -> None:
    assert get_args(Pattern) == rewrites.REWRITES
