"""Texts for causal language models: the tokenizer, the loop of the graph, and how the source itself scores a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_compiler.checkpoints.checkpoint import OFFLINE, checkpoint_beside
from edgewright_compiler.checkpoints.generation_config import generation_settings
from edgewright_compiler.graphs.exported import ports_of
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.text import TEXT, check_tokenizer_beside
from edgewright_compiler.processors.tokenizer import CheckpointTokenizer
from edgewright_runtime.generation.loop import LoopSpec
from edgewright_runtime.generation.settings import GenerationSettings
from edgewright_runtime.manifest import COMPONENT, ComparisonSpec, StepSpec
from edgewright_runtime.probabilities import log_softmax
from edgewright_targets import InputError
from edgewright_targets.errors import first_few
from edgewright_targets.installed import needs
from edgewright_targets.record import write_record

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

# New tokens of a call whose time is taken: the same work for every engine, however early it would end.
MEASURED_TOKENS = 16
# Where neither the configuration nor the tokenizer says how many positions there are.
DEFAULT_POSITIONS = 2048
# What exporters call the caches, before the number of the layer: given to the graph, and made by it.
_GIVEN, _MADE = ("past", "cache"), ("present", "cache", "past")
_LAYER = re.compile(r"\d+.*$")
_PARTS = {"mask": "attention_mask", "positions": "position_ids", "kept": "logits_to_keep"}
_TOKENS, _LOGITS = "input_ids", "logits"
# Names that a message shows.
_SHOWN = 6


@dataclass(frozen=True)
class CausalParts:
    """A causal language model as a package runs it.

    Attributes:
        processor: Its tokenizer.
        loop: How its graph is run.
        positions: Tokens that it takes at most.
        settings: How it generates.
        output: What its text is called.
    """

    processor: CheckpointTokenizer
    loop: LoopSpec
    positions: int
    settings: GenerationSettings
    output: str

    def steps(self) -> tuple[StepSpec, StepSpec]:
        """From a text to the text that goes on."""
        tokenizer, run = self._tokenizer(), self._run()
        generate = {
            **run,
            "settings": write_record(self.settings),
            "tokenizer": tokenizer.options["tokenizer"],
            "max_length": self.positions,
            "begin": self.processor.leading_special_tokens,
            "output": self.output,
        }
        # A prompt is cut where its end is known, with the tokens that are wanted after it.
        whole = {**tokenizer.options, "max_length": 0}
        return StepSpec("tokenize", whole), StepSpec("generate", generate)

    def comparison(self) -> ComparisonSpec:
        """How engines are compared: on how probable they find a text, which is cut to what the model takes."""
        cut = {**self._tokenizer().options, "max_length": self.positions}
        call = dict.fromkeys(("max_new_tokens", "min_new_tokens"), MEASURED_TOKENS)
        greedy = {"do_sample": False, "num_beams": 1, "stop": []}
        steps = (StepSpec("tokenize", cut), StepSpec("score", self._run()))
        return ComparisonSpec(steps, "next_tokens", {**call, **greedy})

    def _run(self) -> dict[str, object]:
        return {"component": COMPONENT, "loop": write_record(self.loop)}

    def _tokenizer(self) -> StepSpec:
        (step,) = self.processor.steps([name for name in (self.loop.tokens, self.loop.mask) if name])
        return step


class CausalBeside:
    """The files beside an ONNX file of a causal language model with caches, as optimum exports it.

    Raises:
        InputError: There is no tokenizer, or no configuration.
    """

    def __init__(self, path: Path, task: str) -> None:
        self._path = path
        self._checkpoint = checkpoint_beside(path)
        check_tokenizer_beside(path, task, self._checkpoint.folder)
        if not self._checkpoint.config:
            raise InputError(
                f"'{path}': the task {task} needs config.json beside the file: it says which token ends a text."
            )
        self._loop = LoopSpec(tokens=_TOKENS, logits=_LOGITS)
        self._empty: dict[str, tuple[tuple[int, ...], Any]] = {}
        self._one_each = False

    def take_graph(self, model: onnx_ir.Model, *, whole: bool = False) -> None:
        """Find the caches of the graph.

        Args:
            model: The graph.
            whole: Whether what it is compared with takes whole texts, also where this graph takes one token at a time.

        Raises:
            InputError: It has none, or others than this task knows.
        """
        ports = ports_of(model)
        layers = {_layer(name): name for name in ports.inputs if any(word in name.lower() for word in _GIVEN)}
        state = {
            name: layers[_layer(name)]
            for name in ports.outputs
            if any(word in name.lower() for word in _MADE) and _layer(name) in layers
        }
        found = {part: name for part, name in _PARTS.items() if name in ports.inputs}
        others = sorted({*ports.inputs} - {_TOKENS, *found.values(), *state.values()})
        if not state or others or _TOKENS not in ports.inputs:
            missing = f"the inputs {first_few(others, shown=_SHOWN)}" if others else "no key-value caches"
            raise InputError(
                f"'{self._path}': text-generation needs {_TOKENS}, perhaps {', '.join(_PARTS.values())}, and caches "
                f"that go in and come out; the graph has {missing}.",
                hint="Export it with its caches: optimum-cli export onnx --task text-generation-with-past.",
            )
        logits = _LOGITS if _LOGITS in ports.outputs else next(name for name in ports.outputs if name not in state)
        mask, positions, kept = (found.get(part, "") for part in ("mask", "positions", "kept"))
        self._loop = LoopSpec(tokens=_TOKENS, logits=logits, state=state, mask=mask, positions=positions, kept=kept)
        shape = next(value.shape for value in model.graph.inputs if value.name == _TOKENS)
        self._one_each = not whole and shape is not None and shape[-1] == 1
        for value in model.graph.inputs:
            if value.name in layers.values() and value.shape is not None and value.dtype is not None:
                sizes = tuple(size if isinstance(size, int) else 0 for size in list(value.shape)[1:])
                self._empty[str(value.name)] = ((1, *sizes), value.dtype.numpy())

    @cached_property
    def _parts(self) -> CausalParts:
        with needs("compiler"):
            from transformers import AutoConfig, GenerationConfig
        folder = self._checkpoint.folder
        processor = CheckpointTokenizer(self._checkpoint)

        def settings() -> Any:
            if (folder / "generation_config.json").is_file():
                return GenerationConfig.from_pretrained(folder, local_files_only=True)
            return GenerationConfig.from_model_config(AutoConfig.from_pretrained(folder, **OFFLINE))

        made = generation_settings(self._checkpoint.loaded(settings), processor.pad_id, folder)
        return CausalParts(processor, self._loop, processor.limit or DEFAULT_POSITIONS, made, "generated_text")

    def feeds(self, sample: Any) -> Arrays:
        """The tokens of a text."""
        return self._parts.processor.feeds(sample)

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """From a text to its tokens."""
        del inputs
        return self._parts.steps()[:1]

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The graph in its loop."""
        del outputs
        return self._parts.steps()[1:]

    def comparison(self) -> ComparisonSpec:
        """How engines are compared."""
        return self._parts.comparison()

    def looped(self, sample: Any, infer: Callable[[Arrays], Arrays]) -> Arrays:
        """What the step `score` gives, from empty caches and the whole text at once, or token by token."""
        loop = self._loop
        tokens = self._parts.processor.feeds(sample)["input_ids"][:, : self._parts.positions]
        length = tokens.shape[1]
        width = 1 if self._one_each else length
        state = {name: np.zeros(shape, kind) for name, (shape, kind) in self._empty.items()}
        logits = []
        for first in range(0, length, max(width, 1)) or (0,):
            end = first + width
            made = {
                loop.tokens: tokens[:, first:end],
                loop.mask: np.ones((1, end), tokens.dtype),
                loop.positions: np.arange(first, end)[None],
                loop.kept: np.arange(width),
            }
            answer = infer({name: value for name, value in (made | state).items() if name})
            logits.append(answer[loop.logits])
            state = {given: answer[name] for name, given in loop.state.items()}
        scores = log_softmax(np.concatenate(logits, axis=1)[0, :-1].astype(np.float32))
        there = np.take_along_axis(scores, tokens[0, 1:, None], axis=1)[:, 0]
        return {"log_probability": there, "best_log_probability": scores.max(axis=1)}

    def keep(self, folder: Path) -> None:
        """Copy the tokenizer into the assets of the component in `folder`."""
        self._parts.processor.keep(folder)


def _layer(name: str) -> str:
    """The number of a cache's layer and what follows it; the whole name where there is none."""
    found = _LAYER.search(name)
    return found.group() if found else name


CAUSAL = ProcessorKind(
    input_name="text",
    tools=TEXT.tools,
    check=TEXT.check,
    from_checkpoint=CheckpointTokenizer,
    beside=CausalBeside,
    files=(*TEXT.files, "generation_config.json"),
)
