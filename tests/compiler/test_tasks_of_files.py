"""A file that is named directly reaches the task of the model whose files lie beside it, as its folder does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import onnx_ir
import pytest

import tiny_models
from edgewright_compiler.processors.text import TokenizerBeside
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_targets import InputError

CONFIG = {"model_type": "bert", "architectures": ["BertForSequenceClassification"], "id2label": {"0": "a", "1": "b"}}
ARRAYS = "For named arrays, pass --task arrays."


def _write(folder: Path, config: Any, *, place: str = "model.onnx", tokenizer: bool = True) -> Path:
    """Scores of two classes, and what lies beside them."""
    path = folder / place
    path.parent.mkdir(parents=True)
    model = onnx_ir.from_onnx_text("""<ir_version: 8, opset_import: ["" : 17]>
        g (int64[n,t] input_ids) => (float[n,2] logits) <float[1,2] w = {1, -2}> {
            ids = Cast <to = 1> (input_ids) most = ReduceMax <axes = [1], keepdims = 1> (ids)
            logits = MatMul (most, w) }""")
    onnx_ir.save(model, path)
    if tokenizer:
        tiny_models.tokenizer().save_pretrained(folder)
    if config is not None:
        (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
    return path


@pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx"])
def test_the_task_of_the_folder(tmp_path: Path, place: str) -> None:
    path = _write(tmp_path / "a", CONFIG, place=place)
    source = open_source(str(path), SourceOptions())
    assert (source.task, source.labels) == ("text-classification", ("a", "b"))
    assert open_source(str(tmp_path / "a"), SourceOptions()).task == source.task
    assert open_source(str(path), SourceOptions("arrays")).task == "arrays"


@pytest.mark.parametrize("config", [None, {}, {"architectures": ["SomethingElse"]}])
def test_files_of_no_task_are_named_arrays(tmp_path: Path, config: Any) -> None:
    assert open_source(str(_write(tmp_path / "a", config)), SourceOptions()).task == "arrays"


def test_what_the_task_lacks_is_said_with_the_way_around_it(tmp_path: Path) -> None:
    path = _write(tmp_path / "a", CONFIG, tokenizer=False)
    with pytest.raises(InputError, match="needs a tokenizer") as caught:
        open_source(str(path), SourceOptions())
    assert f"of a model for text-classification. {ARRAYS}" in caught.value.hint
    assert open_source(str(path), SourceOptions("arrays")).task == "arrays"
    torn = _write(tmp_path / "b", "{")
    with pytest.raises(InputError, match=r"config\.json' cannot be read") as caught:
        open_source(str(torn), SourceOptions())
    assert caught.value.hint == ARRAYS
    # A file that cannot be read at all is no better as named arrays.
    path.write_bytes(b"\x08\x0a")
    with pytest.raises(InputError, match="is not a readable ONNX file") as caught:
        open_source(str(path), SourceOptions())
    assert ARRAYS not in caught.value.hint


def test_a_task_that_takes_no_onnx_file(tmp_path: Path) -> None:
    path = _write(tmp_path / "a", {**CONFIG, "architectures": ["CLIPModel"]})
    with pytest.raises(InputError) as caught:
        open_source(str(path), SourceOptions())
    assert ARRAYS in caught.value.hint


def test_token_types_are_made_where_the_graph_takes_them(tmp_path: Path) -> None:
    path = _write(tmp_path / "a", CONFIG)
    source: Any = open_source(str(path), SourceOptions())
    assert set(source._processor.feeds("turn on")) == {"input_ids", "attention_mask"}
    beside = TokenizerBeside(path, "text-classification")
    beside.take_inputs(("input_ids", "token_type_ids"))
    assert "token_type_ids" in beside.feeds("turn on")


def test_labels_beside_a_file(tmp_path: Path) -> None:
    path = _write(tmp_path / "a", None)
    options = SourceOptions("text-classification")
    with pytest.raises(InputError, match=r"neither a config\.json nor a labels\.txt beside the file names them"):
        open_source(str(path), options)
    (path.parent / "labels.txt").write_text("on\noff\n", encoding="utf-8")
    before = open_source(str(path), options)
    assert before.labels == ("on", "off")
    assert open_source(str(path), SourceOptions("text-classification", ("x", "y"))).labels == ("x", "y")
    (path.parent / "labels.txt").write_text("off\non\n", encoding="utf-8")
    assert open_source(str(path), options).digest() != before.digest()
    (path.parent / "labels.txt").write_text("on\noff\nelse\n", encoding="utf-8")
    with pytest.raises(InputError, match="gives 2 scores, but there are 3 labels"):
        open_source(str(path), options)


def test_folders_of_several_models(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _write(tmp_path / name, CONFIG)
    with pytest.raises(InputError, match=r"folders that have one \(one, two\)") as caught:
        open_source(str(tmp_path), SourceOptions())
    assert f"edgewright build {tmp_path / 'one'}" in caught.value.hint
    shutil.copy(tmp_path / "one" / "model.onnx", tmp_path / "one" / "other.onnx")
    with pytest.raises(InputError, match=r"holds several models: model\.onnx, other\.onnx"):
        open_source(str(tmp_path / "one"), SourceOptions())
