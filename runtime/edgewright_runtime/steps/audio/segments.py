"""Probabilities of frames to stretches of speech, as silero-vad's `get_speech_timestamps` finds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.values import call_of
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import SpeechSegment
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

# Where a stretch must be cut, a silence of so long is a place for it, in ms.
_SILENCE_TO_CUT_MS = 98


@dataclass(frozen=True, kw_only=True)
class SegmentSettings:
    """What counts as speech.

    Attributes:
        sampling_rate: Samples a second.
        window: Samples of a frame.
        threshold: Probability from which on a frame is speech.
        exit_threshold: Probability below which speech may end; 0 is 0.15 below `threshold`, 0.01 at least.
        min_speech_ms: Shorter stretches are dropped.
        min_silence_ms: Shorter silences do not end a stretch.
        pad_ms: Stretches are longer by so much on either side, where there is room.
        max_speech_seconds: Longer stretches are cut, best at a silence; 0 is never.
    """

    sampling_rate: int
    window: int
    threshold: float = 0.5
    exit_threshold: float = 0.0
    min_speech_ms: float = 250.0
    min_silence_ms: float = 100.0
    pad_ms: float = 30.0
    max_speech_seconds: float = 0.0


class Segmenter:
    """Takes probabilities one by one, gives stretches as soon as nothing can change them; in samples."""

    def __init__(self, settings: SegmentSettings) -> None:
        self._settings = settings
        rate = settings.sampling_rate
        self._exit = settings.exit_threshold or max(settings.threshold - 0.15, 0.01)
        self._min_speech, self._min_silence = (
            rate * settings.min_speech_ms / 1000,
            rate * settings.min_silence_ms / 1000,
        )
        self._pad = rate * settings.pad_ms / 1000
        self._cut_silence = rate * _SILENCE_TO_CUT_MS / 1000
        longest = rate * (settings.max_speech_seconds or float("inf"))
        self._longest = longest - settings.window - 2 * self._pad
        self._now = 0
        self._start: int | None = None
        self._end = 0
        self._silences: list[tuple[int, int]] = []
        # Found and not given yet; whether the start of the first one is still to be padded.
        self._found: list[list[int]] = []
        self._to_pad = True

    def push(self, probability: float) -> list[tuple[int, int]]:
        """Hear a frame; gives the stretches that are final."""
        self._hear(probability, self._now)
        self._now += self._settings.window
        silent = self._start is None and bool(self._found) and self._now - self._found[-1][1] >= 2 * self._pad
        return self._final(None, last=silent)

    def finish(self, length: int) -> list[tuple[int, int]]:
        """End after `length` samples; gives the rest."""
        if self._start is not None and length - self._start > self._min_speech:
            self._found.append([self._start, length])
        self._start = None
        return self._final(length, last=True)

    def _hear(self, probability: float, now: int) -> None:
        speech = probability >= self._settings.threshold
        if speech and self._end:
            if now - self._end > self._cut_silence:
                self._silences.append((self._end, now - self._end))
            self._end = 0
        if speech and self._start is None:
            self._start = now
            return
        if self._start is not None and now - self._start > self._longest and not self._cut(now):
            return
        if probability < self._exit and self._start is not None:
            self._end = self._end or now
            if now - self._end < self._min_silence:
                return
            if self._end - self._start > self._min_speech:
                self._found.append([self._start, self._end])
            self._reset(None)

    def _cut(self, now: int) -> bool:
        """End a stretch that is too long; whether the frame is still to be looked at."""
        assert self._start is not None, "only speech is cut"
        if not self._silences:
            self._found.append([self._start, now])
            self._reset(None)
            return False
        end, silence = max(self._silences, key=lambda entry: entry[1])
        self._found.append([self._start, end])
        self._reset(end + silence)
        return True

    def _reset(self, start: int | None) -> None:
        self._start, self._end, self._silences = start, 0, []

    def _final(self, length: int | None, *, last: bool) -> list[tuple[int, int]]:
        given = []
        while self._found and (last or len(self._found) > 1):
            current = self._found[0]
            if self._to_pad:
                current[0] = int(max(0, current[0] - self._pad))
            if len(self._found) > 1:
                following = self._found[1]
                between = following[0] - current[1]
                room = between // 2 if between < 2 * self._pad else self._pad
                current[1] = int(current[1] + room)
                following[0] = int(max(0, following[0] - room))
                self._to_pad = False
            else:
                current[1] = int(current[1] + self._pad if length is None else min(length, current[1] + self._pad))
                self._to_pad = True
            self._found.pop(0)
            given.append((current[0], current[1]))
        return given


class SpeechSegments:
    """`probabilities` and `waveform` to `segments`: `[{"start": seconds, "end": seconds}]`.

    Args:
        package: The package.
        settings: The fields of `SegmentSettings`. The option `threshold` of a call comes before it.
    """

    def __init__(self, package: Package, *, settings: Mapping[str, object]) -> None:
        self.settings = read_record(SegmentSettings, settings, f"'{package.root}': the step 'speech_segments'")

    def segmenter(self, threshold: float | None = None) -> Segmenter:
        """What finds the segments of one recording.

        Raises:
            SampleError: The threshold is not a probability.
        """
        if threshold is None:
            return Segmenter(self.settings)
        if not 0 < threshold < 1:
            raise SampleError(f"The threshold must be a probability between 0 and 1; found {threshold}.")
        return Segmenter(replace(self.settings, threshold=float(threshold), exit_threshold=0.0))

    def __call__(self, values: NamedValues) -> dict[str, list[SpeechSegment]]:
        """Add `segments`."""
        segmenter = self.segmenter(call_of(values).options.get("threshold"))
        found = [segment for value in values["probabilities"].tolist() for segment in segmenter.push(value)]
        found += segmenter.finish(len(values["waveform"]))
        return {"segments": [self.seconds(*segment) for segment in found]}

    def seconds(self, start: int, end: int) -> SpeechSegment:
        """A segment for people."""
        rate = self.settings.sampling_rate
        return {"start": start / rate, "end": end / rate}
