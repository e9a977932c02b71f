"""Checkpoints as optimum exports them: graphs in files of its names, with its inputs and outputs, in place of weights.

The names are those of `optimum.exporters.onnx` and of the files in repositories of the hub. `merge_decoders` does what
the function of that name in `optimum.onnx` does, with one weight for both branches where they are the same.
"""

from __future__ import annotations

import importlib
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

_PARTS = ("key", "value")
_MASK, _READ = "encoder_attention_mask", "encoder_hidden_states"
_ROWS, _TEXTS = {0: "n"}, {0: "n", 1: "t"}


def export_graph(
    module: nn.Module, path: Path, inputs: Mapping[str, object], outputs: Sequence[str], free: Mapping[str, Any]
) -> Path:
    """A graph as exporters wrote it for years; gives its file.

    Args:
        module: Takes the inputs by position.
        path: The file.
        inputs: Name to an example.
        outputs: Names.
        free: Input or output to the axes that may have another size, and their names.
    """
    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            path,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=dict(free),
            dynamo=False,
        )
    return path


class _Reads(nn.Module):
    def __init__(self, model: Any, names: Sequence[str]) -> None:
        super().__init__()
        self.encoder, self.names = model.get_encoder(), names

    def forward(self, *values: torch.Tensor) -> Any:
        return self.encoder(**dict(zip(self.names, values, strict=True))).last_hidden_state


class _Writes(nn.Module):
    """The decoder: for the first token from hidden states, for others from caches."""

    def __init__(self, model: Any, names: Sequence[str], layers: int) -> None:
        super().__init__()
        self.model, self.names, self.layers = model, names, layers

    def forward(self, *made_of: torch.Tensor) -> Any:
        given = dict(zip(self.names, made_of, strict=True))
        own: Any = DynamicCache()
        cross: Any = DynamicCache()
        cache: Any = EncoderDecoderCache(own, cross)
        read, first = given.get(_READ), given.get("past_key_values.0.encoder.key")
        if first is not None:
            for layer in range(self.layers):
                for kept, side in ((own, "decoder"), (cross, "encoder")):
                    keys, values = (given[f"past_key_values.{layer}.{side}.{part}"] for part in _PARTS)
                    kept.update(keys, values, layer)
                cache.is_updated[layer] = True
            read = first.new_zeros((first.shape[0], first.shape[2], self.model.config.d_model))
        found = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=read),
            decoder_input_ids=given["input_ids"],
            past_key_values=cache,
            use_cache=True,
            **({"attention_mask": given[_MASK]} if _MASK in given else {}),
        )
        made = [found.logits]
        for layer in range(self.layers):
            for kept in (own, cross) if first is None else (own,):
                made += [kept.layers[layer].keys, kept.layers[layer].values]
        return tuple(made)


def write_encoder_decoder(folder: Path, checkpoint: Path, kind: str) -> Path:
    """`encoder_model`, `decoder_model` and `decoder_with_past_model`, and of the checkpoint all but its weights.

    Args:
        folder: Is made.
        checkpoint: Of a model of texts, or of a Whisper.
        kind: The class of transformers that loads it.
    """
    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    model = getattr(importlib.import_module("transformers"), kind)
    model = model.from_pretrained(checkpoint, attn_implementation="eager").eval()
    config = model.config
    layers = int(getattr(config, "decoder_layers", None) or config.num_decoder_layers)
    ids = torch.arange(10).reshape(2, 5) + 3
    mask: dict[str, torch.Tensor] = {}
    if hasattr(config, "num_mel_bins"):
        reads: dict[str, torch.Tensor] = {
            "input_features": torch.randn(2, config.num_mel_bins, 2 * config.max_source_positions)
        }
        read_axes = {**dict.fromkeys((*reads, "last_hidden_state"), _ROWS)}
    else:
        reads = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        mask = {_MASK: torch.ones_like(ids)}
        read_axes = dict.fromkeys((*reads, "last_hidden_state"), _TEXTS)
    reader = _Reads(model, list(reads))
    export_graph(reader, folder / "encoder_model.onnx", reads, ["last_hidden_state"], read_axes)
    with torch.no_grad():
        read = reader(*reads.values())
    names = [f"{layer}.{side}.{part}" for layer in range(layers) for side in ("decoder", "encoder") for part in _PARTS]
    made = ["logits", *(f"present.{name}" for name in names)]
    first = {**mask, "input_ids": ids[:, :3], _READ: read}
    writer = _Writes(model, list(first), layers)
    free: dict[str, object] = {**dict.fromkeys((*mask, _READ), _TEXTS), "input_ids": {0: "n", 1: "new"}}
    free |= {"logits": {0: "n", 1: "new"}, **{name: {0: "n", 2: name} for name in made[1:]}}
    export_graph(writer, folder / "decoder_model.onnx", first, made, free)
    with torch.no_grad():
        _, *caches = writer(*first.values())
    past = {f"past_key_values.{name}": value for name, value in zip(names, caches, strict=True)}
    after = {**mask, "input_ids": ids[:, :1], **past}
    own = ["logits", *(name for name in made if ".decoder." in name)]
    free = {**dict.fromkeys(mask, _TEXTS), "input_ids": _ROWS, "logits": _ROWS}
    free |= {name: {0: "n", 2: name} for name in (*past, *own[1:])}
    export_graph(_Writes(model, list(after), layers), folder / "decoder_with_past_model.onnx", after, own, free)
    return folder


class _Continues(nn.Module):
    """A causal language model, with caches or without."""

    def __init__(self, model: Any, names: Sequence[str]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *values: torch.Tensor) -> Any:
        given = dict(zip(self.names, values, strict=True))
        cache: Any = DynamicCache()
        past = [value for name, value in given.items() if name.startswith("past")]
        for layer in range(len(past) // 2):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        plain = {name: value for name, value in given.items() if not name.startswith("past")}
        found = self.model(**plain, past_key_values=cache, use_cache=True)
        return (found.logits, *(part for one in cache.layers for part in (one.keys, one.values)))


def write_causal(folder: Path, checkpoint: Path, *, pair: bool = False) -> Path:
    """`model`, which takes any tokens and positions, and of the checkpoint all but its weights.

    A `pair` is `decoder_model` and `decoder_with_past_model` in its place, which takes one token at a time.
    """
    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    loader: Any = importlib.import_module("transformers").AutoModelForCausalLM
    model = loader.from_pretrained(checkpoint, attn_implementation="eager").eval()
    ids = torch.arange(6).reshape(2, 3)
    first = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        _, *caches = _Continues(model, list(first))(*first.values())
    names = [f"{layer}.{part}" for layer in range(len(caches) // 2) for part in _PARTS]
    made = ["logits", *(f"present.{name}" for name in names)]
    past = {f"past_key_values.{name}": value for name, value in zip(names, caches, strict=True)}
    before = {name: {0: "n", 2: "past"} for name in past} | {name: {0: "n", 2: "all"} for name in made[1:]}
    mask = {"attention_mask": torch.ones(2, 4 if pair else 6, dtype=torch.int64)}
    free: dict[str, object] = {**before, "attention_mask": {0: "n", 1: "all"}}
    if not pair:
        after = {"input_ids": ids, **mask, "position_ids": ids % 3 + 3, **past}
        free |= dict.fromkeys(("input_ids", "position_ids", "logits"), _TEXTS)
        export_graph(_Continues(model, list(after)), folder / "model.onnx", after, made, free)
        return folder
    whole: dict[str, object] = {**dict.fromkeys((*first, "logits"), _TEXTS)}
    whole |= {name: {0: "n", 2: "t"} for name in made[1:]}
    export_graph(_Continues(model, list(first)), folder / "decoder_model.onnx", first, made, whole)
    after = {"input_ids": ids[:, :1], **mask, **past}
    free |= {"input_ids": _ROWS, "logits": _ROWS}
    export_graph(_Continues(model, list(after)), folder / "decoder_with_past_model.onnx", after, made, free)
    return folder


def merge_decoders(folder: Path) -> Path:
    """`decoder_model_merged.onnx` in the place of the two decoders in a folder."""
    import onnx_ir as ir

    paths = [folder / f"{name}.onnx" for name in ("decoder_model", "decoder_with_past_model")]
    models = [ir.load(path) for path in paths]
    outputs = [(str(value.name), value.shape, value.type) for value in models[0].graph.outputs]
    inputs: dict[str, Any] = {}
    shared: dict[tuple[object, ...], Any] = {}
    branches = [
        _branch(ir, model.graph, name, outputs, inputs, shared)
        for model, name in zip(models, ("no_past", "with_past"), strict=True)
    ]
    choose = ir.val("use_cache_branch", ir.DataType.BOOL, [1])
    chosen = {"then_branch": ir.AttrGraph("then_branch", branches[1])}
    chosen["else_branch"] = ir.AttrGraph("else_branch", branches[0])
    node = ir.node("If", [choose], chosen, num_outputs=len(outputs))
    for value, (name, shape, kind) in zip(node.outputs, outputs, strict=True):
        value.name, value.shape, value.type = name, shape, kind
    graph = ir.Graph(
        [*inputs.values(), choose],
        node.outputs,
        nodes=[node],
        initializers=list(shared.values()),
        opset_imports=models[0].opset_imports,
        name="merged",
    )
    ir.save(ir.Model(graph, ir_version=models[0].ir_version), folder / "decoder_model_merged.onnx")
    for path in paths:
        path.unlink()
    return folder


def _branch(ir: Any, graph: Any, name: str, wanted: Any, inputs: dict[str, Any], shared: dict[Any, Any]) -> Any:
    """A decoder as the branch of a graph, which gets its inputs and all but its small weights."""
    for value in list(graph.inputs):
        outside = inputs.setdefault(value.name, ir.Value(name=value.name, shape=value.shape, type=value.type))
        value.replace_all_uses_with(outside)
    for value in [value for value in graph.initializers.values() if len(value.const_value.shape) > 1]:
        tensor = value.const_value
        key = (*tensor.shape, tensor.dtype, tensor.tobytes())
        if key not in shared:
            title = f"{value.name}_merged_{len(shared)}"
            shared[key] = ir.Value(name=title, const_value=ir.tensor(tensor.numpy(), name=title))
        value.replace_all_uses_with(shared[key])
        del graph.initializers[value.name]
    made = {value.name: value for value in graph.outputs}
    nodes, small = list(graph), list(graph.initializers.values())
    graph.outputs.clear()
    graph.remove(nodes)
    graph.initializers.clear()
    for title, shape, _ in wanted:
        if title not in made:
            # Caches that do not change are not made anew, but both branches must give as many outputs.
            sizes = [size if isinstance(size, int) else 0 for size in shape]
            empty = ir.node("Constant", [], {"value": ir.tensor(np.zeros(sizes, np.float32))})
            made[title] = empty.outputs[0]
            made[title].name, made[title].shape = title, ir.Shape(sizes)
            made[title].type = ir.TensorType(ir.DataType.FLOAT)
            nodes.append(empty)
    return ir.Graph([], [made[title] for title, _, _ in wanted], nodes=nodes, initializers=small, name=name)
