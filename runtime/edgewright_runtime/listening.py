"""Audio as it comes: chunks of any length in, what is found in them out as soon as it is final."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np

    from edgewright_runtime.answer_types import HeardKeyword, SpeechSegment
    from edgewright_runtime.steps.audio.frames import InferFrames
    from edgewright_runtime.steps.audio.keywords import SpotKeywords
    from edgewright_runtime.steps.audio.segments import SpeechSegments
    from edgewright_runtime.steps.audio.streams import InferStream
    from edgewright_runtime.steps.protocols import Step

    Array = np.ndarray[Any, Any]

# What is found: segments, or keywords.
Heard = TypeVar("Heard")


def listener(steps: Sequence[Step], threshold: float | None) -> VoiceListener | KeywordListener:
    """What listens by these steps.

    Raises:
        SampleError: No step takes audio in chunks, or the threshold is not valid.
    """
    from edgewright_runtime.steps.audio.frames import InferFrames
    from edgewright_runtime.steps.audio.keywords import SpotKeywords
    from edgewright_runtime.steps.audio.segments import SpeechSegments
    from edgewright_runtime.steps.audio.streams import InferStream

    frames = [step for step in steps if isinstance(step, InferFrames)]
    streams = [step for step in steps if isinstance(step, InferStream)]
    for step in steps:
        if frames and isinstance(step, SpeechSegments):
            return VoiceListener(frames[0], step, threshold)
        if streams and isinstance(step, SpotKeywords):
            return KeywordListener(streams, step, threshold)
    raise SampleError("This model does not take audio in chunks, only complete samples.")


class Listener(ABC, Generic[Heard]):
    """One recording under way. All that it finds together is what a call with the whole recording finds.

    listener = model.listen()
    for chunk in microphone:  # float32 [samples] at the model's rate
        for found in listener.hear(chunk):
            print(found)
    print(listener.finish())
    """

    def __init__(self) -> None:
        self._samples = 0
        self._ended = False

    def hear(self, chunk: Array) -> list[Heard]:
        """What is final after `chunk`, float32 [samples] at the model's rate.

        Raises:
            SampleError: It is not audio, or `finish` was called.
        """
        import numpy as np

        if self._ended:
            raise SampleError("This recording is finished. Call listen() for a new one.")
        samples = np.asarray(chunk)
        if samples.ndim != 1 or samples.dtype.kind != "f" or not np.isfinite(samples).all():
            given = f"{samples.dtype} of shape {list(samples.shape)}"
            raise SampleError(f"A chunk must be finite numbers of shape [samples]; found {given}.")
        self._samples += len(samples)
        return self._hear(samples.astype(np.float32))

    def finish(self) -> list[Heard]:
        """The rest, when nothing more comes."""
        found = [] if self._ended else self._finish()
        self._ended = True
        return found

    def over(self, chunks: Iterable[Array]) -> Iterator[Heard]:
        """What is found in all chunks as it becomes final, the rest at the end."""
        for chunk in chunks:
            yield from self.hear(chunk)
        yield from self.finish()

    @abstractmethod
    def _hear(self, samples: Array) -> list[Heard]:
        """Hear more."""

    @abstractmethod
    def _finish(self) -> list[Heard]:
        """Give the rest."""


class VoiceListener(Listener["SpeechSegment"]):
    """Finds segments of speech, `{"start", "end"}` in seconds.

    Attributes:
        probabilities: Of all frames so far.
    """

    def __init__(self, frames: InferFrames, segments: SpeechSegments, threshold: float | None) -> None:
        super().__init__()
        self.probabilities: list[float] = []
        self._step = segments
        self._segmenter = segments.segmenter(threshold)
        self._loop = frames.session()
        self._loop.start()
        self._window = frames.window
        self._rest: list[Array] = []

    def _hear(self, samples: Array) -> list[SpeechSegment]:
        import numpy as np

        waiting = np.concatenate([*self._rest, samples])
        whole = len(waiting) // self._window * self._window
        self._rest = [waiting[whole:]]
        found = []
        for start in range(0, whole, self._window):
            found += self._frame(waiting[start : start + self._window])
        return found

    def _finish(self) -> list[SpeechSegment]:
        import numpy as np

        found = []
        rest = self._rest[0] if self._rest else np.zeros(0, dtype=np.float32)
        if len(rest):
            found += self._frame(np.concatenate([rest, np.zeros(self._window - len(rest), dtype=np.float32)]))
        return found + [self._step.seconds(*segment) for segment in self._segmenter.finish(self._samples)]

    def _frame(self, samples: Array) -> list[SpeechSegment]:
        self.probabilities.append(self._loop.frame(samples))
        return [self._step.seconds(*segment) for segment in self._segmenter.push(self.probabilities[-1])]


class KeywordListener(Listener["HeardKeyword"]):
    """Finds keywords, `{"label", "time", "score"}`, when they are said."""

    def __init__(self, streams: Sequence[InferStream], spot: SpotKeywords, threshold: float | None) -> None:
        super().__init__()
        self._spotter = spot.spotter(threshold)
        self._loops = [step.session() for step in streams]
        for loop in self._loops:
            loop.start()

    @property
    def highest(self) -> list[float]:
        """The highest score of each label so far."""
        return list(self._spotter.highest)

    def _hear(self, samples: Array) -> list[HeardKeyword]:
        from edgewright_runtime.steps.audio.stream_windows import Stream

        heard = {"audio": Stream.of_audio(samples)}
        for loop in self._loops:
            heard |= loop.push(heard)
        return self._spotter.push(heard)

    def _finish(self) -> list[HeardKeyword]:
        # What is left fills no window, as at the end of a whole recording.
        return []
