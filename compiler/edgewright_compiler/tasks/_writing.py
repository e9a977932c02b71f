"""Checkpoints that write a text about what they are given: speech recognition, translation, summaries, captions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.checkpoints.generation_config import generation_settings
from edgewright_compiler.graphs.exported import save_model
from edgewright_compiler.processors import ExportingProcessor
from edgewright_compiler.processors.causal import MEASURED_TOKENS
from edgewright_compiler.processors.tokenizer import TOKENIZER_URI, CheckpointTokenizer
from edgewright_compiler.tasks._encoder_decoder import ENCODER, TOKENS, encoder_decoder_graphs
from edgewright_runtime.generation.loop import LoopSpec
from edgewright_runtime.manifest import ComparisonSpec, PipelineSpec, StepSpec
from edgewright_targets import InputError
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    from edgewright_compiler.tasks._task import Task
    from edgewright_runtime.wire import Arrays

# Engines are compared on how probable the decoder finds the same tokens; which text does not matter.
_SCORED_TEXT = "the quick brown fox jumps over the lazy dog"
_SCORED_TOKENS = 8
_POSITIONS = ("max_target_positions", "max_position_embeddings", "n_positions")
_DEFAULT_POSITIONS = 512


def start_token(settings: dict[str, Any]) -> list[Any]:
    """The one token that most decoders begin with.

    Raises:
        InputError: The settings name none.
    """
    names = ("decoder_start_token_id", "bos_token_id")
    found = next((settings[name] for name in names if settings.get(name) is not None), None)
    if found is None:
        raise InputError("The checkpoint's generation settings have no decoder_start_token_id.")
    return [int(found)]


class WritingModel:
    """A model of an encoder and a decoder; see `Exporter`.

    Args:
        task: Its task.
        checkpoint: Its files.
        front: The way from a sample to the encoder's inputs.
        prompt: From the generation settings of the source, the tokens that the decoder begins with, as the step
            `prompt` takes them; its start token by default.
        generate: Further options of the step `generate`.
        part: From the loaded model, the module that reads and writes; the model itself by default. It has what
            `encoder_decoder_graphs` asks for, and the configurations of text and generation.
        wired: Input of the encoder to the value that it is given; by default one of its own name.
        asked: Name of the option of a call that is the beginning of the text; none by default.
        ending: From the steps that make a prompt, read and write, those that take their place; themselves by default.
        call: Further options of a call that is timed.

    Raises:
        InputError: The checkpoint cannot be loaded, or works in a way that cannot be reproduced.
    """

    def __init__(
        self,
        task: Task,
        checkpoint: Checkpoint,
        front: ExportingProcessor,
        *,
        prompt: Callable[[dict[str, object]], list[Any]] = start_token,
        generate: Mapping[str, object] | None = None,
        part: Callable[[Any], Any] | None = None,
        wired: Mapping[str, str] | None = None,
        asked: str = "",
        ending: Callable[[StepSpec, StepSpec, StepSpec], tuple[StepSpec, ...]] | None = None,
        call: Mapping[str, object] | None = None,
    ) -> None:
        self._task = task
        self._checkpoint = checkpoint
        self._tokenizer = CheckpointTokenizer(checkpoint)
        self._front = front
        self._part = part
        self._generate = dict(generate or {})
        self._wired, self._asked = dict(wired or {}), asked
        self._ending, self._call = ending, dict(call or {})
        settings, config = self._open()
        self._prompt = prompt(settings.to_dict())
        self._settings = generation_settings(settings, self._tokenizer.pad_id, checkpoint.folder)
        decoder = config.get_text_config(decoder=True)
        found = [getattr(decoder, name, None) for name in _POSITIONS]
        self._positions = int(next(filter(None, found), _DEFAULT_POSITIONS))

    def _open(self) -> tuple[Any, Any]:
        """Load the model; gives its `GenerationConfig`, and its configuration."""
        loaded = self._checkpoint.load_model(self._task.model)
        self._model = self._part(loaded) if self._part else loaded
        written = loaded.get_output_embeddings()
        if written is not None:
            self._tokenizer.check_size(int(written.weight.shape[0]))
        encoder = self._model.get_encoder()
        self._takes: Collection[str] = inspect.signature(getattr(encoder, "forward", encoder)).parameters
        return self._model.generation_config, self._model.config

    def export(self, folder: Path) -> None:
        """Write the model into `folder` (see `graphs.exported`)."""
        feeds = self._taken(self._front.example())
        graphs, loop = encoder_decoder_graphs(
            self._model, feeds, self._front.axes(feeds), f"'{self._checkpoint.folder}'"
        )
        inputs = [str(value.name) for value in graphs[ENCODER].graph.inputs]
        self._front.keep(folder)
        self._tokenizer.keep(folder)
        save_model(folder, graphs, self._pipeline(inputs, loop), task=self._task.name)

    def _pipeline(self, inputs: Sequence[str], loop: LoopSpec) -> PipelineSpec:
        run = {"component": "decoder", "loop": write_record(loop)}
        text = {"text": self._asked, "tokenizer": TOKENIZER_URI} if self._asked else {}
        prompt = StepSpec("prompt", {"output": TOKENS, "tokens": self._prompt, **text})
        scored = StepSpec("prompt", {"output": TOKENS, "tokens": self._scored()})
        wired = {"inputs": self._wired} if self._wired else {}
        encode = StepSpec("infer", {"component": ENCODER, **wired})
        generate = StepSpec(
            "generate",
            {
                **run,
                "settings": write_record(self._settings),
                "tokenizer": TOKENIZER_URI,
                "max_length": self._positions,
                "output": self._task.output_name,
                **self._generate,
            },
        )
        before = self._front.steps(inputs)
        if self._ending:
            ending = measured_ending = self._ending(prompt, encode, generate)
        else:
            # What is measured was read for its score already.
            ending, measured_ending = (prompt, encode, generate), (prompt, generate)
        comparison = ComparisonSpec(
            (*before, scored, encode, StepSpec("score", run), *measured_ending),
            self._task.output_name,
            {**dict.fromkeys(("max_new_tokens", "min_new_tokens"), MEASURED_TOKENS), **self._call},
        )
        return PipelineSpec(self._task.input_name, self._task.output_name, (*before, *ending), comparison)

    def _taken(self, feeds: Mapping[str, object]) -> dict[str, object]:
        """Of what the front makes, what the encoder takes."""
        return {name: value for name, value in feeds.items() if name in self._takes}

    def _scored(self) -> list[int]:
        begin = [token for token in self._prompt if isinstance(token, int)]
        return begin + self._tokenizer.tokens(_SCORED_TEXT)[:_SCORED_TOKENS]

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the `score` step gives, from all tokens at once."""
        import torch

        tokens = torch.tensor([self._scored()])
        found = []
        with torch.no_grad():
            for sample in samples:
                made = self._taken(self._front.feeds(sample))
                feeds = {name: torch.from_numpy(value) for name, value in made.items()}
                scores = self._model(**feeds, decoder_input_ids=tokens).logits[0, :-1].log_softmax(dim=-1)
                there = scores.gather(1, tokens[0, 1:, None])[:, 0]
                best = scores.max(dim=-1).values
                found.append({"log_probability": there.numpy(), "best_log_probability": best.numpy()})
        return found
