"""Greedy decoding and sampling: one token after another, several sequences at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.generation.scores import narrow, needs_sequences, rules
from edgewright_runtime.probabilities import softmax

if TYPE_CHECKING:
    from edgewright_runtime.generation.loop import Loop
    from edgewright_runtime.generation.scores import Rule
    from edgewright_runtime.generation.settings import GenerationSettings

    Array = np.ndarray[Any, Any]


def left_padded(prompts: Sequence[Sequence[int]], pad: int) -> tuple[Array, Array | None]:
    """Tokens and mask of a batch, int64 [rows, longest]: padding stands in front; no mask where there is none."""
    longest = max(len(prompt) for prompt in prompts)
    tokens = np.full((len(prompts), longest), pad, dtype=np.int64)
    mask = np.zeros_like(tokens)
    for row, prompt in enumerate(prompts):
        tokens[row, longest - len(prompt) :] = prompt
        mask[row, longest - len(prompt) :] = 1
    return tokens, None if mask.all() else mask


class TokenStream:
    """Iterate over it for the next token of each sequence; set `done[row]` to end one early.

    `more` are rules beside those of the settings.

    Attributes:
        done: Which sequences have ended.
    """

    def __init__(
        self,
        loop: Loop,
        prompts: Sequence[Sequence[int]],
        settings: GenerationSettings,
        limit: int,
        seed: int,
        more: Sequence[Rule] = (),
    ) -> None:
        self.done = [False] * len(prompts)
        self._loop = loop
        self._prompts = prompts
        self._settings = settings
        self._limit = limit
        self._more = more
        # One generator a row: what a prompt is answered does not depend on its neighbours in a batch.
        rows = range(len(prompts)) if settings.do_sample else ()
        self._random = [np.random.default_rng([seed, row]) for row in rows]

    def __iter__(self) -> Iterator[list[int | None]]:
        """Tokens of all rows, None for those that ended before."""
        settings = self._settings
        watch = needs_sequences(settings) or bool(self._more)
        sequences = [list(prompt) for prompt in self._prompts] if watch else []
        applied = [*rules(settings, self._limit), *self._more]
        ends = frozenset(settings.eos_token_ids)
        tokens, mask = left_padded(self._prompts, settings.pad_token_id)
        for made in range(self._limit):
            scores = self._loop.step(tokens, mask)[:, -1]
            mask = None
            for rule in applied:
                rule(scores, sequences, made)
            chosen = self._draw(scores) if settings.do_sample else scores.argmax(axis=1)
            found: list[int | None] = chosen.tolist()
            for row, token in enumerate(chosen.tolist()):
                if self.done[row]:
                    found[row], chosen[row] = None, settings.pad_token_id
                elif token in ends:
                    self.done[row] = True
            if watch:
                for row, token in enumerate(found):
                    sequences[row] += [] if token is None else [token]
            yield found
            if all(self.done):
                return
            tokens = chosen[:, None]

    def _draw(self, scores: Array) -> Array:
        narrow(scores, self._settings)
        # The edges of the shares and one number in [0, 1) for each row: where it falls is the token.
        edges = np.cumsum(softmax(scores.astype(np.float64)), axis=1)
        numbers = [random.random() for random in self._random]
        found = [
            np.searchsorted(row, number * row[-1], side="right") for row, number in zip(edges, numbers, strict=True)
        ]
        return np.array(found, dtype=np.int64)
