"""Causal language models as one graph that serves the prompt and every token after it.

The graph takes any number of new tokens and a past of any length, none included: there are no two graphs to hold the
same weights. What it is exported with decides what it is general in: two rows, one of them padded on the left.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.checkpoints.generation_config import generation_settings
from edgewright_compiler.graphs.exported import ports_of, save_model
from edgewright_compiler.processors.causal import DEFAULT_POSITIONS, CausalParts
from edgewright_compiler.processors.tokenizer import CheckpointTokenizer
from edgewright_compiler.tasks._exported import exported
from edgewright_runtime.generation.loop import LoopSpec
from edgewright_runtime.manifest import COMPONENT, PipelineSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_compiler.tasks._task import Task
    from edgewright_runtime.wire import Arrays

_CACHE_INPUT, _CACHE_OUTPUT = "input.past_key_values", "output.past_key_values"


class CausalGraph:
    """A causal language model; see `Exporter`.

    Raises:
        InputError: The checkpoint cannot be loaded, or works in a way that cannot be reproduced.
    """

    def __init__(self, task: Task, checkpoint: Checkpoint) -> None:
        self._task = task
        self._checkpoint = checkpoint
        self._processor = CheckpointTokenizer(checkpoint)
        self._model = checkpoint.load_model(task.model)
        self._processor.check_size(int(self._model.get_input_embeddings().weight.shape[0]))
        self._takes = inspect.signature(self._model.forward).parameters
        if "past_key_values" not in self._takes:
            raise InputError(
                f"'{checkpoint.folder}': {type(self._model).__name__} has no key-value cache. Models with another "
                "kind of state are not supported yet."
            )
        config = self._model.config.get_text_config()
        positions = getattr(config, "max_position_embeddings", None) or DEFAULT_POSITIONS
        self._positions = min(int(positions), self._processor.limit or DEFAULT_POSITIONS**3)
        self._settings = generation_settings(self._model.generation_config, self._processor.pad_id, checkpoint.folder)

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""
        from onnx_ir.passes.common import RemoveUnusedNodesPass

        from edgewright_compiler.graphs.passes.contract import edit
        from edgewright_compiler.graphs.passes.tied_weights import TieWeights

        graph = exported(self._model, self._example(), f"'{self._checkpoint.folder}'", dynamic=True)
        edit(graph, TieWeights(), RemoveUnusedNodesPass())
        ports = ports_of(graph)
        pipeline = self._pipeline(ports.inputs, ports.outputs)
        self._processor.keep(folder)
        save_model(folder, {COMPONENT: graph}, pipeline, task=self._task.name)

    def _example(self) -> dict[str, object]:
        """A step in the middle: three new tokens after four, the first of them padding in one of two rows."""
        import torch
        from transformers.cache_utils import DynamicCache

        before, new = torch.tensor([[0, 1, 2, 3], [4, 5, 6, 7]]), torch.tensor([[8, 9, 10], [11, 12, 13]])
        vocabulary = int(self._model.config.get_text_config().vocab_size)
        mask = torch.tensor([[0, 1, 1, 1], [1, 1, 1, 1]])
        # A cache without the configuration: of one with sliding windows it would drop what lies outside of them.
        cache = DynamicCache()
        with torch.no_grad():
            self._model(input_ids=before % vocabulary, attention_mask=mask, past_key_values=cache, use_cache=True)
        mask = torch.cat([mask, torch.ones_like(new)], dim=1)
        made = {
            "input_ids": new % vocabulary,
            "attention_mask": mask,
            "position_ids": (mask.cumsum(1) - 1).clamp(min=0)[:, before.shape[1] :],
            "past_key_values": cache,
            "use_cache": True,
            # As a tensor it becomes an input: scores of a long prompt are then made for its last token only.
            "logits_to_keep": torch.tensor([1, 2]),
        }
        return {name: value for name, value in made.items() if name in self._takes}

    def _pipeline(self, inputs: Sequence[str], outputs: Sequence[str]) -> PipelineSpec:
        state = {
            name: name.replace(_CACHE_OUTPUT, _CACHE_INPUT, 1) for name in outputs if name.startswith(_CACHE_OUTPUT)
        }
        named = {"mask": "attention_mask", "positions": "position_ids", "kept": "logits_to_keep"}
        found: dict[str, Any] = {part: name for part, name in named.items() if name in inputs}
        known = {"input_ids", *found.values(), *state.values()}
        if set(inputs) != known or len(outputs) != len(state) + 1:
            raise InputError(
                f"'{self._checkpoint.folder}' exports to a graph whose state is not a key-value cache; its inputs "
                f"are {', '.join(inputs)}."
            )
        loop = LoopSpec(tokens="input_ids", logits=outputs[0], state=state, **found)
        parts = CausalParts(self._processor, loop, self._positions, self._settings, self._task.output_name)
        return PipelineSpec(self._task.input_name, self._task.output_name, parts.steps(), parts.comparison())

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the `score` step gives, from the whole text at once."""
        import torch

        found = []
        with torch.no_grad():
            for sample in samples:
                tokens = torch.from_numpy(self._processor.feeds(sample)["input_ids"])[:, : self._positions]
                scores = self._model(input_ids=tokens).logits[0, :-1].log_softmax(dim=-1)
                there = scores.gather(1, tokens[0, 1:, None])[:, 0]
                best = scores.max(dim=-1).values
                found.append({"log_probability": there.numpy(), "best_log_probability": best.numpy()})
        return found
