"""Causal language models as ONNX files with caches, as optimum exports them, against transformers' own generation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import onnx_ir
import pytest
import transformers

import tiny_exports
import tiny_models
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import load
from edgewright_targets import InputError

PROMPTS = ("turn on the hall light", "play some", "set a timer for ten minutes and switch off the lamp")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_causal(tmp_path_factory.mktemp("causal") / "gpt")


@pytest.fixture(scope="module")
def exported(checkpoint: Path) -> Path:
    """A folder with one graph, as optimum writes it today."""
    return tiny_exports.write_causal(checkpoint.parent / "exported", checkpoint)


@pytest.fixture(scope="module")
def pair(checkpoint: Path) -> Path:
    """A folder with a graph for the first token and one for the others, as optimum wrote it for long."""
    return tiny_exports.write_causal(checkpoint.parent / "pair", checkpoint, pair=True)


def _write(form: str, exported: Path, pair: Path, folder: Path) -> Path:
    shutil.copytree(exported if form == "one" else pair, folder)
    if form == "merged":
        tiny_exports.merge_decoders(folder)
    if form == "alone":
        (folder / "decoder_model.onnx").unlink()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("form", ["one", "pair", "merged", "alone"])
def test_folders_as_optimum_exports_them(
    form: str, checkpoint: Path, exported: Path, pair: Path, sources: Path, tmp_path: Path
) -> None:
    folder, output = _write(form, exported, pair, tmp_path / form), tmp_path / "p"
    options = BuildOptions(output=output, evaluation=sources / "train.csv", targets=(str(sources / "tiny.toml"),))
    (job,) = read_jobs(str(folder), options)
    assert job.source.task == "text-generation"
    # The loop's scores are compared with those of whole texts, or of single tokens where no file takes more.
    draft_package(job, output, StageCache(), Quiet())
    loader: Any = transformers.AutoModelForCausalLM
    whole, tokenizer = loader.from_pretrained(checkpoint), transformers.AutoTokenizer.from_pretrained(checkpoint)
    with load(output, engine="tiny-cpu-fp32") as model:
        for prompt in PROMPTS:
            feeds = tokenizer(prompt, return_tensors="pt")
            made = whole.generate(**feeds, max_new_tokens=12, do_sample=False)[0]
            expected = tokenizer.decode(made[feeds["input_ids"].shape[1] :], skip_special_tokens=True)
            assert model(prompt, max_new_tokens=12) == expected


@pytest.mark.slow
def test_the_graph_without_caches_counts_in_the_digest(pair: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pair"
    shutil.copytree(pair, folder)
    before = open_source(str(folder), SourceOptions()).digest()
    model = onnx_ir.load(folder / "decoder_model.onnx")
    model.graph.name = "another"
    onnx_ir.save(model, folder / "decoder_model.onnx")
    assert open_source(str(folder), SourceOptions()).digest() != before


def test_graphs_without_caches_and_files_without_a_configuration(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(exported, folder)
    model = onnx_ir.load(folder / "model.onnx")
    del model.graph.outputs[1:]
    onnx_ir.save(model, folder / "model.onnx")
    with pytest.raises(InputError, match=r"the graph has the inputs past_key_values\.0\.key") as caught:
        open_source(str(folder), SourceOptions())
    assert "text-generation-with-past" in caught.value.hint
    (folder / "config.json").unlink()
    with pytest.raises(InputError, match=r"needs config\.json beside the file"):
        open_source(str(folder / "model.onnx"), SourceOptions("text-generation"))
    assert json.loads((exported / "config.json").read_text(encoding="utf-8"))["model_type"] == "gpt2"
