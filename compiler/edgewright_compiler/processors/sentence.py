"""Texts to vectors: the tokenizer as sentence-transformers sets it up, and what it makes of the vectors of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.graphs.exported import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.sentence_modules import (
    MODULES_FILE,
    PROMPTS_FILE,
    SETTINGS_FILES,
    DenseModule,
    read_modules,
)
from edgewright_compiler.processors.text import TEXT, AnsweringBeside
from edgewright_compiler.processors.tokenizer import CheckpointTokenizer
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

_ASSET = "layers"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
# Outputs of graphs that optimum exported of such models: the vector of the text, and those of its tokens.
_SENTENCE, _TOKENS = "sentence_embedding", ("token_embeddings", "last_hidden_state")
# What a call names to have none of the prompts.
_NO_PROMPT = "none"


class SentenceTokenizer(CheckpointTokenizer):
    """The tokenizer of a checkpoint and the modules behind its model; see `CheckpointTokenizer`.

    Raises:
        InputError: A module cannot be reproduced.
    """

    def __init__(self, checkpoint: Checkpoint, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        self._modules = read_modules(checkpoint.folder)
        if self._modules.max_length:
            # In the place of the tokenizer's own; a model has no more positions for that.
            self.limit = self.max_length = min(filter(None, (self._modules.max_length, self._positions)))
        if self._modules.lower:
            _make_lower(self._tokenizer.backend_tokenizer)

    def feeds(self, sample: Any) -> Arrays:
        """The graph's inputs for one sample, as the source's own code computes them."""
        return super().feeds((self._modules.prompts or {}).get(self._modules.prompt, "") + sample)

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        steps = super().steps(inputs)
        if self._modules.prompts is None:
            return steps
        default = self._modules.prompt or _NO_PROMPT
        choices = {_NO_PROMPT: "", **self._modules.prompts}
        return (StepSpec("prefix", {"choices": choices, "default": default, "option": "prompt_name"}), *steps)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from the graph's outputs to the prediction."""
        if _SENTENCE in outputs:
            # All modules are in the graph.
            return (StepSpec("pool_tokens", {"vectors": _SENTENCE, "method": "none", "normalize": False}),)
        vectors = next((name for name in _TOKENS if name in outputs), outputs[0])
        found = self._modules
        pool = StepSpec("pool_tokens", {"vectors": vectors, "method": found.method, "normalize": found.normalize})
        layers = (
            StepSpec(
                "dense",
                {
                    "weights": f"{ASSET_PREFIX}{_ASSET}/{index}.npz",
                    "activation": layer.activation,
                    "residual": layer.residual,
                    "normalize": layer.normalize,
                },
            )
            for index, layer in enumerate(found.layers)
        )
        return (pool, *layers)

    def keep(self, folder: Path) -> None:
        """Copy the files that the steps need into the assets of the component in `folder`."""
        super().keep(folder)
        for index, layer in enumerate(self._modules.layers):
            place = folder / ASSETS_FOLDER / _ASSET
            place.mkdir(parents=True, exist_ok=True)
            with (place / f"{index}.npz").open("wb") as file:
                np.savez(file, allow_pickle=False, **_weights(layer))


def _weights(layer: DenseModule) -> Arrays:
    """`weight` [out, in], perhaps `bias` [out] and `residual` [out, in], in float32."""
    path = next((layer.folder / name for name in _WEIGHTS if (layer.folder / name).is_file()), None)
    if path is None:
        raise InputError(f"'{layer.folder}' has no weights ({' or '.join(_WEIGHTS)}).")
    try:
        if path.suffix == ".bin":
            import torch

            tensors = torch.load(path, map_location="cpu", weights_only=True)
        else:
            from safetensors.torch import load_file

            tensors = load_file(path)
        arrays = {name: tensor.float().numpy() for name, tensor in tensors.items()}
        named = {"weight": arrays["linear.weight"]}
    except Exception as error:
        raise InputError(f"'{path}' does not hold the weights of a layer: {str(error)[:200]}.") from error
    named |= {
        key: arrays[name] for key, name in (("bias", "linear.bias"), ("residual", "residual.weight")) if name in arrays
    }
    return named


def _make_lower(tokenizer: Any) -> None:
    """Put small letters before all else, as sentence-transformers does where its settings ask for them."""
    from tokenizers.normalizers import Lowercase, Sequence

    normalizer = tokenizer.normalizer
    inside: Any = normalizer if isinstance(normalizer, Sequence) else [] if normalizer is None else [normalizer]
    if not any(isinstance(one, Lowercase) for one in inside):
        tokenizer.normalizer = Sequence([Lowercase(), *inside])


class SentencesBeside(AnsweringBeside):
    """The same beside an ONNX file; see `TokenizerBeside`."""

    _KIND = SentenceTokenizer

    def __init__(self, path: Path, task: str) -> None:
        super().__init__(path, task)
        read_modules(self._checkpoint.folder)


def _check(folder: Path) -> None:
    TEXT.check(folder)
    read_modules(folder)


SENTENCES = ProcessorKind(
    input_name="text",
    tools=TEXT.tools,
    check=_check,
    from_checkpoint=SentenceTokenizer,
    beside=SentencesBeside,
    files=(*TEXT.files, MODULES_FILE, PROMPTS_FILE, *SETTINGS_FILES, "*_*/*"),
)
