"""Graphs of fixed shapes: which shape, and the same answers."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.building.stage import CandidateError
from edgewright_compiler.graphs.exported import ExportedFolder, ExportedModel, Ports
from edgewright_compiler.graphs.feed_shapes import shapes_of
from edgewright_compiler.graphs.fixed_shapes import FixingError, choose_length, choose_shapes, fix_shapes
from edgewright_runtime.manifest import PipelineSpec, StepSpec
from edgewright_targets import InputError
from tiny_models import write_onnx


def test_the_length_holds_nearly_all_texts_whole() -> None:
    length = choose_length([5] * 99 + [40], limit=512)
    assert (length.tokens, length.longest, length.cut) == (8, 40, 1)
    assert "1 of 100 texts (1.0%) are longer (up to 40 tokens) and are cut" in length.sentence()
    assert choose_length([9], limit=512).tokens == 16
    assert choose_length([8], limit=512).tokens == 8
    assert choose_length([500], limit=510).tokens == 504
    assert choose_length([900], limit=510).tokens == 510


def test_without_data_nothing_can_be_chosen() -> None:
    with pytest.raises(InputError, match="no data to choose") as caught:
        choose_shapes(shapes_of([]), {"input_ids": 512})
    assert "--calibration" in str(caught.value)


def test_arrays_must_be_alike() -> None:
    alike = [{"pixels": np.zeros((count, 8), np.float32)} for count in (1, 4)]
    shapes, note = choose_shapes(shapes_of(alike))
    assert shapes == {"pixels": (1, 8)}
    assert "pixels has the fixed shape [1, 8]" in note
    with pytest.raises(FixingError, match=r"samples of 'pixels' have 2 shapes \(\[4\], \[8\]"):
        choose_shapes(shapes_of([*alike, {"pixels": np.zeros((1, 4), np.float32)}]))


def test_texts_beside_arrays() -> None:
    pixels = np.zeros((1, 3, 4), np.float32)
    feeds: list[dict[str, Any]] = [{"ids": np.zeros((1, n), np.int64), "pixels": pixels} for n in (5, 7)]
    shapes, note = choose_shapes(shapes_of(feeds), {"ids": 16})
    assert shapes == {"ids": (1, 8), "pixels": (1, 3, 4)}
    assert "8 tokens" in note
    assert "pixels" in note


def test_a_graph_in_a_loop_has_no_one_shape(tmp_path: Path) -> None:
    pipeline = PipelineSpec("text", "text", (StepSpec("generate", {"component": "decoder", "loop": {}}),))
    graphs = {"encoder": Ports(("ids",), ("vectors",)), "decoder": Ports(("ids",), ("logits",))}
    exported = ExportedModel(task="text-generation", labels=(), pipeline=pipeline, graphs=graphs)
    nothing: Any = None  # no stage is run
    with pytest.raises(CandidateError, match=r"^decoder: .* runs in a loop whose windows or states"):
        Graphs(nothing, nothing, nothing, ExportedFolder(tmp_path, exported, "")).fixed()


def test_ranges_of_shapes() -> None:
    sizes = [(1, length) for length in (9, 3, 5, 30)]
    shapes = shapes_of([{"ids": np.zeros(size, np.int64)} for size in sizes])
    assert shapes.samples == 4
    assert (shapes.minimum("ids"), shapes.typical("ids"), shapes.maximum("ids")) == ((1, 3), (1, 5), (1, 30))


def _component(folder: Path) -> Path:
    folder.mkdir()
    write_onnx(folder / "model.onnx")
    return folder


def test_a_graph_of_fixed_shapes_answers_the_same(tmp_path: Path) -> None:
    import onnxruntime

    component = _component(tmp_path / "component")
    fix_shapes(component, {"pixels": (1, 8)}, tmp_path / "fixed")
    model = ir.load(tmp_path / "fixed" / "model.onnx")
    assert [list(value.shape or ()) for value in (*model.graph.inputs, *model.graph.outputs)] == [[1, 8], [1, 4]]
    pixels = np.random.default_rng(0).normal(size=(1, 8)).astype(np.float32)
    answers = []
    for folder in (component, tmp_path / "fixed"):
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(folder / "weights")
        )
        session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        answers.append(session.run(None, {"pixels": pixels})[0])
    assert np.allclose(answers[0], answers[1], atol=1e-6)


def test_a_shape_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    component = _component(tmp_path / "component")
    with pytest.raises(FixingError, match=r"'pixels' .* cannot be fixed to"):
        fix_shapes(component, {"pixels": (1, 9)}, tmp_path / "fixed")
