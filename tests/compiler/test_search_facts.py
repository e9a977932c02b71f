"""What a search knows of the groups of a graph: which there are, what they hurt, what they cost."""

import itertools
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest

import tiny_searched
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.calibration_feeds import CalibrationFeeds
from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.building.exports import export
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.stage import Stages
from edgewright_compiler.cache import StageCache
from edgewright_compiler.graphs.exported import GRAPH_FILE, copy_graph, load_graph
from edgewright_compiler.graphs.quantize import quantize, write_prepared
from edgewright_compiler.search._profile_process import GRAPHS, NodeTime, ProfileRequest, ProfileResponse
from edgewright_compiler.search.facts import Border, Facts, Group, GroupFacts
from edgewright_compiler.search.fastest_split import faster_in_float
from edgewright_compiler.search.find_facts import find_facts
from edgewright_compiler.search.groups import LowForm, find_groups
from edgewright_compiler.search.node_costs import NoCostsError, costs, known_owners, profile
from edgewright_compiler.search.operations import operations
from edgewright_compiler.search.sensitivity import NoErrorsError, Sensitivity, sensitivity
from edgewright_targets import Candidate, Recipe, load_target

INT8 = next(one.recipe for one in load_target("x86-64").candidates if one.name == "cpu-int8")
DYNAMIC = Recipe(method="dynamic")
FEEDS = tiny_searched.feeds(12, 1, 32)


class Compared:
    """A graph in a file and what a recipe makes of it."""

    def __init__(self, file: Path, recipe: Recipe, feeds: Sequence[dict[str, Any]] = FEEDS) -> None:
        place = file.parent / f"compared-{file.stem}"
        for name in ("float", "low"):
            (place / name).mkdir(parents=True)
        file.rename(place / "float" / GRAPH_FILE)
        self.place = place
        self.feeds = feeds
        quantize(place / "float", recipe, feeds, place / "low")
        write_prepared(place / "float", recipe, feeds, place / "prepared")
        self.model = ir.load(place / "prepared" / GRAPH_FILE)
        self.low = load_graph(place / "low")
        self.forms: tuple[LowForm, ...] = find_groups("model", self.model, self.low, recipe)

    def sensitivity(self, seconds: float = 60) -> Sensitivity:
        return sensitivity(self.model, self.low, self.forms, self.feeds, seconds=seconds, threads=1, progress=Quiet())


def session(folder: Path) -> Any:
    """Of a graph as it is written."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    path = copy_graph(folder, folder.with_name(f"{folder.name}-session"))
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def ruined(place: Path, recipe: Recipe = INT8) -> Compared:
    return Compared(tiny_searched.write_ruined(place / "model.onnx"), recipe)


# Weights of 7 bits: without VNNI sums of 8 bits saturate in some kernels, which hurts other layers too.
@pytest.mark.parametrize("recipe", [INT8, replace(DYNAMIC, reduce_range=True)], ids=["static", "dynamic"])
def test_the_layers_that_int8_ruins_hurt_most(tmp_path: Path, recipe: Recipe) -> None:
    compared = ruined(tmp_path, recipe)
    found = compared.sensitivity()
    assert [form.group.name for form in compared.forms] == list(tiny_searched.LAYERS)
    errors = {group.name: error for group, error in found.errors.items()}
    worst = sorted(errors, key=lambda name: -errors[name])[:3]
    assert sorted(worst) == list(tiny_searched.RUINED)
    benign = max(error for name, error in errors.items() if name not in worst)
    assert min(errors[name] for name in worst) > 10 * benign > 0
    assert found.samples == 8
    # With all of them quantized nothing is left of the outputs.
    assert found.whole > max(errors.values()) / 2


def test_errors_of_groups_add_in_squares(tmp_path: Path) -> None:
    """As long as they are small."""
    compared = ruined(tmp_path, replace(INT8, excluded_nodes=tiny_searched.RUINED))
    found = compared.sensitivity()
    assert len(found.errors) == 5
    together = math.sqrt(sum(error**2 for error in found.errors.values()))
    assert found.whole == pytest.approx(together, rel=0.3)


def test_the_error_of_all_groups_is_that_of_the_quantized_graph(tmp_path: Path) -> None:
    compared = ruined(tmp_path, replace(INT8, excluded_nodes=tiny_searched.RUINED))
    whole = compared.sensitivity().whole
    low, plain = (session(tmp_path / "compared-model" / name) for name in ("low", "float"))
    chosen = [FEEDS[index * len(FEEDS) // 8] for index in range(8)]
    pairs = [(low.run(["y"], feed)[0], plain.run(["y"], feed)[0]) for feed in chosen]
    squares = [np.square(made - expected).sum() / np.square(expected).sum() for made, expected in pairs]
    assert whole == pytest.approx(math.sqrt(np.mean(squares)), rel=1e-4)


def test_the_time_bounds_it_and_what_was_found_is_kept(tmp_path: Path) -> None:
    found = ruined(tmp_path).sensitivity(seconds=0)
    assert [group.name for group in found.errors] == ["layer_0"]
    assert found.samples == 1


@pytest.mark.parametrize("names", ["", "same"], ids=["no names", "one name"])
def test_nodes_without_names_of_their_own(tmp_path: Path, names: str) -> None:
    """Groups have the names that `excluded_nodes` finds."""
    file = tiny_searched.write_ruined(tmp_path / "model.onnx")
    model = onnx.load(file)
    for node in model.graph.node:
        node.name = names
    onnx.save(model, file)
    compared = Compared(file, INT8)
    errors = compared.sensitivity().errors
    worst = sorted(errors, key=lambda group: -errors[group])[:3]
    excluded = tuple(node for group in worst for node in group.nodes)
    assert len(set(excluded)) == len(excluded)
    place = tmp_path / "compared-model"
    (place / "again").mkdir()
    quantize(place / "float", replace(INT8, excluded_nodes=excluded), FEEDS, place / "again")
    layers = [node for node in load_graph(place / "again").graph if node.op_type == "MatMul"]
    floats = [node.inputs[1].name for node in layers if node.inputs[1] is not None and node.inputs[1].is_initializer()]
    assert floats == [f"{name}.weight_0" for name in tiny_searched.RUINED]


def test_a_group_has_what_is_fused_into_its_layer(tmp_path: Path) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17]> g (float[N, 4, 8, 8] x) => (float[N, 4, 8, 8] y) {
        a = Conv(x, W) b = Add(a, B) c = Relu(b) d = Conv(c, W) e = Add(d, x) y = Relu(e) }"""
    model = onnx.parser.parse_model(text)
    random = np.random.default_rng(3)
    for name, shape in (("W", (4, 4, 1, 1)), ("B", (4, 1, 1))):
        value = random.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    onnx.save(model, tmp_path / "model.onnx")
    feeds = [{"x": random.standard_normal((1, 4, 8, 8)).astype(np.float32)} for _ in range(4)]
    compared = Compared(tmp_path / "model.onnx", INT8, feeds)
    assert [form.group.operators for form in compared.forms] == [("Conv", "Add", "Relu"), ("Conv",)]
    assert compared.sensitivity().whole < 0.1


def test_a_graph_that_does_not_run_says_so(tmp_path: Path) -> None:
    compared = ruined(tmp_path)
    compared.feeds = [{"x": np.zeros((1, 1, 7), np.float32)}]
    with pytest.raises(NoErrorsError, match="ONNX Runtime's CPU cannot run the graph"):
        compared.sensitivity()


def test_operations_follow_from_the_shapes_of_the_data(tmp_path: Path) -> None:
    compared = ruined(tmp_path)
    file = compared.place / "prepared" / GRAPH_FILE
    counts = operations(file, compared.model, {"x": np.zeros((3, 1, 32), np.float32)})
    assert counts["layer_0"] == 2 * 3 * 32 * 32
    assert counts["relu_0"] == 3 * 32
    assert operations(file, compared.model, {"x": np.zeros((3, 1, 7), np.float32)}) == {}


def test_operations_of_convolutions(tmp_path: Path) -> None:
    compared = Compared(tiny_searched.write_slowed(tmp_path / "model.onnx"), INT8, tiny_searched.feeds(2, 16, 16, 16))
    counts = operations(compared.place / "prepared" / GRAPH_FILE, compared.model, compared.feeds[0])
    assert counts["convolution_1"] == 2 * 16 * 16 * 16 * (16 * 3 * 3)
    assert counts["transposed_1"] == 2 * 16 * 16 * 16


def profiled(compared: Compared) -> tuple[Path, ProfileResponse]:
    place = compared.place
    for name, graph in zip(GRAPHS, ("prepared", "low"), strict=True):
        copy_graph(place / graph, place / "profile" / name)
    copied = place / "prepared" / "weights.bin"
    if copied.exists():
        shutil.copy(copied, place / "profile" / "float")
    request = ProfileRequest(
        provider="CPUExecutionProvider", provider_options={}, session_options={}, threads=1, seconds=0
    )
    return place / "profile", profile(place / "profile", compared.feeds[:2], request)


# Weights of 7 bits: without VNNI sums of 8 bits saturate in some kernels, which hurts other layers too.
@pytest.mark.parametrize("recipe", [INT8, replace(DYNAMIC, reduce_range=True)], ids=["static", "dynamic"])
def test_each_group_has_a_cost_in_each_precision(tmp_path: Path, recipe: Recipe) -> None:
    compared = ruined(tmp_path, recipe)
    found = costs(*profiled(compared), compared.model, compared.low, compared.forms)
    assert len(found.groups) == len(tiny_searched.LAYERS)
    assert all(seconds > 0 for pair in found.groups.values() for seconds in pair)
    sums = [sum(column) for column in zip(*found.groups.values(), strict=True)]
    assert sums == pytest.approx([found.float_seconds, found.low_seconds])


def test_conversions_belong_to_the_groups_that_cause_them(tmp_path: Path) -> None:
    """A transposed convolution has no kernel of integers: it runs in float, between conversions."""
    file = tiny_searched.write_slowed(tmp_path / "model.onnx")
    compared = Compared(file, INT8, tiny_searched.feeds(4, 16, 16, 16))
    place, response = profiled(compared)
    given = {node.name: node for node in response.nodes["low"]}
    one = ProfileResponse(
        nodes={
            "float": tuple(NodeTime(node.name, node.operator, 1.0, node.values) for node in response.nodes["float"]),
            "low": tuple(NodeTime(node.name, node.operator, 1.0, node.values) for node in given.values()),
        }
    )
    found = costs(place, one, compared.model, compared.low, compared.forms)
    names = {group.name: pair for group, pair in found.groups.items()}
    assert list(names) == [*tiny_searched.FASTER, *tiny_searched.SLOWER]
    # Each node takes a second here: a transposed one has its conversions besides, and those of its weight.
    assert all(names[name][1] >= 3 for name in tiny_searched.SLOWER)
    assert all(names[name][1] <= 2 for name in tiny_searched.FASTER[1:3])
    assert sum(low for _, low in names.values()) == pytest.approx(found.low_seconds)
    # One conversion between each two of them, of the values that the first one gives.
    layers = [*tiny_searched.FASTER, *tiny_searched.SLOWER]
    assert [(border.giver.name, border.taker.name) for border in found.borders] == list(itertools.pairwise(layers))
    assert all(border.seconds >= 1 for border in found.borders)


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("conv_1", (1,)),
        ("conv_12", (2,)),
        ("conv_1_nchwc", (1,)),
        ("conv_1_token_4", (1,)),
        ("fused conv_12", (2,)),
        ("conv_1/MatMulAddFusion", (1,)),
        ("conv_123", None),
        ("other", None),
    ],
)
def test_the_name_of_a_fused_node_begins_with_one_of_the_graph(name: str, groups: tuple[int, ...] | None) -> None:
    owners: dict[str, tuple[int, ...]] = {"conv_1": (1,), "conv_12": (2,)}
    assert known_owners(name, owners) == groups


def test_a_provider_that_gives_no_profile_says_so(tmp_path: Path) -> None:
    compared = ruined(tmp_path)
    compared.feeds = [{"x": np.zeros((1, 1, 7), np.float32)}]
    with pytest.raises(NoCostsError, match="CPUExecutionProvider gave no profile: "):
        profiled(compared)
    nothing = ProfileResponse(nodes={"float": (), "low": ()})
    with pytest.raises(NoCostsError, match="no node"):
        costs(tmp_path, nothing, compared.model, compared.low, compared.forms)


def found_facts(tmp_path: Path, data: str, recipe: Recipe = INT8) -> Facts:
    """Of int8 for this machine, of the model whose transposed convolutions have no kernel of integers."""
    source = tiny_searched.write_slowed(tmp_path / "slowed.onnx")
    inputs = np.concatenate([feed["x"] for feed in tiny_searched.feeds(6, 16, 16, 16)])
    np.savez(tmp_path / "inputs.npz", x=inputs)
    given: dict[str, Any] = {data: tmp_path / "inputs.npz"}
    options = BuildOptions(output=tmp_path / "p", **given)
    job = read_jobs(str(source), options)[0].placed(Quiet())
    stages = Stages(StageCache(), Quiet())
    exported = export(stages, job)
    graphs = Graphs(stages, job, CalibrationFeeds(stages, job, as_written=False), exported)
    candidate = Candidate(name="int8", provider="CPUExecutionProvider", precision="int8", recipe=recipe)
    job.modes[candidate.name] = job.modes[job.target.baseline]
    return find_facts(graphs, candidate, error_seconds=30, profile_seconds=0)


def test_the_facts_of_a_candidate(tmp_path: Path) -> None:
    known = found_facts(tmp_path, "calibration")
    assert [one.group.name for one in known.groups] == [*tiny_searched.FASTER, *tiny_searched.SLOWER]
    assert known.note == ""
    # Each node that ran belongs to a group, conversions too.
    assert sum(one.float_seconds or 0.0 for one in known.groups) == pytest.approx(known.float_seconds)
    assert sum(one.low_seconds or 0.0 for one in known.groups) == pytest.approx(known.low_seconds)
    assert all(one.error is not None and 0 < one.error < 0.1 for one in known.groups)
    assert known.error is not None
    assert all(one.operations > 0 for one in known.groups)
    assert len(known.borders) == 7


def test_without_calibration_data_errors_are_not_looked_for(tmp_path: Path) -> None:
    """The samples that prove an engine do not say which one to try."""
    known = found_facts(tmp_path, "evaluation", DYNAMIC)
    assert "no calibration data" in known.note
    assert all(one.error is None and one.gain is not None for one in known.groups)


def facts() -> Facts:
    """Three groups: one gains and hurts, one gains, one loses time."""
    rows = ((0.5, 0.25, 0.04), (0.5, 0.25, 0.03), (0.125, 0.25, 0.0))
    groups = [
        GroupFacts(
            group=Group(
                name=f"g{index}", component="model", nodes=(f"g{index}", f"relu{index}"), operators=("Conv", "Relu")
            ),
            float_seconds=before,
            low_seconds=after,
            error=error,
        )
        for index, (before, after, error) in enumerate(rows)
    ]
    return Facts(candidate="cpu-int8", groups=tuple(groups), float_seconds=1.0, low_seconds=0.75, error=0.05)


def test_a_group_between_two_quantized_ones_stays_so_where_conversions_cost_more() -> None:
    known = facts()
    first, second, third = (one.group for one in known.groups)
    dear = replace(known, borders=(Border(giver=second, taker=third, seconds=0.5),))
    assert dear.without_gain() == ()
    assert dear.seconds_without([third]) == 0.75 - 0.125 + 0.5
    cheap = replace(known, borders=(Border(giver=second, taker=third, seconds=0.0625),))
    assert cheap.without_gain() == (third,)
    assert cheap.seconds_without([first, second, third]) == 0.75 - 0.125 + 0.5


def test_the_fastest_split_is_the_one_that_trying_all_finds() -> None:
    random = np.random.default_rng(7)
    for _ in range(40):
        gains = random.normal(size=6).round(3).tolist()
        borders = [(one, other, float(random.random())) for one, other in itertools.combinations(range(6), 2)]
        borders = [border for border in borders if random.random() < 0.5]

        def seconds(kept: set[int], gains: list[float] = gains, borders: list[Any] = borders) -> float:
            cut = sum(cost for one, other, cost in borders if (one in kept) != (other in kept))
            return float(cut + sum(gains[index] for index in kept))

        choices = [set(found) for count in range(7) for found in itertools.combinations(range(6), count)]
        assert seconds(faster_in_float(gains, borders)) == pytest.approx(min(map(seconds, choices)))


def test_what_follows_from_facts() -> None:
    known = facts()
    first, _, third = (one.group for one in known.groups)
    assert known.without_gain() == (third,)
    assert known.seconds_without([third]) == 0.75 - 0.125
    assert known.error_without([first]) == pytest.approx(0.03)
    assert known.error_without([]) == pytest.approx(0.05)
    assert known.excluded([third]) == {"model": ("g2", "relu2")}
