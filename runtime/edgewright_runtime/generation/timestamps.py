"""Times among the tokens of a transcript, as Whisper writes them: which may come next, and segments out of them.

What is ruled out, and where one window of a recording ends and the next begins, is as in `generate` of transformers.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from edgewright_runtime.generation.scores import Rule

    Array = np.ndarray[Any, Any]

_NEVER = -np.inf
# A token of time is so many seconds after the one before, and a frame of the spectrogram lasts so long.
TOKEN_SECONDS, FRAME_SECONDS = 0.02, 0.01
FRAMES_OF_TOKEN = 2


@dataclass(frozen=True)
class TimestampSpec:
    """Where times are among the tokens.

    Attributes:
        none: The token of a prompt that says that there are none; tokens above it are times, from 0 seconds on.
        end: The token that ends a text; those below are of words.
        latest_first: The latest time that a text may begin with, counted in tokens of time; None is any.
    """

    none: int
    end: int
    latest_first: int | None = None

    @property
    def first(self) -> int:
        """The token of 0 seconds."""
        return self.none + 1


@dataclass(frozen=True)
class Segment:
    """What is said in a stretch of a window, in tokens of time from its start."""

    start: int
    end: float
    tokens: tuple[int, ...]


def timestamp_rule(spec: TimestampSpec) -> Rule:
    """What rules tokens out where a text has times: they come in pairs, never go back, and one is at the start."""
    first = spec.first

    def rule(scores: Array, sequences: Sequence[Sequence[int]], made: int) -> None:
        scores[:, spec.none] = _NEVER
        for row, sequence in enumerate(sequences):
            new = list(sequence[len(sequence) - made :])
            last_is_time = bool(new) and new[-1] >= first
            before_is_time = len(new) < 2 or new[-2] >= first
            if last_is_time and before_is_time:
                scores[row, first:] = _NEVER
            elif last_is_time:
                scores[row, : spec.end] = _NEVER
            if times := [token for token in new if token >= first]:
                # The end of a segment may be the start of the next; else a time is later than the last.
                again = last_is_time and not before_is_time
                scores[row, first : times[-1] + (0 if again else 1)] = _NEVER
        if not made:
            scores[:, :first] = _NEVER
            if spec.latest_first is not None:
                scores[:, first + spec.latest_first + 1 :] = _NEVER
        # Times together are more probable than each word: then it is a time.
        best = scores.max(axis=1, keepdims=True)
        together = np.exp(scores[:, first:] - best).sum(axis=1)
        scores[together > np.exp(scores[:, :first].max(axis=1) - best[:, 0]), :first] = _NEVER

    return rule


def segments_of(tokens: Sequence[int], spec: TimestampSpec, frames: int) -> tuple[list[Segment], int]:
    """The segments of a window, and the frames after which the next window begins.

    Args:
        tokens: What was written about the window, without the token that ends it.
        spec: Where times are.
        frames: Frames of the recording in the window.
    """
    timed = [token >= spec.first for token in tokens]
    pairs = [index + 1 for index, (one, next_one) in enumerate(itertools.pairwise(timed)) if one and next_one]
    if not pairs:
        return [Segment(0, _end(tokens, spec, frames), tuple(tokens))], frames
    # One time at the end: nothing is said after it. Two: what follows is cut off, and is heard again.
    silent_after = timed[-2:] == [False, True]
    ends = [*pairs, len(tokens)] if silent_after else [*pairs[:-1], pairs[-1] + 1]
    found, start = [], 0
    for end in ends:
        part = tokens[start:end]
        last = part[-1] if silent_after or end != ends[-1] else part[-2]
        found.append(Segment(part[0] - spec.first, last - spec.first, tuple(part)))
        start = end
    if silent_after:
        return found, frames
    # At least a frame, whatever a graph answers: each window brings a recording nearer to its end.
    return found, max(1, (tokens[ends[-1] - 2] - spec.first) * FRAMES_OF_TOKEN)


def _end(tokens: Sequence[int], spec: TimestampSpec, frames: int) -> float:
    """Where a window without pairs of times ends: at its last time, or else with its frames."""
    times = [token - spec.first for token in tokens if token >= spec.first]
    if times and times[-1]:
        return times[-1]
    # In single precision, as the source counts.
    return int(np.float32(frames) * np.float32(FRAME_SECONDS) / np.float32(TOKEN_SECONDS))
