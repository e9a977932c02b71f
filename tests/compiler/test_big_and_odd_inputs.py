"""Inputs that ask for far too much, or lie elsewhere than usual: bounded, read, or refused in a sentence."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnx_ir as ir
import onnxruntime
import pytest

import tiny_models
from command import Command
from edgewright_benchmarks.data import _table, read_dataset
from edgewright_benchmarks.judging.evidence import data_facts
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_compiler.building.job import GOLDEN_SAMPLES, BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.checkpoints.checkpoint import read_config, read_json
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_compiler.sources.other_forms import refuse_weights
from edgewright_targets import InputError


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """An ONNX file as the cache of Hugging Face's hub has it: links to blobs of other names."""
    plain = tmp_path / "plain"
    plain.mkdir()
    tiny_models.write_onnx(plain / "model.onnx", external="model.onnx_data")
    blobs, snapshot = tmp_path / "cache" / "blobs", tmp_path / "cache" / "snapshots" / "abc" / "onnx"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, name in enumerate(("model.onnx", "model.onnx_data")):
        shutil.copy(plain / name, blobs / str(number))
        (snapshot / name).symlink_to(Path("../../../blobs") / str(number))
    return snapshot / "model.onnx"


def test_weights_behind_links_are_read(hub: Path, tmp_path: Path) -> None:
    linked, plain = (open_source(str(path), SourceOptions()) for path in (hub, tmp_path / "plain" / "model.onnx"))
    sample = {"pixels": np.ones((1, 8), np.float32)}
    for ours, expected in zip(linked.reference([sample]), plain.reference([sample]), strict=True):
        for name in expected:
            np.testing.assert_array_equal(ours[name], expected[name])
    linked.digest()
    (tmp_path / "linked").mkdir()
    linked.export(tmp_path / "linked")


def test_a_link_to_nothing_is_refused(hub: Path) -> None:
    hub.with_name("model.onnx_data").unlink()
    hub.with_name("model.onnx_data").symlink_to("nowhere")
    with pytest.raises(InputError, match="there is no such file beside it"):
        open_source(str(hub), SourceOptions()).digest()


@pytest.mark.parametrize("location", ["../blobs/1", "/etc/hostname", "a/../../b"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    path = tiny_models.write_onnx(tmp_path / "model.onnx", external="w.bin")
    model = ir.load(path)
    for value in model.graph.initializers.values():
        tensor = value.const_value
        if isinstance(tensor, ir.ExternalTensor):
            value.const_value = ir.ExternalTensor(
                location, tensor.offset, tensor.length, tensor.dtype, shape=tensor.shape, name=str(tensor.name)
            )
    proto = ir.serde.serialize_model(model)
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(InputError, match="refers to weights outside its folder"):
        open_source(str(path), SourceOptions()).digest()


def _in_files(folder: Path, weights: dict[str, str], *, attribute: bool) -> Path:
    """A graph that multiplies by `a` and `b`, kept in files at these names, as initializers or in attributes."""
    made = "".join(f"{name} = Constant <value = float[2] {{0, 0}}> () " for name in weights)
    held = ", ".join(f"float[2] {name} = {{0, 0}}" for name in weights)
    proto = onnx.parser.parse_model(
        f"""<ir_version: 8, opset_import: ["" : 17]> graph (float[n, 2] x) => (float[n, 2] y)
        {"" if attribute else f"<{held}>"} {{ {made if attribute else ""} m = Mul (x, a) y = Mul (m, b) }}"""
    )
    inside = [node.attribute[0].t for node in proto.graph.node if node.op_type == "Constant"]
    for tensor, location in zip(inside or proto.graph.initializer, weights.values(), strict=True):
        (folder / location).parent.mkdir(parents=True, exist_ok=True)
        (folder / location).write_bytes(np.full(2, 3, np.float32).tobytes())
        tensor.ClearField("float_data")
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
    (folder / "model.onnx").write_bytes(proto.SerializeToString())
    return folder / "model.onnx"


@pytest.mark.parametrize("attribute", [False, True], ids=["initializers", "attributes"])
@pytest.mark.parametrize("changed", ["one/w.bin", "two/w.bin"])
def test_the_digest_is_that_of_every_file_of_weights(tmp_path: Path, changed: str, attribute: bool) -> None:
    path = _in_files(tmp_path, {"a": "one/w.bin", "b": "two/w.bin"}, attribute=attribute)
    before = open_source(str(path), SourceOptions()).digest()
    (tmp_path / changed).write_bytes(np.full(2, 5, np.float32).tobytes())
    assert open_source(str(path), SourceOptions()).digest() != before


def test_weights_in_attributes_come_along(tmp_path: Path) -> None:
    """Nothing writes them beside a graph again: an exported one pointed at a file that it did not have."""
    (tmp_path / "theirs").mkdir()
    path = _in_files(tmp_path / "theirs", {"a": "one.bin", "b": "two.bin"}, attribute=True)
    (tmp_path / "theirs" / "two.bin").rename(tmp_path / "blob")
    (tmp_path / "theirs" / "two.bin").symlink_to(tmp_path / "blob")
    open_source(str(path), SourceOptions()).export(tmp_path / "export")
    shutil.rmtree(tmp_path / "theirs")
    session = onnxruntime.InferenceSession(next((tmp_path / "export").rglob("*.onnx")))
    np.testing.assert_array_equal(session.run(None, {"x": np.ones((1, 2), np.float32)})[0], [[9, 9]])


@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname"])
def test_an_attribute_that_leaves_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "here").mkdir()
    path = _in_files(tmp_path / "here", {"a": "w.bin", "b": "w.bin"}, attribute=True)
    proto = onnx.load(path, load_external_data=False)
    proto.graph.node[0].attribute[0].t.external_data[0].value = location
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(InputError, match="refers to weights outside its folder"):
        open_source(str(path), SourceOptions())


@pytest.mark.parametrize("attribute", [False, True], ids=["initializers", "attributes"])
@pytest.mark.parametrize(("left", "says"), [(None, "no such file beside it"), (4, "cut off")])
def test_a_file_of_weights_that_lacks_is_refused(
    tmp_path: Path,
    attribute: bool,
    left: int | None,
    says: str,
) -> None:
    path = _in_files(tmp_path, {"a": "w.bin", "b": "w.bin"}, attribute=attribute)
    (tmp_path / "w.bin").unlink() if left is None else (tmp_path / "w.bin").write_bytes(bytes(left))
    with pytest.raises(InputError, match=says):
        open_source(str(path), SourceOptions())


@pytest.mark.parametrize(
    "config",
    [
        {"num_hidden_layers": 10**7},
        {"n_layer": 10**12},
        {"encoder_layers": 2, "decoder_layers": 20_000},
        {"text_config": {"num_hidden_layers": 10**7}},
        {"depths": [2, 2, 10**7, 2]},
        {"vision_config": {"inner": {"depth": 10**6}}},
        {"num_experts": 10**6},
        {"text_config": {"num_local_experts": 20_000}},
        {"n_routed_experts": 10**9, "n_shared_experts": 1},
        {"moe_num_experts": [64, 10**6]},
        {"c2f_num_blocks": 10**6},
        {"block_repeats": [1, 10**6]},
        {"num_upsampling_stages": 10**6},
        {"num_feature_levels": 10**6},
        {"num_codebooks": 10**6},
        {"num_quantizers": 10**6},
    ],
)
def test_a_configuration_of_endless_layers_is_refused(tmp_path: Path, config: dict[str, object]) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", **config}), encoding="utf-8")
    with pytest.raises(InputError, match="at most 16,384 are supported"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        {"vocab_size_per_layer_input": 262_144},
        {"expert_ffn_hidden_size": 18_432},
        {"shared_expert_intermediate_size": 20_480},
        {"num_hidden_layers": 94, "num_experts": 16_384},
    ],
)
def test_sizes_of_parts_are_no_numbers_of_parts(tmp_path: Path, config: dict[str, object]) -> None:
    """Gemma 3n and others of many experts, as their configurations are."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", **config}), encoding="utf-8")
    assert read_config(tmp_path)["model_type"] == "bert"


def test_a_configuration_with_a_hole_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "config.json").open("wb") as file:
        os.ftruncate(file.fileno(), 2**33)
    with pytest.raises(InputError, match="the limit for a configuration is 64 MiB"):
        read_config(tmp_path)


@pytest.fixture(params=["csv", "jsonl"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A thousand rows, with empty lines between some of them."""
    path = tmp_path / f"data.{request.param}"
    with path.open("w", encoding="utf-8") as file:
        if request.param == "csv":
            file.write("text,label\n")
        for number in range(1000):
            row = {"text": f"text {number}", "label": tiny_models.LABELS[number % 2]}
            file.write(
                (",".join(row.values()) if request.param == "csv" else json.dumps(row)) + "\n" * (1 + number % 3)
            )
    return path


def read(path: Path, most: int | None = None) -> tuple[tuple[object, ...], tuple[object, ...] | None, str]:
    names = tuple(tiny_models.LABELS)
    found = read_dataset(path, task="text-classification", input_name="text", class_names=names, most=most)
    return found.samples, found.labels, found.digest


def test_a_part_of_a_table_is_the_same_whether_all_was_kept(table: Path) -> None:
    names = tuple(tiny_models.LABELS)
    whole = read_dataset(table, task="text-classification", input_name="text", class_names=names)
    assert len(whole.samples) == 1000
    for count in (1, 17, 999, 1000, 5000):
        part = whole.part(count)
        assert read(table, count) == (part.samples, part.labels, part.digest)


def test_a_table_too_large_for_memory_names_samples(
    table: Path, monkeypatch: pytest.MonkeyPatch, command: Command, text_package: Path
) -> None:
    monkeypatch.setattr(_table, "MOST_ROWS", 500)
    with pytest.raises(InputError, match="more than 500 rows"):
        read(table)
    assert len(read(table, 20)[0]) == 20
    command.refuses("bench", text_package, "--data", table, says=["more than 500 rows", "--samples"])


@pytest.mark.parametrize("given", ["calibration", "golden"])
def test_of_tables_that_need_few_samples_any_size_is_taken(
    table: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: Path, given: str
) -> None:
    """They were refused, with the advice to pass --samples, which did not change it."""
    monkeypatch.setattr(_table, "MOST_ROWS", 500)
    monkeypatch.setattr("edgewright_compiler.building.read_jobs.MOST_ROWS", 500)
    options: dict[str, Any] = {"calibration": table, "evaluation": table, given: table}
    settings = MeterSettings(samples=30)
    (job,) = read_jobs(str(checkpoint), BuildOptions(output="out", targets=("x86-64",), meter=settings, **options))
    assert job.calibration is not None
    assert len(job.calibration.samples) == 500
    assert len(job.evaluation.samples) == 30
    assert job.golden is None or len(job.golden.samples) == GOLDEN_SAMPLES


def test_data_is_the_same_however_much_of_it_was_read(tmp_path: Path) -> None:
    """The digest of a table of files is that of those that were read: that engines were chosen on it went unsaid."""
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(bytes([number]))
    table, other = tmp_path / "a.csv", tmp_path / "b.csv"
    for path, ending in ((table, ""), (other, "\n0.png")):
        path.write_text("\n".join(["image", *(f"{number}.png" for number in range(6))]) + ending)
    facts = {
        (path.name, most): data_facts(read_dataset(path, task="image-classification", input_name="image", most=most))
        for path in (table, other, tmp_path)
        for most in (None, 2, 4)
    }
    for (one, _), first in facts.items():
        for (two, _), second in facts.items():
            assert first.same_data(second) == (one == two)
    assert facts["a.csv", 2].digest != facts["a.csv", 4].digest


@pytest.mark.parametrize("name", ["data.csv", "data.npz", "config.json", "model.safetensors"])
def test_a_pipe_or_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    """Opening a pipe would wait for its other end."""
    path = tmp_path / name
    kinds: dict[str, Callable[[Path], None]] = {"pipe": os.mkfifo, "folder": Path.mkdir}
    for make in kinds.values():
        make(path)
        if path.suffix == ".json":
            with pytest.raises(InputError, match=r"not a regular file|no config\.json"):
                read_json(path)
        elif path.suffix == ".safetensors":
            with pytest.raises(InputError, match="not a regular file"):
                refuse_weights(tmp_path, {})
        else:
            task, takes = ("arrays", "*") if path.suffix == ".npz" else ("text-classification", "text")
            with pytest.raises(InputError, match=r"not a plain file|is a folder|has no .npz files"):
                read_dataset(path, task=task, input_name=takes)
        path.rmdir() if path.is_dir() else path.unlink()
