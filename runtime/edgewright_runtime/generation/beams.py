"""Beam search, as transformers does it: the same candidates, penalties and ends, and so the same sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.generation.sampling import left_padded
from edgewright_runtime.generation.scores import rules
from edgewright_runtime.probabilities import log_softmax

if TYPE_CHECKING:
    from edgewright_runtime.generation.loop import Loop
    from edgewright_runtime.generation.scores import Rule
    from edgewright_runtime.generation.settings import GenerationSettings

    Array = np.ndarray[Any, Any]

# Lower than any sum of logarithms of probabilities: what is not to be chosen.
_LOWEST = np.float32(-1e9)


@dataclass(frozen=True)
class _Hypothesis:
    score: np.float32
    tokens: tuple[int, ...]


class _Search:
    """The beams of one prompt."""

    def __init__(self, settings: GenerationSettings, limit: int) -> None:
        self._settings = settings
        self._limit = limit
        self.beams: list[tuple[int, ...]] = [()] * settings.num_beams
        # All beams begin alike: only the first counts, so that the next are not the same one several times.
        self.scores = np.full(settings.num_beams, _LOWEST)
        self.scores[0] = 0
        self.ended: list[_Hypothesis] = []
        self.over = False
        self._can_improve = True

    @property
    def _full(self) -> bool:
        return len(self.ended) == self._settings.num_beams

    def advance(self, log_probabilities: Array, ends: Callable[[tuple[int, ...]], bool]) -> Array:
        """Take one step; gives the beam that each of the new beams continues."""
        settings = self._settings
        count = settings.num_beams
        total = log_probabilities + self.scores[:, None]
        size = total.shape[1]
        # So many that enough go on even where the best all end.
        wanted = min(max(2, 1 + len(settings.eos_token_ids)) * count, total.size)
        flat = total.reshape(-1)
        best = np.argpartition(-flat, wanted - 1)[:wanted]
        best = best[np.argsort(-flat[best], kind="stable")]
        candidates = [(self.beams[index // size] + (int(index % size),), flat[index], index // size) for index in best]
        hits = [len(tokens) >= self._limit or ends(tokens) for tokens, _, _ in candidates]
        going = np.argsort(
            [-(score + (_LOWEST if hit else 0)) for (_, score, _), hit in zip(candidates, hits, strict=True)],
            kind="stable",
        )[:count]
        self._end(candidates[:count], hits[:count])
        self.beams = [candidates[index][0] for index in going]
        self.scores = np.array(
            [candidates[index][1] + (_LOWEST if hits[index] else np.float32(0)) for index in going], dtype=np.float32
        )
        self._judge(goes_on=not all(hits))
        return np.array([candidates[index][2] for index in going], dtype=np.int64)

    def _end(self, candidates: Sequence[tuple[tuple[int, ...], Any, Any]], hits: Sequence[bool]) -> None:
        if not self._can_improve or (self._full and self._settings.early_stopping == "true"):
            return
        for (tokens, score, _), hit in zip(candidates, hits, strict=True):
            if hit:
                self.ended.append(_Hypothesis(score / np.float32(self._weight(len(tokens))), tokens))
        self.ended = sorted(self.ended, key=lambda one: -one.score)[: self._settings.num_beams]

    def _weight(self, length: int) -> float:
        return float(float(length) ** self._settings.length_penalty)

    def _judge(self, *, goes_on: bool) -> None:
        settings = self._settings
        farthest = settings.early_stopping == "never" and settings.length_penalty > 0
        length = self._limit if farthest else len(self.beams[0])
        possible = self.scores[0] / np.float32(self._weight(length))
        if self._full:
            self._can_improve &= bool(possible > self.ended[-1].score)
        enough = self._full and settings.early_stopping == "true"
        self.over = not self._can_improve or enough or not goes_on

    def answer(self) -> tuple[int, ...]:
        """The best sequence of new tokens."""
        return self.ended[0].tokens if self.ended else self.beams[0]


def beam_search(
    loop: Loop,
    prompts: Sequence[Sequence[int]],
    settings: GenerationSettings,
    limit: int,
    ends: Callable[[int, tuple[int, ...]], bool],
    more: Sequence[Rule] = (),
) -> list[tuple[int, ...]]:
    """The best continuation of each prompt.

    Args:
        loop: Started with a row for each prompt.
        prompts: Tokens.
        settings: How to search.
        limit: At most so many new tokens.
        ends: Whether the new tokens of the prompt at an index end a sequence.
        more: Rules beside those of the settings.
    """
    count = settings.num_beams
    searches = [_Search(settings, limit) for _ in prompts]
    tokens, mask = left_padded(prompts, settings.pad_token_id)
    # The prompt is the same for all beams of it, so it is read once.
    scores = np.repeat(loop.step(tokens, mask)[:, -1], count, axis=0)
    loop.reorder(np.repeat(np.arange(len(prompts)), count))
    applied = [*rules(settings, limit), *more]
    for made in range(limit):
        log_probabilities = log_softmax(scores)
        sequences = [[*prompt, *beam] for prompt, one in zip(prompts, searches, strict=True) for beam in one.beams]
        for rule in applied:
            rule(log_probabilities, sequences, made)
        origins = np.arange(len(prompts) * count)
        for index, search in enumerate(searches):
            if not search.over:
                rows = slice(index * count, (index + 1) * count)
                origins[rows] = index * count + search.advance(
                    log_probabilities[rows],
                    lambda new, index=index: ends(index, new),  # type: ignore[misc]
                )
        if all(search.over for search in searches):
            break
        loop.reorder(origins)
        last = [[beam[-1]] for search in searches for beam in search.beams]
        scores = loop.step(np.array(last, dtype=np.int64))[:, -1]
    return [search.answer() for search in searches]
