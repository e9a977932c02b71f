"""Encoder-decoders as optimum exports them, in three graphs, against the texts that transformers writes."""

from __future__ import annotations

import importlib
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

import tiny_writers
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import load
from edgewright_targets import InputError
from tiny_writers import FAMILIES, TEXTS, TRANSLATIONS

# Each exports with torch and compares with the files.
pytestmark = pytest.mark.slow

MARIAN, _, T5 = FAMILIES
LAYERS = 2
CACHES = [
    f"{layer}.{side}.{part}" for layer in range(LAYERS) for side in ("decoder", "encoder") for part in ("key", "value")
]


class Reads(nn.Module):
    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder = model.get_encoder()

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> Any:
        return self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state


class Writes(nn.Module):
    """The decoder; with a past, its caches are given in the order of `CACHES` and no hidden states."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, mask: torch.Tensor, ids: torch.Tensor, *given: torch.Tensor) -> Any:
        cache: Any = EncoderDecoderCache(DynamicCache(), DynamicCache())
        read = given[0]
        if len(given) > 1:
            for layer in range(LAYERS):
                own, cross = given[4 * layer : 4 * layer + 2], given[4 * layer + 2 : 4 * layer + 4]
                cache.self_attention_cache.update(*own, layer)
                cache.cross_attention_cache.update(*cross, layer)
                cache.is_updated[layer] = True
            read = given[2].new_zeros((ids.shape[0], given[2].shape[2], self.model.config.d_model))
        found = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=read),
            attention_mask=mask,
            decoder_input_ids=ids,
            past_key_values=cache,
            use_cache=True,
        )
        made = [found.logits]
        for own, cross in zip(cache.self_attention_cache.layers, cache.cross_attention_cache.layers, strict=True):
            made += [own.keys, own.values] if len(given) > 1 else [own.keys, own.values, cross.keys, cross.values]
        return tuple(made)


def _export(module: nn.Module, path: Path, inputs: dict[str, Any], outputs: list[str], free: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            path,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes=free,
            dynamo=False,
        )


def write_exported(folder: Path, checkpoint: Path, kind: str) -> Path:
    """The three graphs, and of the checkpoint all but its weights."""
    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    model = getattr(importlib.import_module("transformers"), kind)
    model = model.from_pretrained(checkpoint, attn_implementation="eager").eval()
    ids = torch.arange(10).reshape(2, 5) + 3
    mask = torch.ones_like(ids)
    texts = {0: "n", 1: "t"}
    _export(
        Reads(model),
        folder / "encoder_model.onnx",
        {"input_ids": ids, "attention_mask": mask},
        ["last_hidden_state"],
        dict.fromkeys(("input_ids", "attention_mask", "last_hidden_state"), texts),
    )
    read = torch.zeros(2, 5, model.config.d_model)
    present = [f"present.{name}" for name in CACHES]
    free = {"encoder_attention_mask": texts, "input_ids": {0: "n", 1: "new"}, "encoder_hidden_states": texts}
    free |= {"logits": {0: "n", 1: "new"}, **{name: {0: "n", 2: name} for name in present}}
    inputs = {"encoder_attention_mask": mask, "input_ids": ids[:, :3]}
    _export(
        Writes(model),
        folder / "decoder_model.onnx",
        {**inputs, "encoder_hidden_states": read},
        ["logits", *present],
        free,
    )
    with torch.no_grad():
        _, *caches = Writes(model)(mask, ids[:, :3], read)
    given = {f"past_key_values.{name}": value for name, value in zip(CACHES, caches, strict=True)}
    own = [name for name in present if ".decoder." in name]
    free = {"encoder_attention_mask": texts, "input_ids": {0: "n"}, "logits": {0: "n"}}
    free |= {name: {0: "n", 2: name} for name in (*given, *own)}
    _export(
        Writes(model),
        folder / "decoder_with_past_model.onnx",
        {**inputs, "input_ids": ids[:, :1], **given},
        ["logits", *own],
        free,
    )
    return folder


@pytest.mark.parametrize("kind", [MARIAN, T5])
def test_folders_as_optimum_exports_them(kind: str, sources: Path, tmp_path: Path) -> None:
    checkpoint = tiny_writers.write_writer(tmp_path / "checkpoint", kind, num_beams=2, max_length=12)
    folder = write_exported(tmp_path / "exported", checkpoint, kind)
    data = tmp_path / "pairs.jsonl"
    rows = zip(TEXTS, TRANSLATIONS, strict=True)
    data.write_text("\n".join(json.dumps({"text": a, "translation": b}) for a, b in rows), encoding="utf-8")
    output = tmp_path / "p"
    options = BuildOptions(output=output, evaluation=data, targets=(str(sources / "tiny.toml"),))
    (job,) = read_jobs(str(folder), options)
    assert job.source.task == "translation"
    # The scores of the loop, one token after the other, are compared with those of the decoder without caches.
    draft_package(job, output, StageCache(), Quiet())
    transformers: Any = importlib.import_module("transformers")
    whole = getattr(transformers, kind).from_pretrained(checkpoint)
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    words = next(iter(tiny_writers.PREFIXES.values())) if kind == T5 else ""
    with load(output, engine="tiny-cpu-fp32") as model:
        for text in TEXTS[:4]:
            for beams in (1, 2):
                feeds = tokenizer(words + text, return_tensors="pt", truncation=True)
                feeds.pop("token_type_ids", None)
                made = whole.generate(**feeds, num_beams=beams)
                assert model(text, num_beams=beams) == tokenizer.decode(made[0], skip_special_tokens=True)
    (folder / "decoder_model.onnx").rename(folder / "decoder_model_merged.onnx")
    with pytest.raises(InputError, match=r"decoder_model\.onnx, decoder_with_past_model\.onnx are needed"):
        open_source(str(folder), SourceOptions())
