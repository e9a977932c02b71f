"""Encoder-decoders whose graphs were exported already, as optimum writes them: three files become two components.

encoder_model             what the model is given -> what the encoder makes of it
decoder_model             tokens, that -> scores, caches: of it, keys and values of every cross-attention are taken
decoder_with_past_model   one token, caches -> scores, caches

In a package the cross-attention's keys and values are computed once, with the encoder, as those of a checkpoint are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_compiler.checkpoints.checkpoint import OFFLINE, Checkpoint
from edgewright_compiler.graphs.exported import ports_of, save_model
from edgewright_compiler.graphs.read_graph import read_graph
from edgewright_compiler.processors import ExportingProcessor
from edgewright_compiler.tasks._encoder_decoder import DECODER, ENCODER, MASK, TOKENS
from edgewright_compiler.tasks._writing import WritingModel
from edgewright_runtime.generation.loop import LoopSpec
from edgewright_runtime.probabilities import log_softmax
from edgewright_runtime.provider_words import provider_words
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_compiler.tasks._task import Exporter, Task
    from edgewright_runtime.wire import Arrays

# Names of the files without their ending, and of what their graphs take and give, as optimum spells them.
READ, FIRST, NEXT = "encoder_model", "decoder_model", "decoder_with_past_model"
_IDS, _READ, _READ_MASK, _LOGITS = "input_ids", "encoder_hidden_states", "encoder_attention_mask", "logits"
_MADE, _GIVEN, _CROSS = "present.", "past_key_values.", ".encoder."


def writing_model(task: Task, checkpoint: Checkpoint, front: ExportingProcessor, **options: Any) -> Exporter:
    """A model of an encoder and a decoder: of its weights, or of its graphs where it has them; see `WritingModel`."""
    kind = WrittenGraphs if checkpoint.graphs else WritingModel
    return kind(task, checkpoint, front, **options)


class WrittenGraphs(WritingModel):
    """One whose graphs were exported already; see `WritingModel`."""

    def _open(self) -> tuple[Any, Any]:
        with needs("compiler"):
            from transformers import AutoConfig, GenerationConfig
        folder = self._checkpoint.folder
        config = self._checkpoint.loaded(lambda: AutoConfig.from_pretrained(folder, **OFFLINE))
        written = (folder / "generation_config.json").is_file()
        settings = self._checkpoint.loaded(
            lambda: (
                GenerationConfig.from_pretrained(folder, local_files_only=True)
                if written
                else GenerationConfig.from_model_config(config)
            )
        )
        self._takes = ports_of(read_graph(self._checkpoint.graphs[READ])).inputs
        return settings, config

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""
        graphs, loop = self._components()
        self._front.keep(folder)
        self._tokenizer.keep(folder)
        inputs = ports_of(graphs[ENCODER]).inputs
        save_model(folder, graphs, self._pipeline(inputs, loop), task=self._task.name)

    def _components(self) -> tuple[dict[str, onnx_ir.Model], LoopSpec]:
        from edgewright_compiler.graphs.passes.contract import edit
        from edgewright_compiler.graphs.passes.interface import KeepOutputs
        from edgewright_compiler.graphs.passes.joined import DropUnusedInputs, RenameInputs, join

        paths = self._checkpoint.graphs
        decoder, crossed, encoder = (read_graph(paths[name]) for name in (NEXT, FIRST, READ))
        cross = [name for name in ports_of(crossed).outputs if _CROSS in name]
        edit(crossed, KeepOutputs(cross), DropUnusedInputs())
        edit(decoder, DropUnusedInputs(), RenameInputs({_IDS: TOKENS, _READ_MASK: MASK}))
        made, given = ports_of(decoder).outputs, ports_of(decoder).inputs
        state = {name: name.replace(_MADE, _GIVEN) for name in made if name.startswith(_MADE) and _CROSS not in name}
        fixed = tuple(name for name in given if name not in state.values() and name != TOKENS)
        wanted = {*(name.replace(_MADE, _GIVEN) for name in cross), MASK}
        if not state or not cross or {*fixed} - wanted or {*state.values()} - {*given} or TOKENS not in given:
            raise InputError(
                f"'{paths[NEXT]}': its caches are not those of '{paths[FIRST].name}' as optimum calls them; it takes "
                f"{', '.join(given)}."
            )
        if ports_of(crossed).inputs != (_READ,):
            raise InputError(
                f"'{paths[FIRST]}': keys and values of its cross-attention depend on "
                f"{', '.join(ports_of(crossed).inputs)}; expected {_READ} alone."
            )
        join(encoder, crossed, {name: name.replace(_MADE, _GIVEN) for name in cross})
        loop = LoopSpec(tokens=TOKENS, logits=_LOGITS, state=state, fixed=fixed)
        return {ENCODER: encoder, DECODER: decoder}, loop

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the `score` step gives, from all tokens at once: by the graph without caches."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        paths = {name: str(self._checkpoint.graphs[name]) for name in (READ, FIRST)}
        tokens = np.array([self._scored()], np.int64)
        found = []
        try:
            reads, writes = (
                onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
                for path in paths.values()
            )
            takes = {entry.name for entry in writes.get_inputs()}
            for sample in samples:
                fed = self._taken(self._front.feeds(sample))
                read = reads.run(None, fed)[0]
                known = {_IDS: tokens, _READ: read, _READ_MASK: fed.get(MASK)}
                feeds = {name: value for name, value in known.items() if name in takes}
                scores = log_softmax(writes.run([_LOGITS], feeds)[0][0, :-1].astype(np.float32))
                there = np.take_along_axis(scores, tokens[0, 1:, None], axis=1)[:, 0]
                found.append({"log_probability": there, "best_log_probability": scores.max(axis=1)})
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"'{self._checkpoint.name}': its graphs cannot run: {provider_words(error)}") from error
        return found
