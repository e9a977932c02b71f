"""A causal language model as an ONNX file with caches, as optimum exports it, against transformers' own generation."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import onnx_ir
import pytest
import torch
import transformers
from torch import nn
from transformers.cache_utils import DynamicCache

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


class WithPast(nn.Module):
    """Tokens, their mask and positions, and the caches of two layers, to scores and caches: optimum's order."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, *past: torch.Tensor) -> Any:
        cache: Any = DynamicCache()
        for layer in range(len(past) // 2):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        found = self.model(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        )
        return (found.logits, *(part for one in cache.layers for part in (one.keys, one.values)))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The checkpoint, and a folder as optimum writes it."""
    base = tmp_path_factory.mktemp("causal")
    checkpoint = tiny_models.write_causal(base / "gpt")
    folder = base / "exported"
    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    loader: Any = transformers.AutoModelForCausalLM
    model = loader.from_pretrained(checkpoint, attn_implementation="eager").eval()
    layers = [f"{layer}.{part}" for layer in range(2) for part in ("key", "value")]
    past = [torch.zeros(2, 2, 4, 16) for _ in layers]
    ids = torch.arange(6).reshape(2, 3)
    names = ["input_ids", "attention_mask", "position_ids", *(f"past_key_values.{name}" for name in layers)]
    made = ["logits", *(f"present.{name}" for name in layers)]
    free = {"input_ids": {0: "n", 1: "t"}, "attention_mask": {0: "n", 1: "all"}, "position_ids": {0: "n", 1: "t"}}
    free |= {name: {0: "n", 2: "past"} for name in names[3:]} | {name: {0: "n", 2: "all"} for name in made[1:]}
    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            WithPast(model).eval(),
            (ids, torch.ones(2, 7, dtype=torch.int64), ids % 3 + 4, *past),
            folder / "model.onnx",
            input_names=names,
            output_names=made,
            dynamic_axes={**free, "logits": {0: "n", 1: "t"}},
            dynamo=False,
        )
    return checkpoint, folder


@pytest.mark.slow
def test_a_folder_as_optimum_exports_it(exported: tuple[Path, Path], sources: Path, tmp_path: Path) -> None:
    checkpoint, folder = exported
    output = tmp_path / "p"
    options = BuildOptions(output=output, evaluation=sources / "train.csv", targets=(str(sources / "tiny.toml"),))
    (job,) = read_jobs(str(folder), options)
    assert job.source.task == "text-generation"
    # The scores of whole texts, with the file's own caches empty, are compared with those of the loop.
    draft_package(job, output, StageCache(), Quiet())
    loader: Any = transformers.AutoModelForCausalLM
    whole, tokenizer = loader.from_pretrained(checkpoint), transformers.AutoTokenizer.from_pretrained(checkpoint)
    with load(output, engine="tiny-cpu-fp32") as model:
        for prompt in PROMPTS:
            feeds = tokenizer(prompt, return_tensors="pt")
            made = whole.generate(**feeds, max_new_tokens=12, do_sample=False)[0]
            expected = tokenizer.decode(made[feeds["input_ids"].shape[1] :], skip_special_tokens=True)
            assert model(prompt, max_new_tokens=12) == expected


def test_graphs_without_caches_and_files_without_a_configuration(exported: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(exported[1], folder)
    model = onnx_ir.load(folder / "model.onnx")
    del model.graph.outputs[1:]
    onnx_ir.save(model, folder / "model.onnx")
    with pytest.raises(InputError, match=r"the graph has the inputs past_key_values\.0\.key") as caught:
        open_source(str(folder), SourceOptions())
    assert "text-generation-with-past" in caught.value.hint
    (folder / "config.json").unlink()
    with pytest.raises(InputError, match=r"needs config\.json beside the file"):
        open_source(str(folder / "model.onnx"), SourceOptions("text-generation"))
    assert json.loads((exported[1] / "config.json").read_text(encoding="utf-8"))["model_type"] == "gpt2"
