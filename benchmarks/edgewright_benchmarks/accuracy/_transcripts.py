"""Counting errors in transcripts: of words and of characters, after both sides are written alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jiwer
import numpy as np
from numpy.typing import NDArray

from edgewright_runtime.steps.text.words import words_of

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Errors:
    """Of each sample: substitutions, deletions and insertions, and what there was to say; shape (samples,) each."""

    words: Counts
    reference_words: Counts
    characters: Counts
    reference_characters: Counts


def spoken(text: str) -> str:
    """What can be heard of a text: no case, no punctuation but apostrophes inside words, single spaces.

    >>> spoken("It's twenty-one, please!")
    "it's twenty one please"
    """
    text = unicodedata.normalize("NFKC", text).casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    kept = "".join(sign if sign == "'" or unicodedata.category(sign)[0] not in "PSZC" else " " for sign in text)
    return " ".join(word for word in (part.strip("'") for part in kept.split()) if word)


def count_errors(references: Sequence[str], answers: Sequence[str]) -> Errors:
    """Errors of each answer against its reference, both as `spoken`; a letter of a script without spaces is a word."""
    found = np.zeros((4, len(references)), dtype=np.int64)
    for index, (reference, answer) in enumerate(zip(references, answers, strict=True)):
        expected, heard = spoken(reference), spoken(answer)
        found[:, index] = (
            *_counts(jiwer.process_words(_spaced(expected), _spaced(heard))),
            *_counts(jiwer.process_characters(expected, heard)),
        )
    return Errors(*found)


def _spaced(text: str) -> str:
    return " ".join(text[start:end] for start, end in words_of(text))


def count_characters(references: Sequence[str], answers: Sequence[str]) -> tuple[Counts, Counts]:
    """Errors of each answer, and characters of its reference, to the letter; spaces around it are not compared."""
    found = np.zeros((2, len(references)), dtype=np.int64)
    for index, (reference, answer) in enumerate(zip(references, answers, strict=True)):
        found[:, index] = _counts(jiwer.process_characters(reference.strip(), answer.strip()))
    return found[0], found[1]


def _counts(aligned: Any) -> tuple[int, int]:
    wrong = aligned.substitutions + aligned.deletions + aligned.insertions
    return wrong, aligned.hits + aligned.substitutions + aligned.deletions
