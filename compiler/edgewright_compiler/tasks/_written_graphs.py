"""Encoder-decoders whose graphs were exported already, as optimum writes them: three files become two components.

encoder_model             what the model is given -> what the encoder makes of it
decoder_model             tokens, that -> scores, caches: of it, keys and values of every cross-attention are taken
decoder_with_past_model   one token, caches -> scores, caches

`decoder_model_merged` is the last two in one, where the input `use_cache_branch` chooses. In a package the
cross-attention's keys and values are computed once, with the encoder, as those of a checkpoint are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_compiler.checkpoints.checkpoint import OFFLINE, Checkpoint
from edgewright_compiler.checkpoints.exported_names import ENCODER as READ
from edgewright_compiler.checkpoints.exported_names import FIRST, MERGED, NEXT, SWITCH
from edgewright_compiler.checkpoints.exported_names import TOKENS as _IDS
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

# Of what the graphs take and give, as optimum spells it.
_READ, _READ_MASK, _LOGITS = "encoder_hidden_states", "encoder_attention_mask", "logits"
_MADE, _GIVEN, _CROSS = "present.", "past_key_values.", ".encoder."
# What Whisper was given of transformers 4.43 to 4.45.
_POSITIONS = "cache_position"


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
        from edgewright_compiler.graphs.passes.contract import EditError, edit
        from edgewright_compiler.graphs.passes.decoders import CountPositions, OneTokenEach
        from edgewright_compiler.graphs.passes.interface import KeepOutputs
        from edgewright_compiler.graphs.passes.joined import DropUnusedInputs, RenameInputs, join

        first, after = self._decoder_path(past=False), self._decoder_path(past=True)
        encoder = read_graph(self._checkpoint.graphs[READ])
        try:
            crossed, decoder = self._decoder(past=False), self._decoder(past=True)
            cross = [name for name in ports_of(crossed).outputs if _CROSS in name]
            # Keys and values of a layer have as many rows as there are texts, which exporters count in the tokens.
            edit(crossed, KeepOutputs(cross), DropUnusedInputs(), OneTokenEach(_IDS, _READ))
            edit(crossed, RenameInputs({_READ_MASK: MASK}))
            made = ports_of(decoder).outputs
            state = {
                name: name.replace(_MADE, _GIVEN) for name in made if name.startswith(_MADE) and _CROSS not in name
            }
            kept = KeepOutputs([_LOGITS, *state])
            counted = CountPositions(_POSITIONS, _IDS, next(iter(state.values()), ""))
            edit(decoder, kept, counted, DropUnusedInputs(), RenameInputs({_IDS: TOKENS, _READ_MASK: MASK}))
            given = ports_of(decoder).inputs
            fixed = tuple(name for name in given if name not in state.values() and name != TOKENS)
            wanted = {*(name.replace(_MADE, _GIVEN) for name in cross), MASK}
            if not state or not cross or {*fixed} - wanted or {*state.values()} - {*given} or TOKENS not in given:
                raise InputError(
                    f"'{after}': its caches are not those of '{first.name}' as optimum calls them; it takes "
                    f"{', '.join(given)}."
                )
            others = {*ports_of(crossed).inputs} - {_READ}
            if others - {MASK} or not others <= {*ports_of(encoder).inputs}:
                raise InputError(
                    f"'{first}': keys and values of its cross-attention depend on "
                    f"{', '.join(ports_of(crossed).inputs)}; expected {_READ} alone."
                )
            join(encoder, crossed, {name: name.replace(_MADE, _GIVEN) for name in cross})
        except EditError as error:
            raise InputError(f"'{self._checkpoint.name}': its graphs cannot be joined: {error}.") from error
        loop = LoopSpec(tokens=TOKENS, logits=_LOGITS, state=state, fixed=fixed)
        return {ENCODER: encoder, DECODER: decoder}, loop

    def _decoder_path(self, *, past: bool) -> Path:
        graphs = self._checkpoint.graphs
        return graphs.get(MERGED) or graphs[NEXT if past else FIRST]

    def _decoder(self, *, past: bool) -> onnx_ir.Model:
        """The decoder with caches or the one without, which lie in two files or in one.

        Raises:
            InputError: The one file does not have both.
        """
        from edgewright_compiler.graphs.passes.branches import TakeBranch
        from edgewright_compiler.graphs.passes.contract import edit
        from edgewright_compiler.graphs.passes.decoders import TakeOneToken

        path = self._decoder_path(past=past)
        model = read_graph(path)
        if MERGED not in self._checkpoint.graphs:
            return model
        if not edit(model, TakeBranch(SWITCH, taken=past)):
            raise InputError(
                f"'{path}' does not hold a decoder with caches and one without: it has no input '{SWITCH}'.",
                hint=f"With {FIRST}.onnx and {NEXT}.onnx beside it, these two are built.",
            )
        if past:
            # The file takes as many as the other decoder; this one was exported with one.
            edit(model, TakeOneToken(_IDS))
        return model

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the `score` step gives, from all tokens at once: by the graph without caches."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        path = self._decoder_path(past=False)
        nothing = _nothing(read_graph(path))
        tokens = np.array([self._scored()], np.int64)
        found = []
        try:
            reads, writes = (
                onnxruntime.InferenceSession(str(one), options, providers=["CPUExecutionProvider"])
                for one in (self._checkpoint.graphs[READ], path)
            )
            takes = {entry.name for entry in writes.get_inputs()}
            for sample in samples:
                fed = self._taken(self._front.feeds(sample))
                read = reads.run(None, fed)[0]
                known = {**nothing, _IDS: tokens, _READ: read, _READ_MASK: fed.get(MASK)}
                feeds = {name: value for name, value in known.items() if name in takes}
                scores = log_softmax(writes.run([_LOGITS], feeds)[0][0, :-1].astype(np.float32))
                there = np.take_along_axis(scores, tokens[0, 1:, None], axis=1)[:, 0]
                found.append({"log_probability": there, "best_log_probability": scores.max(axis=1)})
        except InputError:
            raise
        except Exception as error:
            raise InputError(f"'{self._checkpoint.name}': its graphs cannot run: {provider_words(error)}") from error
        return found


def _nothing(model: onnx_ir.Model) -> dict[str, object]:
    """Zeros for each input of a graph, of the least size: caches that are not read, and no to whether they are."""
    found: dict[str, object] = {}
    for value in model.graph.inputs:
        if value.dtype is not None:
            sizes = [size if isinstance(size, int) else 1 for size in value.shape or ()]
            found[str(value.name)] = np.zeros(sizes, value.dtype.numpy())
    return found
