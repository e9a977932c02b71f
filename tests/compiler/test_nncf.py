"""NNCF as a quantizer: its graphs are those of its settings, it is silent, and nothing is sent anywhere."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from onnx import numpy_helper, parser

from command import QUICK, Command, run_apart
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.result_files import result_from_json
from edgewright_compiler.graphs.exported import copy_graph
from edgewright_compiler.graphs.low_precision import low_precision_nodes
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.quantizers import METHODS, QuantizationError
from edgewright_runtime import Package
from edgewright_targets import Recipe
from tiny_targets import candidate_text, recipe_text, write_target

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
NNCF = Recipe(method="nncf")
SIZE = 8


WEIGHTS = {"W1": (4, 3, 3, 3), "B1": (4,), "W2": (4, 1, 3, 3), "W3": (4, 5)}


def convolutions(folder: Path, name: str = "x") -> Path:
    """Two convolutions, the second by channel, and a product; `name` is what the input is called."""
    model = parser.parse_model(f"""<ir_version: 8, opset_import: ["" : 17]>
        g (float[N,3,{SIZE},{SIZE}] x) => (float[N,5] y) {{
        a = Conv<pads = [1, 1, 1, 1]>(x, W1, B1)
        b = Relu(a)
        c = Conv<group = 4, pads = [1, 1, 1, 1]>(b, W2)
        d = Relu(c)
        e = GlobalAveragePool(d)
        f = Flatten(e)
        y = MatMul(f, W3)
    }}""")
    random = np.random.default_rng(3)
    for weight, shape in WEIGHTS.items():
        array = (random.standard_normal(shape) * 0.3).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, weight))
    model.graph.input[0].name = model.graph.node[0].input[0] = name
    folder.mkdir()
    onnx.save(model, folder / "model.onnx")
    return folder


def pictures(count: int = 12, name: str = "x") -> list[dict[str, np.ndarray[Any, Any]]]:
    random = np.random.default_rng(1)
    return [{name: random.standard_normal((1, 3, SIZE, SIZE)).astype(np.float32)} for _ in range(count)]


def made(folder: Path, recipe: Recipe, place: Path, name: str = "x") -> ir.Model:
    place.mkdir()
    quantize(folder, recipe, pictures(name=name), place)
    return ir.load(copy_graph(place, place / "flat"))


def answers(graph: Path, feeds: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, feed)[0] for feed in feeds])


def test_it_answers_as_the_float_graph_does(tmp_path: Path) -> None:
    folder = convolutions(tmp_path / "float")
    model = made(folder, NNCF, tmp_path / "made")
    assert low_precision_nodes(model, half=False)["Conv"] == 2
    floats = answers(folder / "model.onnx", pictures())
    integers = answers(tmp_path / "made" / "flat" / "model.onnx", pictures())
    assert np.linalg.norm(integers - floats) < 0.1 * np.linalg.norm(floats)


def test_activations_are_unsigned_with_one_scale(tmp_path: Path) -> None:
    """As ONNX Runtime's integer kernels take them: of the depthwise convolution too."""
    model = made(convolutions(tmp_path / "float"), NNCF, tmp_path / "made")
    pairs = [node for node in model.graph if node.op_type == "QuantizeLinear"]
    assert {node.outputs[0].dtype for node in pairs} == {ir.DataType.UINT8}
    scales = [node.inputs[1] for node in pairs]
    assert all(scale is not None and scale.const_value is not None and scale.const_value.size == 1 for scale in scales)


def test_excluded_nodes_stay_in_float(tmp_path: Path) -> None:
    folder = convolutions(tmp_path / "float")
    names = [node.name for node in made(folder, NNCF, tmp_path / "all").graph if node.op_type == "Conv"]
    model = made(folder, Recipe(method="nncf", excluded_nodes=(str(names[0]),)), tmp_path / "made")
    assert low_precision_nodes(model, half=False)["Conv"] == 1


def test_a_reduced_range_is_half_of_the_weights(tmp_path: Path) -> None:
    """NNCF leaves those of depthwise convolutions as they are, which add up few products."""
    model = made(convolutions(tmp_path / "float"), Recipe(method="nncf", reduce_range=True), tmp_path / "made")
    kept = [value.const_value.numpy() for value in model.graph.initializers.values() if value.const_value is not None]
    weights = {array.shape: int(np.abs(array.astype(int)).max()) for array in kept if array.dtype == np.int8}
    assert {shape: most for shape, most in weights.items() if len(shape) > 1} == {
        WEIGHTS["W1"]: 64,
        WEIGHTS["W2"]: 127,
        WEIGHTS["W3"]: 64,
    }


def test_only_operators_that_are_named_are_quantized(tmp_path: Path) -> None:
    model = made(convolutions(tmp_path / "float"), Recipe(method="nncf", operators=("MatMul",)), tmp_path / "made")
    assert low_precision_nodes(model, half=False) == {"MatMul": 1}


@pytest.mark.parametrize("name", ["pixel values", "serving/x:0", "ä.1"])
def test_inputs_have_any_name(tmp_path: Path, name: str) -> None:
    made(convolutions(tmp_path / "float", name), NNCF, tmp_path / "made", name)


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    folder = convolutions(tmp_path / "float")
    for place in ("one", "two"):
        made(folder, Recipe(method="nncf", bias_correction="full"), tmp_path / place)
    for file in ("model.onnx", "weights/weights.bin"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_what_it_cannot_take_is_a_sentence(tmp_path: Path) -> None:
    """It looks up the type of what a cast takes, which nobody knows behind an operator of another domain."""
    text = """<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]> g (float[N,3,8,8] x) => (float[N,3,8,8] y) {
        a = com.microsoft.QuickGelu(x)
        y = Cast<to = 1>(a)
    }"""
    folder = tmp_path / "float"
    folder.mkdir()
    onnx.save(parser.parse_model(text), folder / "model.onnx")
    with pytest.raises(QuantizationError, match=r"^NNCF failed: KeyError: 'a'$"):
        made(folder, NNCF, tmp_path / "made")


def test_a_graph_over_2_gb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "weights.bin").open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(QuantizationError, match=r"^NNCF takes graphs of less than 2 GiB; this one has 2\.0 GiB\.$"):
        METHODS["nncf"](tmp_path, NNCF, pictures(), tmp_path)


def built(command: Command, tmp_path: Path, bias_correction: str) -> EngineResult:
    """The engine of NNCF in the evidence of a build, from a target's file on."""
    target = write_target(
        tmp_path / "nncf.toml",
        recipe_text("nncf", method="nncf", bias_correction=bias_correction),
        candidate_text("cpu-nncf", "nncf", "int8"),
    )
    np.savez(command.folder / "d.npz", x=np.concatenate([feed["x"] for feed in pictures()]))
    graph = convolutions(tmp_path / "float") / "model.onnx"
    package = command.folder / "p"
    done = command("build", graph, "--calibration", command.folder / "d.npz", "--target", target, "-o", package, *QUICK)
    assert done.code == 0, done.err
    assert not any(word in done.out + done.err for word in ("INFO:nncf", "Statistics collection", "\u2501"))
    result = result_from_json(Package.open(package).evidence("nncf"), "evidence")
    return next(engine for engine in result.engines if engine.name == "nncf-cpu-nncf")


def test_a_build_tries_it(command: Command, tmp_path: Path) -> None:
    engine = built(command, tmp_path, "off")
    assert engine.status != "failed", engine.reasons
    assert engine.low_precision["Conv"] == 2


_APART = """
import socket
import sys
from pathlib import Path

class Refused(socket.socket):
    def __init__(self, *arguments, **options):
        raise AssertionError("a socket was opened")

socket.socket = Refused

import numpy as np
from edgewright_compiler.graphs.quantize import quantize
from edgewright_targets import Recipe

feeds = [{"x": np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)} for _ in range(3)]
place = Path(sys.argv[2])
place.mkdir()
before = np.random.get_state()[1].tolist()
quantize(Path(sys.argv[1]), Recipe(method="nncf"), feeds, place)
assert np.random.get_state()[1].tolist() == before
assert "nncf" in sys.modules
assert sys.modules.get("openvino_telemetry") is None
import logging
assert logging.getLoggerClass() is logging.Logger
"""


def test_nothing_is_sent_printed_or_left_behind(tmp_path: Path) -> None:
    """In a process without pytest, which NNCF takes as a sign to send nothing; its maker's library writes into HOME."""
    home = tmp_path / "home"
    home.mkdir()
    outcome = run_apart(
        convolutions(tmp_path / "float"),
        tmp_path / "made",
        cache=tmp_path / "cache",
        env={"HOME": str(home)},
        program=(sys.executable, "-c", _APART),
    )
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert list(home.iterdir()) == []


def test_without_nncf_the_candidate_fails_and_says_what_to_install(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    engine = built(command, tmp_path, "full")
    assert engine.status == "failed"
    assert engine.reasons == (
        "This needs the library 'nncf', which is not installed. Install it with: pip install 'edgewright[nncf]'",
    )
