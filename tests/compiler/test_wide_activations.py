"""Some layers with activations of 16 bits in a graph of 8 bits: on ONNX Runtime's CPU, and for the Snapdragon NPU."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest

import tiny_images
import tiny_targets
from command import run_apart
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.result_files import read_result
from edgewright_compiler.graphs.exported import GRAPH_FILE, load_graph, write_graph
from edgewright_compiler.graphs.quantize import quantize, write_prepared
from edgewright_compiler.graphs.wide_activations import wide_overrides
from edgewright_compiler.search.facts import Facts, GroupFacts
from edgewright_compiler.search.groups import find_groups
from edgewright_compiler.search.proposals import Ladder, Rung, raised_to, searched_candidate
from edgewright_compiler.search.sensitivity import sensitivity
from edgewright_targets import Candidate, Recipe
from snapdragon import needs_qnn

# The first convolution gives what no 8 bits hold, and the second one takes it.
RUINED = ("first", "bend", "second")
_OFFSET = 3000.0


def feeds(count: int = 8) -> list[dict[str, np.ndarray]]:
    random = np.random.default_rng(5)
    return [{"pixels": random.normal(size=(1, 3, 16, 16)).astype(np.float32)} for _ in range(count)]


def npu(**settings: object) -> Recipe:
    fixed = {"method": "qnn", "weight_type": "uint8", "per_channel": False, "weight_symmetric": False}
    return Recipe(**{**fixed, **settings})  # type: ignore[arg-type] # the settings of a test


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the CNN that 8 bits ruin: do not write into it."""
    folder = tmp_path_factory.mktemp("wide") / "float"
    folder.mkdir()
    return tiny_images.write_cnn(folder / GRAPH_FILE, offset=_OFFSET).parent


def quantized(graph: Path, place: Path, recipe: Recipe) -> ir.Model:
    place.mkdir()
    quantize(graph, recipe, feeds(), place)
    return load_graph(place)


def answers(model: ir.Model, place: Path) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(write_graph(model, place), options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, feed)[0] for feed in feeds()])


def around(model: ir.Model, name: str) -> tuple[str, str]:
    """The types of the activations that a node takes and gives."""
    (node,) = (one for one in model.graph if one.name == name)
    given = node.inputs[0]
    assert given is not None
    before = given.producer()
    (after,) = (user for user, _ in node.outputs[0].uses())
    assert before is not None
    return _zero_point(before), _zero_point(after)


def _zero_point(node: ir.Node) -> str:
    value = node.inputs[2]
    assert value is not None
    assert value.const_value is not None
    return value.const_value.dtype.name


def test_nodes_that_are_named_take_and_give_16_bits(graph: Path, tmp_path: Path) -> None:
    model = quantized(graph, tmp_path / "one", npu(wide_nodes=("second",)))
    assert around(model, "first") == ("UINT8", "UINT8")
    assert around(model, "second") == ("UINT16", "UINT16")
    assert around(model, "last") == ("UINT8", "UINT8")
    model = quantized(graph, tmp_path / "three", npu(wide_nodes=RUINED))
    assert around(model, "first") == around(model, "second") == ("UINT16", "UINT16")
    assert around(model, "mean") == ("UINT8", "UINT8")


def test_what_a_relu_cuts_off_does_not_stretch_the_range_before_it(graph: Path) -> None:
    overrides = wide_overrides(ir.load(graph / GRAPH_FILE), {"second"}, ())
    (bend,) = (node for node in ir.load(graph / GRAPH_FILE).graph if node.name == "bend")
    (before,) = overrides[str(bend.inputs[0].name)]  # type: ignore[union-attr]
    assert before["rmin"] == 0
    assert "convert" not in before
    assert overrides[str(bend.outputs[0].name)][0]["convert"]["recv_nodes"] == {"second"}


def test_a_node_that_was_fused_is_known_by_what_it_gives(graph: Path) -> None:
    model = ir.load(graph / GRAPH_FILE)
    (mean,) = (node.outputs[0] for node in model.graph if node.name == "mean")
    assert wide_overrides(model, (), {str(mean.name)}) == wide_overrides(model, {"mean"}, ())


def test_16_bits_where_8_ruin_keep_the_answers(graph: Path, tmp_path: Path) -> None:
    expected = answers(ir.load(graph / GRAPH_FILE), tmp_path / "float")
    size = np.sqrt(np.square(expected).sum())
    errors = {}
    for name, recipe in {
        "narrow": npu(),
        "some": npu(wide_nodes=RUINED),
        "wide": npu(activation_type="uint16"),
    }.items():
        made = answers(quantized(graph, tmp_path / name, recipe), tmp_path / f"{name}-plain")
        errors[name] = float(np.sqrt(np.square(made - expected).sum()) / size)
    assert errors["narrow"] > 0.1
    assert errors["some"] < 0.03
    assert errors["wide"] <= errors["some"]


def test_a_search_raises_what_hurts_most_to_16_bits(graph: Path, tmp_path: Path) -> None:
    recipe = npu()
    low = quantized(graph, tmp_path / "low", recipe)
    write_prepared(graph, recipe, feeds(), tmp_path / "prepared")
    model = ir.load(tmp_path / "prepared" / GRAPH_FILE)
    forms = find_groups("model", model, low, recipe)
    found = sensitivity(model, low, forms, feeds(), seconds=60, threads=1, progress=Quiet())
    groups = tuple(GroupFacts(group=form.group, error=found.errors[form.group]) for form in forms)
    facts = Facts(candidate="npu-int8", groups=groups, error=found.whole)
    ladder = Ladder(facts, 0.01, raised_to(recipe))
    kept = ladder.kept(Rung(raised=2))
    assert {node for group in kept for node in group.nodes} == set(RUINED)
    assert "2 of 5 layers in 16-bit activations" in ladder.why(Rung(raised=2))
    base = Candidate(name="npu-int8", provider="QNNExecutionProvider", precision="int8", recipe=recipe)
    made = searched_candidate(base, "npu-int8-s01", facts, kept)
    assert set(made.recipe.wide_nodes) == set(RUINED)
    assert made.recipe.excluded_nodes == ()
    assert made.precision == "int8-mixed"


class TestEmulator:
    """What needs the plugin."""

    pytestmark = needs_qnn

    def test_a_search_ends_with_both_in_one_graph(self, tmp_path: Path, shared_cache: Path) -> None:
        tiny_images.write_cnn(tmp_path / "cnn.onnx", offset=_OFFSET)
        for seed, name in enumerate(("calibration", "evaluation")):
            pixels = np.random.default_rng(seed).normal(size=(60, 3, 16, 16)).astype(np.float32)
            np.savez(tmp_path / f"{name}.npz", pixels=pixels)
        data = ("--calibration", "calibration.npz", "--evaluation", "evaluation.npz", "--max-drop", "10%")
        fixed = ("--target", "snapdragon-8-gen-3", "--search", "12", "-o", "p.ortpackage")
        done = run_apart("build", "cnn.onnx", *data, *fixed, cache=shared_cache, cwd=tmp_path)
        assert done.code == 0, done.err
        result = read_result(next((tmp_path / "p.ortpackage" / "edgewright" / "evidence").glob("*.json")))
        found = {engine.name: engine for engine in result.engines}
        chosen = found[result.chosen]
        assert (chosen.precision, chosen.rung) == ("int8-mixed", "emulated")
        assert set(chosen.nodes) == {"QNNExecutionProvider"}
        # One with 16 bits in all layers is accepted as well, and taken for the slower one.
        wide = "snapdragon-8-gen-3-npu-w8a16"
        assert found[wide].status == "accepted"
        assert list(found).index(chosen.name) < list(found).index(wide)
        assert result.search is not None
        assert result.search.path[-1] == chosen.name
        assert {node.node for node in result.search.float_nodes} >= set(RUINED)

    def test_the_npu_runs_both_in_one_graph(self, tmp_path: Path, shared_cache: Path) -> None:
        tiny_images.write_cnn(tmp_path / "cnn.onnx", offset=_OFFSET)
        pixels = np.concatenate([feed["pixels"] for feed in feeds(40)])
        np.savez(tmp_path / "data.npz", pixels=pixels)
        settings: dict[str, tiny_targets.Setting] = {"method": "qnn", "weight_type": "uint8", "per_channel": False}
        settings["weight_symmetric"] = False
        recipe = tiny_targets.recipe_text("npu-mixed", **settings, wide_nodes=list(RUINED))
        names = ("cpu-fp32", "npu-int8")
        mixed = tiny_targets.candidate_text(
            "npu-mixed", "npu-mixed", provider="QNNExecutionProvider", precision="mixed"
        )
        known = "".join(f'[[candidate]]\nname = "{name}"\n\n' for name in names)
        head = 'kind = "target"\ntitle = "Mixed"\nextends = "snapdragon-8-gen-3"\n'
        text = "\n".join((head, recipe, known, f'{mixed}\nengine = "epcontext"\n'))
        (tmp_path / "mixed.toml").write_text(text, encoding="utf-8")
        fixed = ("--target", "mixed.toml", "--calibration", "data.npz", "-o", "p.ortpackage", "--max-drop", "20%")
        done = run_apart("build", "cnn.onnx", *fixed, cache=shared_cache, cwd=tmp_path)
        assert done.code == 0, done.err
        result = read_result(next((tmp_path / "p.ortpackage" / "edgewright" / "evidence").glob("*.json")))
        found = {engine.name: engine for engine in result.engines}
        assert result.chosen == "mixed-npu-mixed"
        assert set(found[result.chosen].nodes) == {"QNNExecutionProvider"}
        assert found["mixed-npu-int8"].status == "refused"
