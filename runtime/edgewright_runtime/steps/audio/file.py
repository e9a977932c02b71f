"""Audio files and arrays to one channel at the rate that a model takes, with soundfile and soxr."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import AudioWarning, SampleError
from edgewright_runtime.steps.audio.resampling import Resampler, joined
from edgewright_targets.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewright_runtime.steps.values import NamedValues

    Waveform = np.ndarray[Any, np.dtype[np.float32]]

# A package that lets in more than hours of it only wants the memory.
_MOST_SAMPLES = 2**28
# What no recording for people to hear exceeds; a header that claims more would only fill the memory.
_MOST_CHANNELS = 64
_HIGHEST_RATE = 768_000
# Samples of a file that are decoded at once.
_BLOCK = 2**20


class AudioReader:
    """An audio file, or an array, to float32 of shape [samples]: one channel, within -1 to 1 as a file has it.

    A sample is a path, the bytes of a file (what libsndfile reads: WAV, FLAC, Ogg, MP3, ...), an array of shape
    [samples] at the model's own rate, or `{"array": ..., "sampling_rate": ...}`. Integers are scaled by the range of
    their type. Channels are averaged; another rate is resampled and said with `AudioWarning`.

    Args:
        sampling_rate: Samples a second that the model takes.
        shortest: The fewest samples that it can answer, at that rate.
        longest: The most samples that it is given.
        cut: Give it the first `longest` samples of longer audio and say so, instead of refusing it.
    """

    def __init__(self, *, sampling_rate: int, shortest: int = 1, longest: int, cut: bool = False) -> None:
        if not 0 < sampling_rate <= _HIGHEST_RATE or not 0 < shortest <= longest <= _MOST_SAMPLES:
            raise ValueError(f"sampling_rate {sampling_rate}, shortest {shortest}, longest {longest}")
        self._rate = sampling_rate
        self._shortest = shortest
        self._longest = longest
        self._cut = cut

    def __call__(self, audio: Any) -> Waveform:
        """The waveform of a sample.

        Raises:
            SampleError: Not audio, empty, too short or too long for the model, or with values that are not finite.
        """
        name, samples = self._read(audio)
        if not np.isfinite(samples).all():
            raise SampleError(f"{name} has NaN or infinite values.")
        if len(samples) < self._shortest:
            raise SampleError(
                f"{name} lasts {1e3 * len(samples) / self._rate:.0f} ms; the model needs "
                f"{1e3 * self._shortest / self._rate:.0f} ms or more."
            )
        return samples[: self._longest]

    def _read(self, audio: Any) -> tuple[str, Waveform]:
        """What to call it, and its samples at the model's rate, at most a little more than the model is given."""
        if isinstance(audio, (str, Path)):
            return self._decode(f"'{audio}'", Path(audio))
        if isinstance(audio, bytes):
            return self._decode("The audio", io.BytesIO(audio))
        rate = self._rate
        if isinstance(audio, dict) and set(audio) == {"array", "sampling_rate"}:
            audio, rate = audio["array"], int(audio["sampling_rate"])
            if not 0 < rate <= _HIGHEST_RATE:
                raise SampleError(f"A sampling rate of {rate} Hz is not supported.")
        if not isinstance(audio, np.ndarray):
            raise SampleError(
                f"The model takes audio: a file, or an array with its rate; found {type(audio).__name__}."
            )
        if audio.ndim != 1 or audio.dtype.kind not in "fiu":
            raise SampleError(
                f"The model takes one channel, numbers of shape [samples]; found {audio.dtype} of shape "
                f"{list(audio.shape)}."
            )
        if not len(audio):
            raise SampleError("The audio is empty.")
        scale = 1.0 if audio.dtype.kind == "f" else float(np.iinfo(audio.dtype).max) + 1
        self._check_length("The audio", len(audio), rate)
        samples = (audio[: self._room(rate)] / scale).astype(np.float32)
        return "The audio", joined([*Resampler(rate, self._rate).parts([samples])])

    def _decode(self, name: str, source: Path | io.BytesIO) -> tuple[str, Waveform]:
        soundfile = _soundfile()
        if isinstance(source, Path) and not source.is_file():
            raise SampleError(f"There is no file {name}.")
        try:
            with soundfile.SoundFile(source) as file:
                if file.channels > _MOST_CHANNELS or not 0 < file.samplerate <= _HIGHEST_RATE:
                    raise SampleError(f"{name} has {file.channels} channels of {file.samplerate:,} samples a second.")
                rate = int(file.samplerate)
                self._refuse_long(name, file.frames / rate)
                read = _Blocks(file, self._room(rate), rate)
                # Block by block: of hours in stereo, only what the model is given is in memory at once.
                samples = joined([*Resampler(rate, self._rate).parts(read)])
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
            reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
            raise SampleError(
                f"{name} cannot be read as audio: {reason}.",
                hint="Supported: WAV, FLAC, Ogg and MP3. Convert other files, for example with: ffmpeg -i INPUT "
                "out.wav",
            ) from error
        if not read.count:
            raise SampleError(f"{name} is empty: it has no samples.")
        self._check_length(name, read.count, rate)
        return name, samples

    def _room(self, rate: int) -> int:
        """Samples of that rate that the model is given."""
        return -(-self._longest * rate // self._rate)

    def _check_length(self, name: str, count: int, rate: int) -> None:
        self._refuse_long(name, count / rate)
        if count * self._rate > self._longest * rate:
            seconds = self._longest / self._rate
            warnings.warn(
                f"The model takes {seconds:g} seconds of audio; longer audio was cut.", AudioWarning, stacklevel=5
            )

    def _refuse_long(self, name: str, seconds: float) -> None:
        limit = self._longest / self._rate
        if seconds > limit and not self._cut:
            raise SampleError(
                f"{name} lasts {_duration(seconds)}; the model takes at most {limit:g} seconds.",
                hint="Split it, best at silence, for example with: ffmpeg -i INPUT -f segment -segment_time "
                f"{limit:g} part-%04d.wav",
            )


class LoadAudio:
    """`audio` to `waveform`; see `AudioReader`.

    Args:
        options: Those of `AudioReader`.
    """

    inner_options = AudioReader

    def __init__(self, **options: Any) -> None:
        self._reader = AudioReader(**options)

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `waveform`."""
        return {"waveform": self._reader(values["audio"])}


class _Blocks:
    """The samples of an open file as blocks of one channel, at most `most` of them.

    Attributes:
        count: Samples so far; up to a second more than `most`, which shows that there are more.
    """

    def __init__(self, file: Any, most: int, rate: int) -> None:
        self.count = 0
        self._file, self._most, self._rate = file, most, rate

    def __iter__(self) -> Iterator[Waveform]:
        # The header may lie, or not know: no more is read than is needed to see that it is too long.
        while wanted := min(_BLOCK, self._most + self._rate - self.count):
            block = self._file.read(frames=wanted, dtype="float32", always_2d=True)
            if not len(block):
                return
            yield block.mean(axis=1, dtype=np.float32)[: max(self._most - self.count, 0)]
            self.count += len(block)


def _soundfile() -> Any:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError where the package is there and libsndfile is not
        raise MissingDependencyError(
            "This package takes audio files, but the library 'soundfile' is not installed.",
            hint="Install it with: pip install soundfile",
        ) from error
    return soundfile


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
