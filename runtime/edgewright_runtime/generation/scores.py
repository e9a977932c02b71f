"""What settings do to the scores of the next token, in the order in which transformers does it.

Scores have the shape [rows, tokens of the vocabulary] and are changed in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.probabilities import softmax

if TYPE_CHECKING:
    from edgewright_runtime.generation.settings import GenerationSettings

    Array = np.ndarray[Any, Any]
    # Scores; the tokens of each row so far, the prompt included and padding not; how many of them are new.
    Rule = Callable[[Array, Sequence[Sequence[int]], int], None]

_NEVER = -np.inf


def rules(settings: GenerationSettings, limit: int) -> list[Rule]:
    """Everything that rules tokens out or weighs them, and that these settings ask for.

    Args:
        settings: What to apply.
        limit: How many tokens may be new.
    """
    found: list[Rule] = []
    if settings.repetition_penalty != 1.0:
        found.append(_repetition(settings.repetition_penalty))
    if settings.no_repeat_ngram_size:
        found.append(_ngrams(settings.no_repeat_ngram_size))
    if bad := [word for word in settings.bad_words_ids if word not in {(end,) for end in settings.eos_token_ids}]:
        found.append(_bad_words(bad))
    if settings.min_new_tokens and settings.eos_token_ids:
        found.append(_never(settings.eos_token_ids, below=settings.min_new_tokens))
    if settings.forced_bos_token_id is not None:
        found.append(_only(settings.forced_bos_token_id, at=0))
    if settings.forced_eos_token_id is not None:
        found.append(_only(settings.forced_eos_token_id, at=limit - 1))
    if settings.suppress_tokens:
        found.append(_never(settings.suppress_tokens, below=limit))
    if settings.begin_suppress_tokens:
        found.append(_never(settings.begin_suppress_tokens, below=1))
    return found


def needs_sequences(settings: GenerationSettings) -> bool:
    """Whether a rule looks at the tokens so far."""
    longest = max(map(len, settings.bad_words_ids), default=0)
    return settings.repetition_penalty != 1.0 or settings.no_repeat_ngram_size > 0 or longest > 1


def _repetition(penalty: float) -> Rule:
    def rule(scores: Array, sequences: Sequence[Sequence[int]], made: int) -> None:
        del made
        for row, sequence in enumerate(sequences):
            seen = np.unique(np.asarray(sequence, dtype=np.int64))
            found = scores[row, seen]
            scores[row, seen] = np.where(found < 0, found * penalty, found / penalty)

    return rule


def _ngrams(size: int) -> Rule:
    def rule(scores: Array, sequences: Sequence[Sequence[int]], made: int) -> None:
        del made
        for row, sequence in enumerate(sequences):
            if len(sequence) + 1 < size:
                continue
            tokens = list(sequence)
            last = tokens[len(tokens) - size + 1 :]
            ends = range(size - 1, len(tokens))
            scores[row, [tokens[end] for end in ends if tokens[end - size + 1 : end] == last]] = _NEVER

    return rule


def _bad_words(words: Sequence[tuple[int, ...]]) -> Rule:
    alone = [word[0] for word in words if len(word) == 1]
    longer = [(list(word[:-1]), word[-1]) for word in words if len(word) > 1]

    def rule(scores: Array, sequences: Sequence[Sequence[int]], made: int) -> None:
        del made
        scores[:, alone] = _NEVER
        for before, last in longer:
            for row, sequence in enumerate(sequences):
                if list(sequence[-len(before) :]) == before:
                    scores[row, last] = _NEVER

    return rule


def _never(tokens: Sequence[int], *, below: int) -> Rule:
    def rule(scores: Array, sequences: Sequence[Sequence[int]], made: int) -> None:
        del sequences
        if made < below:
            for token in tokens:
                scores[:, token] = _NEVER

    return rule


def _only(token: int, *, at: int) -> Rule:
    def rule(scores: Array, sequences: Sequence[Sequence[int]], made: int) -> None:
        del sequences
        if made == at:
            scores[:] = _NEVER
            scores[:, token] = 0.0

    return rule


def narrow(scores: Array, settings: GenerationSettings) -> None:
    """Temperature, top-k and top-p: what sampling draws from."""
    scores /= np.float32(settings.temperature)
    size = scores.shape[1]
    if 0 < settings.top_k < size:
        kept = np.partition(scores, size - settings.top_k, axis=1)[:, size - settings.top_k, None]
        scores[scores < kept] = _NEVER
    if settings.top_p < 1:
        order = np.argsort(scores, axis=1, kind="stable")
        reached = np.cumsum(softmax(np.take_along_axis(scores, order, axis=1)), axis=1)
        # From the least probable on, tokens go while those left still reach the share; the last one always stays.
        dropped = reached <= 1 - settings.top_p
        dropped[:, -1] = False
        outside = np.zeros_like(dropped)
        np.put_along_axis(outside, order, dropped, axis=1)
        scores[outside] = _NEVER
