"""Models that read something whole and then write: an encoder and a decoder, each a graph of its own.

encoder   what the model is given -> keys and values of every cross-attention of the decoder
decoder   new tokens, the caches of those before, the encoder's keys and values -> scores, caches

What decoders compute of an encoder's answer is the same for every token, so it belongs to the encoder's graph: there it
is computed once. One decoder graph serves the prompt and every token after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgewright_compiler.tasks._exported import exported
from edgewright_runtime.generation.loop import LoopSpec

if TYPE_CHECKING:
    import onnx_ir

ENCODER, DECODER = "encoder", "decoder"
TOKENS, LOGITS = "decoder_input_ids", "logits"
# Of what the encoder is given, the decoder's cross-attention needs this too, where there is one.
MASK = "attention_mask"
_CROSS, _PAST, _PRESENT = "cross", "past", "present"
# New tokens and those before them in the example that the decoder is exported with: two sizes that are not alike.
_NEW, _BEFORE = 3, 4


def encoder_decoder_graphs(
    model: Any, feeds: Mapping[str, object], axes: Mapping[str, Any], title: str
) -> tuple[dict[str, onnx_ir.Model], LoopSpec]:
    """The graphs of a model of transformers by component, and how the decoder's is run.

    Args:
        model: With `get_encoder`, and a decoder that keeps an `EncoderDecoderCache`.
        feeds: Tensors that the encoder is given, two samples in a batch.
        axes: Input to the axes that may have another size than in `feeds`.
        title: What messages call the model.
    """
    import torch
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    from edgewright_compiler.graphs.passes.contract import edit
    from edgewright_compiler.graphs.passes.tied_weights import TieWeights

    dynamic: Any = torch.export.Dim.DYNAMIC
    free = {name: dict.fromkeys(axes.get(name, {0: None}), dynamic) for name in feeds}
    encoder = _encoder(model)
    with torch.no_grad():
        cross = encoder(**feeds)
    layers = len(cross) // 2
    example: dict[str, object] = {TOKENS: torch.ones((2, _NEW), dtype=torch.int64)}
    shapes: dict[str, object] = {TOKENS: {0: dynamic, 1: dynamic}}
    if MASK in feeds:
        example[MASK], shapes[MASK] = feeds[MASK], {0: dynamic, 1: dynamic}
    for name in _names(_PAST, layers):
        rows, heads, _, width = cross[name.replace(_PAST, _CROSS, 1)].shape
        example[name] = torch.zeros((rows, heads, _BEFORE, width))
    example |= cross
    shapes |= {name: {0: dynamic, 2: dynamic} for name in example if name not in shapes}
    graphs = {
        ENCODER: exported(encoder, feeds, title, dynamic_shapes=free),
        DECODER: exported(_decoder(model, layers), example, title, dynamic_shapes=shapes),
    }
    edit(graphs[DECODER], TieWeights(), RemoveUnusedNodesPass())
    state = {name.replace(_PAST, _PRESENT, 1): name for name in _names(_PAST, layers)}
    fixed = (*_names(_CROSS, layers), *([MASK] if MASK in feeds else []))
    return graphs, LoopSpec(tokens=TOKENS, logits=LOGITS, state=state, fixed=fixed)


def _names(kind: str, layers: int) -> list[str]:
    return [f"{kind}_{part}_{layer}" for layer in range(layers) for part in ("key", "value")]


def _encoder(model: Any) -> Any:
    """A module that gives the cross-attention's keys and values.

    It runs the decoder for one token, which fills the cache, and takes the cache alone: the rest falls away on export.
    """
    import torch
    from transformers.cache_utils import DynamicCache, EncoderDecoderCache

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.config = model, model.config

        def forward(self, **feeds: Any) -> dict[str, object]:
            rows = next(iter(feeds.values())).shape[0]
            cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
            self.model(
                encoder_outputs=self.model.get_encoder()(**feeds),
                decoder_input_ids=torch.ones((rows, 1), dtype=torch.int64),
                past_key_values=cache,
                use_cache=True,
                **_mask_of(feeds),
            )
            return _cache_values(_CROSS, cache.cross_attention_cache)

    return Encoder().eval()


def _decoder(model: Any, layers: int) -> Any:
    """A module that takes caches as tensors, the cross-attention's as they are."""
    import torch
    from transformers.cache_utils import DynamicCache, EncoderDecoderCache

    class Decoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.config = model, model.config

        def forward(self, **feeds: Any) -> dict[str, object]:
            own, cross = DynamicCache(), DynamicCache()
            for layer in range(layers):
                own.update(feeds[f"{_PAST}_key_{layer}"], feeds[f"{_PAST}_value_{layer}"], layer)
                cross.update(feeds[f"{_CROSS}_key_{layer}"], feeds[f"{_CROSS}_value_{layer}"], layer)
            cache = EncoderDecoderCache(own, cross)
            # As long as not one of them is known to be filled, the model would compute them anew from what follows.
            cache.is_updated = dict.fromkeys(range(layers), True)
            keys = feeds[f"{_CROSS}_key_0"]
            nothing = keys.new_zeros((keys.shape[0], keys.shape[2], _width(self.config)))
            answer = self.model(
                encoder_outputs=(nothing,),
                decoder_input_ids=feeds[TOKENS],
                past_key_values=cache,
                use_cache=True,
                **_mask_of(feeds),
            )
            return {LOGITS: answer.logits, **_cache_values(_PRESENT, cache.self_attention_cache)}

    return Decoder().eval()


def _mask_of(feeds: Mapping[str, object]) -> dict[str, object]:
    return {MASK: feeds[MASK]} if MASK in feeds else {}


def _cache_values(kind: str, cache: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    for layer, kept in enumerate(cache.layers):
        found |= {f"{kind}_key_{layer}": kept.keys, f"{kind}_value_{layer}": kept.values}
    return found


def _width(config: Any) -> int:
    """Numbers of an encoder's answer for each position."""
    encoder = getattr(config, "encoder", config)
    found = getattr(encoder, "d_model", None) or encoder.hidden_size
    return int(found)
