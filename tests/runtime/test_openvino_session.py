"""OpenVINO's own runtime for real: it answers as ONNX Runtime does, under the names and types of the ONNX file."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgewright_runtime.errors import SampleError
from edgewright_runtime.graph import Graph
from edgewright_runtime.onnx_ports import graph_ports, operators
from edgewright_runtime.ov import OpenVinoError, core
from edgewright_runtime.ov.session import OpenVinoSession

pytest.importorskip("openvino")
onnx: Any = pytest.importorskip("onnx")

F32 = {"INFERENCE_PRECISION_HINT": "f32"}


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph with a cache that grows, and inputs of several types; one of them is used by no node."""
    of, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto
    node = onnx.helper.make_node
    graph = onnx.helper.make_graph(
        [
            node("Concat", ["past", "new"], ["present"], axis=2),
            node("ReduceSum", ["present"], ["total"], keepdims=0),
            node("Identity", ["ids"], ["same_ids"]),
            node("Not", ["flag"], ["flipped"]),
            node("Add", ["half", "half"], ["doubled"]),
            node("NonZero", ["ids"], ["places"]),
            node("Mul", ["total", "scale"], ["scaled"]),
        ],
        "steps",
        [
            of("past", kind.FLOAT, ["rows", 2, "past", 4]),
            of("new", kind.FLOAT, ["rows", 2, "new", 4]),
            of("ids", kind.INT64, ["rows", "new"]),
            of("flag", kind.BOOL, ["rows"]),
            of("half", kind.FLOAT16, ["rows", 3]),
            of("unused", kind.FLOAT, [1]),
            of("scale", kind.FLOAT, []),
        ],
        [
            of("present", kind.FLOAT, ["rows", 2, "all", 4]),
            of("total", kind.FLOAT, []),
            of("same_ids", kind.INT64, ["rows", "new"]),
            of("flipped", kind.BOOL, ["rows"]),
            of("doubled", kind.FLOAT16, ["rows", 3]),
            of("places", kind.INT64, [2, "found"]),
            of("scaled", kind.FLOAT, []),
        ],
        # An input with a value of its own is not one that a caller must give.
        initializer=[onnx.helper.make_tensor("scale", kind.FLOAT, [], [2.0])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path_factory.mktemp("steps") / "steps.onnx"
    onnx.save(model, path)
    return path


def opened(path: Path) -> OpenVinoSession:
    return OpenVinoSession(core().compile_model(str(path), "CPU", F32), path, "OpenVINO")


def feeds(new: float = 1.0, past: int = 0) -> dict[str, Any]:
    return {
        "past": np.zeros((1, 2, past, 4), dtype=np.float32),
        "new": np.full((1, 2, 1, 4), new, dtype=np.float32),
        "ids": np.array([[7]]),
        "flag": np.array([True]),
        "half": np.full((1, 3), 0.5, dtype=np.float16),
        "unused": np.zeros(1, dtype=np.float32),
    }


def test_names_types_and_shapes_are_those_of_onnx_runtime(steps: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(steps), providers=["CPUExecutionProvider"])
    for found, expected in zip(graph_ports(steps), (session.get_inputs(), session.get_outputs()), strict=True):
        assert [(p.name, p.type, list(p.shape)) for p in found] == [(e.name, e.type, e.shape) for e in expected]
    assert operators(steps) >= {"Concat", "NonZero"}


def test_answers_and_their_types_are_those_of_onnx_runtime(steps: Path) -> None:
    import onnxruntime

    reference = Graph(onnxruntime.InferenceSession(str(steps), providers=["CPUExecutionProvider"]))
    session = opened(steps)
    graph = Graph(session)
    assert session.nodes > 0
    for past in (0, 3):
        for name, expected in reference.infer(feeds(past=past)).items():
            value = graph.infer(feeds(past=past))[name]
            assert (value.dtype, value.shape) == (expected.dtype, expected.shape), name
            np.testing.assert_array_equal(value, expected)


def test_the_next_run_leaves_earlier_answers_as_they_are(steps: Path) -> None:
    """Outputs are fed back without a copy, so memory of an earlier run must not be written again."""
    session = opened(steps)
    binding = session.io_binding()
    made = []
    for step in range(4):
        for name, value in feeds(new=step + 1.0).items():
            if name != "past" or step == 0:
                binding.bind_cpu_input(name, value)
        binding.bind_output("total")
        binding.bind_output("present", "cpu", 0)
        session.run_with_iobinding(binding)
        made.append(binding.get_outputs())
        binding.bind_ortvalue_input("past", made[-1][1])
    assert [float(total.numpy()) for total, _ in made] == [8.0, 24.0, 48.0, 80.0]
    assert [present.numpy()[0, 0, :, 0].tolist() for _, present in made] == [
        [1.0],
        [1.0, 2.0],
        [1.0, 2.0, 3.0],
        [1.0, 2.0, 3.0, 4.0],
    ]


def test_threads_have_requests_of_their_own(steps: Path) -> None:
    graph = Graph(opened(steps))

    def total(new: float) -> float:
        return float(graph.infer(feeds(new=new, past=2))["total"])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(total, range(64))) == [8.0 * new for new in range(64)]


def test_sizes_that_an_exporter_wrote_as_names_are_numbers(tmp_path: Path) -> None:
    """As torch's exporter writes the heads of a cache: the empty one of a first step takes its shape from there."""
    of, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto
    shape = ["rows", "2", "past", "16"]
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "named", [of("x", kind.FLOAT, shape)], [of("y", kind.FLOAT, shape)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "named.onnx")
    assert opened(tmp_path / "named.onnx").get_inputs()[0].shape == ("rows", 2, "past", 16)


def test_wrong_feeds_are_named(steps: Path) -> None:
    graph = Graph(opened(steps))
    with pytest.raises(SampleError, match="Input 'new' is float64; the model takes tensor"):
        graph.infer({**feeds(), "new": np.ones((1, 2, 1, 4))})
    with pytest.raises(SampleError, match="the model takes"):
        graph.infer({**feeds(), "new": np.ones((1, 2, 1, 5), dtype=np.float32)})
    lacking = feeds()
    del lacking["flag"]
    with pytest.raises(SampleError, match="The model takes the inputs"):
        graph.infer(lacking)
    # After a run that failed the next one works.
    assert graph.infer(feeds())["total"] == 8.0


def test_a_number_that_openvino_would_cut_off_is_refused(steps: Path) -> None:
    graph = Graph(opened(steps))
    with pytest.raises(SampleError, match="beyond 32 bits"):
        graph.infer({**feeds(), "ids": np.array([[2**40]])})
    assert graph.infer({**feeds(), "ids": np.array([[2**31 - 1]])})["same_ids"] == 2**31 - 1


@pytest.mark.parametrize("cut", [0, 1, 40, 200, -40])
def test_a_file_that_is_cut_off_is_an_error(steps: Path, tmp_path: Path, cut: int) -> None:
    content = steps.read_bytes()
    (tmp_path / "cut.onnx").write_bytes(content[:cut])
    with pytest.raises(ValueError, match=r"cut off|no graph|empty file"):
        graph_ports(tmp_path / "cut.onnx")


def test_a_graph_that_openvino_does_not_know_is_refused_in_words(tmp_path: Path) -> None:
    of, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Upper", ["x"], ["y"])], "odd", [of("x", kind.STRING, [1])], [of("y", kind.STRING, [1])]
    )
    onnx.save(onnx.helper.make_model(graph), tmp_path / "odd.onnx")
    with pytest.raises(OpenVinoError, match="not arrays that numpy has: x, y"):
        OpenVinoSession(None, tmp_path / "odd.onnx", "OpenVINO")


@pytest.mark.parametrize("first", ["edgewright_runtime", "edgewright_runtime.ov"])
def test_openvino_sends_nothing(tmp_path: Path, first: str) -> None:
    """With its telemetry it writes an id of the user into the home folder from its import on, and sends its use."""
    # There it keeps quiet by itself.
    servers = ("CI", "TF_BUILD", "JENKINS_URL")
    environment = {name: value for name, value in os.environ.items() if name not in servers}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    script = (
        f"import sys, {first}; from edgewright_runtime.ov import core; core(); import openvino\n"
        "print([name for name, found in sys.modules.items() if 'openvino_telemetry' in name and found is not None])"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert list(tmp_path.rglob("*")) == []
