"""What no quantizer takes blindly is found from operators, shapes and constants; what only looks alike is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

from edgewright_compiler.graphs.float_groups.circles import circles
from edgewright_compiler.graphs.float_groups.constants import is_grid
from edgewright_compiler.graphs.float_groups.find import float_operators
from edgewright_targets.recipe import FLOAT_GROUPS
from float_graphs import DURATIONS, HEAD, MAP, graph_of


def found(nodes: str, groups: Any = FLOAT_GROUPS, **ends: str) -> dict[str, str]:
    """Names of the nodes that stay in float, to their group."""
    return {one.node: one.group for one in float_operators(graph_of(nodes, **ends), groups)}


SEQUENCE = "(float[S, N, 8] x) => (y)"
OPERATORS = {
    "LSTM": "h, y, c = LSTM<hidden_size = 8>(x, LW, LR)",
    "GRU": "h, y = GRU<hidden_size = 8>(x, GW, GR)",
    "RNN": "h, y = RNN<hidden_size = 8>(x, RW, RR)",
}


@pytest.mark.parametrize("kind", OPERATORS)
def test_recurrent_operators(kind: str) -> None:
    nodes = f"[before] a = MatMul(x, W) [cell] {OPERATORS[kind].replace('(x', '(a')}"
    assert found(nodes, ends=SEQUENCE) == {"cell": "recurrent"}


def loop(body: str, states: str = "float[N, 8] s", made: str = "float[N, 8] t") -> str:
    return f"""[loop] y = Loop (trip, go, x) <
        body = b (int64 i, bool c, {states}) => (bool d, {made}) {{ d = Identity(c) {body} }}
    >"""


def test_a_loop_around_which_floats_go() -> None:
    """What the body computes beside its state is a layer like any other."""
    nodes = loop("[beside] a = MatMul(x, W) [step] m = MatMul(s, R) [add] n = Add(m, a) [gate] t = Tanh(n)")
    assert found(nodes) == dict.fromkeys(("step", "add", "gate"), "recurrent")


def test_a_scan_with_state() -> None:
    nodes = """[scan] f, y = Scan <num_scan_inputs = 1, body = b (float[N, 8] s, float[N, 8] e)
        => (float[N, 8] t, float[N, 8] o) {
            [in] a = MatMul(e, W) [step] m = MatMul(s, R) [add] n = Add(m, a) [gate] t = Tanh(n) [out] o = MatMul(t, W1)
        }> (s0, x)"""
    ends = "(float[N, 8] s0, float[S, N, 8] x) => (y)"
    assert found(nodes, ends=ends) == dict.fromkeys(("step", "add", "gate"), "recurrent")


def test_a_cache_that_grows_is_not_recurrent() -> None:
    """A decoder in a loop: its keys are kept, and each token is chosen anew."""
    nodes = """[loop] y, z = Loop (trip, go, x, k0) <
        body = b (int64 i, bool c, float[N, 8] s, float[M, 8] k) => (bool d, float[N, 8] t, float[L, 8] l) {
            d = Identity(c) [key] n = MatMul(x, W) [grow] l = Concat<axis = 0>(k, n) t = Identity(x)
        }>"""
    assert found(nodes, ends="(float[N, 8] x, float[M, 8] k0) => (y, z)") == {}


def test_two_states_that_feed_one_another() -> None:
    nodes = """[loop] y, z = Loop (trip, go, x, x) <
        body = b (int64 i, bool c, float[N, 8] s, float[N, 8] k) => (bool d, float[N, 8] t, float[N, 8] l) {
            d = Identity(c) [one] l = MatMul(s, W) [two] t = MatMul(k, R)
        }>"""
    assert found(nodes, ends="(float[N, 8] x) => (y, z)") == {"one": "recurrent", "two": "recurrent"}


def test_states_that_are_handed_on() -> None:
    """A register of the last two steps: one state is the other one as it was."""
    nodes = """[loop] y, z = Loop (trip, go, x, x) <
        body = b (int64 i, bool c, float[N, 8] s, float[N, 8] k) => (bool d, float[N, 8] s, float[N, 8] l) {
            d = Identity(c) [one] l = MatMul(k, W) [beside] m = MatMul(s, R)
        }>"""
    assert found(nodes, ends="(float[N, 8] x) => (y, z)") == {"one": "recurrent"}


def test_circles() -> None:
    after = {1: [2], 2: [3, 4], 3: [1], 4: [5], 5: [4, 6], 6: []}
    assert sorted(map(sorted, circles(after))) == [[1, 2, 3], [4, 5], [6]]
    long = {place: [place + 1] for place in range(5_000)} | {5_000: [2_500]}
    assert max(map(len, circles(long))) == 2_501


def test_a_loop_that_is_written_out() -> None:
    nodes = """[in] a = MatMul(x, W)
        [first] h1 = MatMul(a, R) [gate1] g1 = Tanh(h1) [second] h2 = MatMul(g1, R) [gate2] g2 = Tanh(h2)
        [third] h3 = MatMul(g2, R) [out] y = MatMul(h3, W)"""
    assert found(nodes) == dict.fromkeys(("first", "gate1", "second", "gate2", "third"), "recurrent")


def test_layers_that_share_weights_are_not_recurrent() -> None:
    """ALBERT runs one block again and again: other layers, and sums around them, lie between."""
    nodes, before = "", "x"
    for turn in range(3):
        nodes += f"""[up{turn}] u{turn} = MatMul({before}, W) [act{turn}] v{turn} = Gelu(u{turn})
            [down{turn}] w{turn} = MatMul(v{turn}, R) [sum{turn}] s{turn} = Add(w{turn}, {before})"""
        before = f"s{turn}"
    assert found(f"{nodes} y = Softmax({before})") == {}
    assert found("p = MatMul(x, W) q = MatMul(x, W) y = Add(p, q)") == {}
    assert found("p = MatMul(x, W) q = Relu(p) r = MatMul(q, W) y = Relu(r)") == {}


@pytest.mark.parametrize(
    ("regulator", "names"),
    [
        ("[sum] k = CumSum(c, zero) y = MatMul(k, e)", ("sum",)),
        (
            "[clip] m = Clip(c, two) [int] n = Cast<to = 7>(m) [how] o = Reshape(n, one) y = Expand(e, o)",
            ("clip", "int"),
        ),
        (
            "[all] m = ReduceSum<keepdims = 0>(c) [int] n = Cast<to = 7>(m) r9 = Range(zero, n, zero) y = Add(e, e)",
            ("all", "int"),
        ),
    ],
)
def test_duration_predictors(regulator: str, names: tuple[str, ...]) -> None:
    """What only the duration is made of, from behind the encoder to where it says how often."""
    kept = found(f"{DURATIONS} {regulator}", groups=("durations",), ends=MAP)
    assert set(names) <= set(kept)
    assert {"predictor", "relu", "last", "exp", "ceil"} <= set(kept)
    assert "encoder" not in kept


def test_a_sum_that_is_rounded_is_a_duration() -> None:
    """Continuous integrate-and-fire: weights of frames are summed up, and fire at whole numbers."""
    nodes = """[encoder] e = Conv(x, C) [weights] l = Conv(e, C1) [share] w = Sigmoid(l)
        [sum] k = CumSum(w, zero) [floor] f = Floor(k) [decoder] d = Conv(e, C2) y = Mul(d, f)"""
    kept = found(nodes, groups=("durations",), ends=MAP)
    assert {"weights", "share", "sum", "floor"} <= set(kept)
    assert not {"encoder", "decoder"} & set(kept)


@pytest.mark.parametrize(
    "nodes",
    [
        # Sizes of pictures are rounded, and no layer made them.
        "[e] e = Conv(x, C) s = Shape(x) f = Cast<to = 1>(s) r = Floor(f) i = Cast<to = 7>(r) y = Expand(e, i)",
        # Fake quantization rounds, and counts nothing.
        "[e] e = Conv(x, C) m = Div(e, two) r = Round(m) n = Mul(r, two) y = Conv(n, C1)",
        # Positions of tokens are sums of a mask.
        "[e] e = Conv(x, C) c = Cast<to = 7>(x) k = CumSum(c, zero) f = Cast<to = 1>(k) y = Mul(e, f)",
    ],
)
def test_what_is_rounded_elsewhere_is_no_duration(nodes: str) -> None:
    assert found(nodes, groups=("durations",), ends=MAP) == {}


def test_boxes_after_a_network() -> None:
    kept = found(HEAD, groups=("decoding",))
    assert kept == dict.fromkeys(("sigmoid", "soft", "bins", "centre", "size", "join"), "decoding")


def test_an_exponential_of_sizes() -> None:
    nodes = "[trunk] t = MatMul(x, W) [box] b = MatMul(t, R) [exp] e = Exp(b) [size] y = Mul(e, two)"
    assert found(nodes) == {"exp": "decoding", "size": "decoding"}


@pytest.mark.parametrize(
    "ends",
    [
        "y = Softmax(o)",
        "y = Sigmoid(o)",
        "[bias] b = Add(o, B) y = Relu(b)",
        # A softmax as old exporters write it.
        "m = ReduceMax<keepdims = 1>(o) d = Sub(o, m) e = Exp(d) s = ReduceSum<keepdims = 1>(e) y = Div(e, s)",
        "n = LayerNormalization(o, B, B) y = Tanh(n)",
    ],
)
def test_what_ends_a_classifier_is_left_to_the_recipe(ends: str) -> None:
    assert found(f"[trunk] t = MatMul(x, W) r = Relu(t) [out] o = MatMul(r, R) {ends}") == {}


@pytest.mark.parametrize(
    ("choice", "ends"),
    [
        ("y = ArgMax(o)", "int64[1, 8] y"),
        ("v, y = TopK(o, one)", "int64[N, 1] y"),
        ("b = Reshape(o, three) y = NonMaxSuppression(b, b, boxes)", "int64[K, 3] y"),
    ],
)
def test_choices(choice: str, ends: str) -> None:
    nodes = f"[trunk] t = MatMul(x, W) r = Relu(t) [out] o = MatMul(r, R) {choice}"
    model = ir.from_onnx_text(
        f'<ir_version: 10, opset_import: ["" : 20]> g (float[N, 8] x, float[8, 8] W, float[8, 8] R, int64[1] one, '
        f"int64[3] three, int64[1] boxes) => ({ends}) {{ {nodes} }}"
    )
    kept = {one.operator for one in float_operators(model, FLOAT_GROUPS)}
    assert kept & {"ArgMax", "TopK", "NonMaxSuppression"}
    assert not kept & {"MatMul", "Relu"}


def test_boxes_that_say_where_a_second_network_looks() -> None:
    """Faster R-CNN: boxes are decoded in the middle of the graph, and layers come after them."""
    nodes = """[trunk] t = Conv(x, C) [rpn] b = Conv(t, C1) [four] r = Reshape(b, three) [exp] e = Exp(r)
        [roi] o = RoiAlign(t, e, three) [again] u = Conv(o, C2) y = Relu(u)"""
    assert found(nodes, ends=MAP) == {"four": "decoding", "exp": "decoding", "roi": "grids"}


def test_samples_at_computed_positions() -> None:
    nodes = """[trunk] t = Conv(x, C) [offsets] o = Conv(t, C1) [relu] f = Relu(t)
        [scale] s = Div(o, two) [sampled] g = GridSample(f, s) [next] y = Conv(g, C2)"""
    assert found(nodes, ends=MAP) == {"scale": "grids", "sampled": "grids"}


def test_a_constant_grid() -> None:
    nodes = "[before] a = MatMul(x, W) [add] b = Add(a, mesh) [bias] c = Add(b, B) [after] y = MatMul(c, R)"
    assert found(nodes) == {"add": "grids"}
    learned = nodes.replace("mesh", "anchors")
    assert found(learned) == {}


MIDDLES = np.concatenate([stride * (np.arange(640 // stride) + 0.5) for stride in (8, 16, 32)])
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("kind", [ir.DataType.FLOAT, ir.DataType.FLOAT16, ir.DataType.BFLOAT16])
def test_learned_tables_are_no_grids(kind: ir.DataType) -> None:
    """Whatever is rounded lies on some grid; positions that were learned have no even steps."""
    for table in (0.02 * RANDOM.standard_normal((1, 197, 768)), RANDOM.standard_normal((1000, 1100)), np.ones((9, 9))):
        assert not is_grid(ir.tensor(table.astype(kind.numpy())))


@pytest.mark.parametrize(
    "places",
    [
        np.stack(np.meshgrid(np.linspace(-1, 1, 512), np.linspace(-1, 1, 512)), -1),
        np.stack(np.meshgrid((np.arange(1000) + 0.5) / 1000, np.arange(10)), -1)[..., :1],
        np.stack([MIDDLES, MIDDLES[::-1]]),
        np.stack([MIDDLES, MIDDLES[::-1]]) / 640,
        np.arange(100),
    ],
    ids=["normalized", "shares", "three sizes", "three sizes, normalized", "one axis"],
)
def test_coordinates_are_grids(places: Any) -> None:
    assert is_grid(ir.tensor(places.astype(np.float32)))


@pytest.mark.filterwarnings("error")
def test_masks_are_no_grids() -> None:
    mask = np.where(np.tri(8), 0, -np.inf).astype(np.float32)
    assert not is_grid(ir.tensor(mask))
    assert not is_grid(ir.tensor(mask[3]))


def test_a_grid_that_the_head_makes() -> None:
    """Places of a picture are counted in the graph: no layer comes before them."""
    mesh = """[range] g = Range(zero, cells, step) [cast] f = Cast<to = 1>(g) [half] h = Add(f, two)
        [wide] w = Expand(h, size) [stride] u = Mul(w, two)"""
    head = HEAD.replace("Add(d, mesh)", "Add(d, u)")
    kept = found(f"{mesh} {head}", ends="(float[N, 8] x, int64 cells, int64 step, int64[2] size) => (y)")
    assert {"cast", "half", "wide", "stride", "centre"} <= set(kept)
    assert not {"range", "trunk", "relu", "score"} & set(kept)


def test_a_long_tail() -> None:
    """What ends a network may have more nodes than Python calls within calls."""
    tail = " ".join(f"a{turn + 1} = {'Relu' if turn % 2 else 'Tanh'}(a{turn})" for turn in range(1500))
    assert found(f"[out] a0 = MatMul(x, W) {tail} y = Identity(a1500)") == {}
    cut = " ".join(f"a{turn + 1} = Relu(a{turn})" for turn in range(1500))
    assert found(f"[out] a0 = MatMul(x, W) {cut} y = Identity(a1500)") == {}


def test_a_size_that_is_computed_in_floats() -> None:
    """Whole numbers alone are exact; floats of few bits are not. Resize only moves pixels, in any precision."""
    sizes = "s = Shape(t) f = Cast<to = 1>(s) [double] d = Mul(f, two) i = Cast<to = 7>(d)"
    nodes = f"[trunk] t = Conv(x, C) {sizes} [resize] r = Resize(t, , , i) y = Conv(r, C1)"
    kept = found(nodes, ends=MAP)
    assert "double" in kept
    assert not {"trunk", "resize"} & set(kept)
    assert set(kept.values()) == {"grids"}
    whole = "[trunk] t = Conv(x, C) s = Shape(x) r = Resize(t, , , s) y = Conv(r, C1)"
    assert found(whole, ends=MAP) == {}


def test_only_the_groups_that_are_asked_for() -> None:
    assert set(found(HEAD).values()) == {"decoding"}
    assert found(HEAD, groups=("grids",)) == {"centre": "grids"}
    assert found(HEAD, groups=()) == {}
