"""A segment of a recording as a recording of its own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import SampleError
from edgewright_targets.errors import MissingDependencyError

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues


class Clip:
    """The part of a recording from the start to the end of a segment, with all its channels averaged.

    Args:
        margin: Seconds that are added on each side, as far as the recording goes.
    """

    def __init__(self, *, margin: float = 0.0) -> None:
        if not 0 <= margin <= 60:
            raise ValueError(f"margin is {margin}; it is a number of seconds between 0 and 60")
        try:
            import soundfile
        except ImportError as error:
            raise MissingDependencyError(
                "This application cuts audio, but the library 'soundfile' is not installed.",
                hint="Install it with: pip install soundfile",
            ) from error
        self._margin = margin
        self._library = soundfile

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """The part, as an array with its rate.

        Raises:
            SampleError: The recording cannot be read, or the segment lies outside it.
        """
        audio, segment = values["audio"], values["segment"]
        start, end = max(0.0, segment["start"] - self._margin), segment["end"] + self._margin
        if isinstance(audio, dict):
            rate = int(audio["sampling_rate"])
            part = audio["array"][round(start * rate) : round(end * rate)]
        else:
            rate, part = self._decoded(audio, start, end)
        if not len(part):
            raise SampleError(f"The recording has nothing from {start:.2f} s to {end:.2f} s.")
        return {"array": part, "sampling_rate": rate}

    def _decoded(self, audio: Any, start: float, end: float) -> tuple[int, Any]:
        try:
            with self._library.SoundFile(io.BytesIO(audio) if isinstance(audio, bytes) else str(audio)) as file:
                rate = int(file.samplerate)
                # Only the part is decoded: a recording may last hours.
                first = min(round(start * rate), file.frames)
                file.seek(first)
                samples = file.read(max(0, min(round(end * rate), file.frames) - first), "float32", always_2d=True)
        except (self._library.SoundFileError, OSError, TypeError) as error:
            raise SampleError(f"The recording cannot be read as audio: {error}.") from error
        return rate, samples.mean(axis=1)
