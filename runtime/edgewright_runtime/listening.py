"""Audio as it comes: chunks of any length in, segments out as soon as they are final; the state is kept in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np

    from edgewright_runtime.steps import Step

    Array = np.ndarray[Any, Any]


class Listener:
    """One recording under way. All segments together are what a call with the whole recording answers.

    >>> listener = model.listen()                               # doctest: +SKIP
    >>> for chunk in microphone:                                # float32 [samples] at the model's rate
    ...     for segment in listener.hear(chunk):
    ...         print(segment)
    >>> print(listener.finish())

    Attributes:
        probabilities: Of all frames so far.
    """

    def __init__(self, steps: Sequence[Step], threshold: float | None = None) -> None:
        from edgewright_runtime.steps.frames import InferFrames
        from edgewright_runtime.steps.segments import SpeechSegments

        frames = [step for step in steps if isinstance(step, InferFrames)]
        segments = [step for step in steps if isinstance(step, SpeechSegments)]
        if not frames or not segments:
            raise SampleError("This model does not listen: it answers whole samples.")
        self.probabilities: list[float] = []
        self._step = segments[0]
        self._segmenter = self._step.segmenter(threshold)
        self._loop = frames[0].session()
        self._loop.start()
        self._window = frames[0].window
        self._rest: list[Array] = []
        self._samples = 0
        self._ended = False

    def hear(self, chunk: Array) -> list[dict[str, float]]:
        """The segments that are final after `chunk`, float32 [samples] at the model's rate.

        Raises:
            SampleError: It is no audio, or `finish` was called.
        """
        import numpy as np

        if self._ended:
            raise SampleError("This recording was finished; listen anew.")
        samples = np.asarray(chunk)
        if samples.ndim != 1 or samples.dtype.kind != "f" or not np.isfinite(samples).all():
            given = f"{samples.dtype} of shape {list(samples.shape)}"
            raise SampleError(f"A chunk is finite numbers of shape [samples]; given was {given}.")
        self._samples += len(samples)
        waiting = np.concatenate([*self._rest, samples.astype(np.float32)])
        whole = len(waiting) // self._window * self._window
        self._rest = [waiting[whole:]]
        found = []
        for start in range(0, whole, self._window):
            found += self._frame(waiting[start : start + self._window])
        return found

    def finish(self) -> list[dict[str, float]]:
        """The rest, when nothing more comes."""
        import numpy as np

        found = []
        rest = self._rest[0] if self._rest else np.zeros(0, dtype=np.float32)
        if not self._ended and len(rest):
            found += self._frame(np.concatenate([rest, np.zeros(self._window - len(rest), dtype=np.float32)]))
        if not self._ended:
            found += [self._step.seconds(*segment) for segment in self._segmenter.finish(self._samples)]
        self._ended = True
        return found

    def over(self, chunks: Iterable[Array]) -> Iterator[dict[str, float]]:
        """The segments of all chunks as they become final, the rest at the end."""
        for chunk in chunks:
            yield from self.hear(chunk)
        yield from self.finish()

    def _frame(self, samples: Array) -> list[dict[str, float]]:
        self.probabilities.append(self._loop.frame(samples))
        return [self._step.seconds(*segment) for segment in self._segmenter.push(self.probabilities[-1])]
