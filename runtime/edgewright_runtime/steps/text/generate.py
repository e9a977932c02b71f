"""Continue a text with a graph in a loop."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.errors import PackageError, SampleCutWarning, SampleError
from edgewright_runtime.generation.beams import beam_search
from edgewright_runtime.generation.loop import Loop, LoopSpec
from edgewright_runtime.generation.pieces import Pieces
from edgewright_runtime.generation.sampling import TokenStream
from edgewright_runtime.generation.settings import OPTIONS, GenerationSettings
from edgewright_runtime.steps.protocols import TextStream
from edgewright_runtime.steps.text.tokenize import read_tokenizer
from edgewright_runtime.steps.values import call_of
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import GenerationFacts
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Plan:
    """What one call asks for: the prompts as tokens, the settings, the most new tokens, the seed."""

    prompts: list[list[int]]
    settings: GenerationSettings
    limit: int
    seed: int


class Generate:
    """Tokens of a prompt to the text that follows it.

    Args:
        package: Holds the tokenizer.
        engine: The active engine; its graph is run in the loop.
        component: Name of the component.
        loop: The fields of `LoopSpec`.
        settings: The source's own settings, fields of `GenerationSettings`.
        tokenizer: URI of `tokenizer.json`.
        max_length: Positions of the model, prompt and answer together.
        begin: So many tokens at the start of a prompt are kept where it is cut: such as one that begins every text.
        output: Name of the text that is made.
        lstrip: Without the spaces that it begins with, as those of speech recognisers do.

    Attributes:
        spec, loop: What is declared of the loop, and the loop itself.
        settings: Those of the source.
        tokenizer: The `tokenizers.Tokenizer`.
        max_length, output: As above.
    """

    def __init__(
        self,
        package: Package,
        engine: Engine,
        *,
        component: str,
        loop: Mapping[str, object],
        settings: Mapping[str, object],
        tokenizer: str,
        max_length: int,
        begin: int = 0,
        output: str = "generated_text",
        lstrip: bool = False,
    ) -> None:
        where = f"'{package.root}': the step 'generate'"
        self.spec = read_record(LoopSpec, loop, where)
        self.loop = Loop(engine, component, self.spec)
        self.component = component
        self.wired = wired_values(self.spec)
        self.settings = read_record(GenerationSettings, settings, where)
        self.tokenizer = read_tokenizer(package, tokenizer)
        self.max_length = max_length
        self._begin = begin
        self.output = output
        self._lstrip = lstrip
        if not 0 <= begin < max_length:
            raise PackageError(f"{where}: 'begin' is {begin} and 'max_length' {max_length}.")

    def __call__(self, values: NamedValues) -> NamedValues:
        """Add the text, and under `generation` how it came about."""
        return self.many([values])[0]

    def many(self, batch: Sequence[NamedValues]) -> list[NamedValues]:
        """The same for several samples in one batch, shorter prompts padded on the left; options are the first's."""
        if len(batch) > 1 and not self._fit_together(batch):
            return [self.many([values])[0] for values in batch]
        plan = self._plan(batch)
        return [
            {self.output: self._shown(text), "generation": self._facts(plan, text)} for text in self._made(batch, plan)
        ]

    def _made(self, batch: Sequence[NamedValues], plan: _Plan) -> list[Pieces]:
        """The whole texts."""
        texts = [Pieces(self.tokenizer, prompt, plan.settings.stop) for prompt in plan.prompts]
        self.loop.start(len(plan.prompts), {name: stacked([v[name] for v in batch]) for name in self.spec.fixed})
        if plan.settings.num_beams > 1:
            made = beam_search(self.loop, plan.prompts, plan.settings, plan.limit, self._ends(plan))
            for text, tokens in zip(texts, made, strict=True):
                for token in tokens:
                    text.add(token)
        else:
            for _ in self._written(plan, texts):
                pass
        for text in texts:
            text.rest()
        return texts

    def _fit_together(self, batch: Sequence[NamedValues]) -> bool:
        """Whether a mask tells what is padding, where prompts or fixed inputs are of different lengths."""
        alike = len({tuple(values[name].shape for name in self.spec.fixed) for values in batch}) == 1
        masked = any(batch[0][name].dtype.kind in "ib" for name in self.spec.fixed)
        prompts = len({values[self.spec.tokens].shape for values in batch}) == 1
        return (alike or masked) and (prompts or bool(self.spec.mask))

    def stream(self, values: NamedValues) -> TextStream:
        """The pieces of the text as they come; beam search gives it whole, because a better beam can replace it."""
        return TextStream(self._pieces(values, self._plan([values])))

    def _pieces(self, values: NamedValues, plan: _Plan) -> Generator[str, None, GenerationFacts]:
        if plan.settings.num_beams > 1:
            (text,) = self._made([values], plan)
            yield self._shown(text)
            return self._facts(plan, text)
        text = Pieces(self.tokenizer, plan.prompts[0], plan.settings.stop)
        self.loop.start(1, {name: values[name] for name in self.spec.fixed})
        begun = not self._lstrip
        for piece in itertools.chain(self._written(plan, [text]), (text.rest() for _ in range(1))):
            shown = piece if begun else piece.lstrip()
            if shown:
                begun = True
                yield shown
        return self._facts(plan, text)

    def tokens(self, values: NamedValues) -> Iterator[int]:
        """The new tokens, each when it is chosen and part of the text; there is no beam search here."""
        plan = self._plan([values])
        text = Pieces(self.tokenizer, plan.prompts[0], plan.settings.stop)
        self.loop.start(1, {name: values[name] for name in self.spec.fixed})
        for _ in self._written(plan, [text]):
            yield text.tokens[-1]

    def _written(self, plan: _Plan, texts: Sequence[Pieces]) -> Iterator[str]:
        """Pieces of the texts as their tokens come, row by row."""
        stream = TokenStream(self.loop, plan.prompts, plan.settings, plan.limit, plan.seed)
        for tokens in stream:
            for row, token in enumerate(tokens):
                if token is not None:
                    yield texts[row].add(token)
                    stream.done[row] |= texts[row].stopped

    def _ends(self, plan: _Plan) -> Any:
        def ends(index: int, tokens: tuple[int, ...]) -> bool:
            if tokens[-1] in plan.settings.eos_token_ids:
                return True
            if not plan.settings.stop:
                return False
            text = Pieces(self.tokenizer, plan.prompts[index], plan.settings.stop)
            for token in tokens:
                text.add(token)
            return text.stopped

        return ends

    def _plan(self, batch: Sequence[NamedValues]) -> _Plan:
        options = call_of(batch[0]).options
        # Others are of other steps.
        given = {name: value for name, value in options.items() if name in OPTIONS and value is not None}
        settings = self.settings.changed(given)
        prompts = [self._cut(prompt_tokens(values, self.spec), settings) for values in batch]
        longest = max(len(prompt) for prompt in prompts)
        if not settings.min_new_tokens and settings.min_length > longest:
            settings = replace(settings, min_new_tokens=settings.min_length - longest)
        room = self.max_length - longest
        wanted = settings.max_new_tokens or max(1, (settings.max_length or self.max_length) - longest)
        limit = min(wanted, room)
        seed = settings.seed
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0]) if settings.do_sample else 0
        return _Plan(prompts, settings, limit, seed)

    def _cut(self, prompt: list[int], settings: GenerationSettings) -> list[int]:
        if not prompt:
            raise SampleError("The prompt has no tokens.")
        if len(prompt) < self.max_length:
            return prompt
        room = min(settings.max_new_tokens or self.max_length // 4, self.max_length - self._begin - 1)
        last = self.max_length - self._begin - max(room, 1)
        warnings.warn(
            f"The prompt has {len(prompt)} tokens and the model takes {self.max_length}, the answer included: the "
            f"last {last} of them were used.",
            SampleCutWarning,
            stacklevel=2,
        )
        return prompt[: self._begin] + prompt[len(prompt) - last :]

    def _shown(self, text: Pieces) -> str:
        return text.text.lstrip() if self._lstrip else text.text

    def _facts(self, plan: _Plan, text: Pieces) -> GenerationFacts:
        ended: Literal["stop text", "end token", "limit"] = "limit"
        if text.stopped:
            ended = "stop text"
        elif text.tokens and text.tokens[-1] in plan.settings.eos_token_ids:
            ended = "end token"
        facts: GenerationFacts = {"tokens": list(text.tokens), "ended_by": ended, "limit": plan.limit}
        if plan.settings.do_sample:
            facts["seed"] = plan.seed
        return facts


def stacked(arrays: Sequence[Array]) -> Array:
    """Arrays of one row each as the rows of one, zeros behind shorter ones."""
    shape = np.max([array.shape for array in arrays], axis=0)
    padded = [
        np.pad(array, [(0, size - n) for size, n in zip((1, *shape[1:]), array.shape, strict=True)]) for array in arrays
    ]
    return np.concatenate(padded)


def wired_values(spec: LoopSpec) -> dict[str, str]:
    """Inputs of the graph that are given values of their names; see `GraphStep`."""
    return {name: name for name in (spec.tokens, spec.mask, *spec.fixed) if name}


def prompt_tokens(values: NamedValues, spec: LoopSpec) -> list[int]:
    """The tokens of a sample without padding."""
    tokens = values[spec.tokens][0]
    mask = values.get(spec.mask) if spec.mask else None
    return [int(token) for token in (tokens if mask is None else tokens[mask[0] == 1])]
