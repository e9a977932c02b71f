"""What settings do to the scores of the next token, in the order in which transformers does it.

Each function takes scores of shape [rows, tokens of the vocabulary] and changes them in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from edgewright_runtime.generation.settings import GenerationSettings

    Array = np.ndarray[Any, Any]

_NEVER = -np.inf


def process(
    scores: Array, settings: GenerationSettings, sequences: Sequence[Sequence[int]], made: int, limit: int
) -> None:
    """Apply everything that rules tokens out or weighs them.

    Args:
        scores: Logits, or their logarithms of probabilities.
        settings: What to apply.
        sequences: Tokens of each row so far, the prompt included and padding not.
        made: How many of them are new.
        limit: How many may be new.
    """
    if settings.repetition_penalty != 1.0:
        _penalise_repetition(scores, sequences, settings.repetition_penalty)
    if settings.no_repeat_ngram_size:
        _forbid_ngrams(scores, sequences, settings.no_repeat_ngram_size)
    if made < settings.min_new_tokens:
        scores[:, list(settings.eos_token_ids)] = _NEVER
    if settings.forced_bos_token_id is not None and made == 0:
        _force(scores, settings.forced_bos_token_id)
    if settings.forced_eos_token_id is not None and made == limit - 1:
        _force(scores, settings.forced_eos_token_id)
    if settings.suppress_tokens:
        scores[:, list(settings.suppress_tokens)] = _NEVER
    if settings.begin_suppress_tokens and made == 0:
        scores[:, list(settings.begin_suppress_tokens)] = _NEVER


def needs_sequences(settings: GenerationSettings) -> bool:
    """Whether `process` looks at the tokens so far."""
    return settings.repetition_penalty != 1.0 or settings.no_repeat_ngram_size > 0


def _penalise_repetition(scores: Array, sequences: Sequence[Sequence[int]], penalty: float) -> None:
    for row, sequence in enumerate(sequences):
        seen = np.unique(np.asarray(sequence, dtype=np.int64))
        found = scores[row, seen]
        scores[row, seen] = np.where(found < 0, found * penalty, found / penalty)


def _forbid_ngrams(scores: Array, sequences: Sequence[Sequence[int]], size: int) -> None:
    for row, sequence in enumerate(sequences):
        if len(sequence) + 1 < size:
            continue
        tokens = list(sequence)
        last = tokens[len(tokens) - size + 1 :]
        ends = range(size - 1, len(tokens))
        repeats = [tokens[end] for end in ends if tokens[end - size + 1 : end] == last]
        scores[row, repeats] = _NEVER


def _force(scores: Array, token: int) -> None:
    scores[:] = _NEVER
    scores[:, token] = 0.0


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


def softmax(scores: Array) -> Array:
    """Probabilities, row by row."""
    exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


def log_softmax(scores: Array) -> Array:
    """Logarithms of probabilities, row by row."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
