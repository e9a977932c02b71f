"""Audio files and arrays to one channel at the rate that a model takes, with soundfile and soxr."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import AudioWarning, SampleError
from edgewright_targets.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package

    Waveform = np.ndarray[Any, np.dtype[np.float32]]

# A package that lets in more than hours of it only wants the memory.
_MOST_SAMPLES = 2**28
# What no recording for people to hear exceeds; a header that claims more would only fill the memory.
_MOST_CHANNELS = 64
_HIGHEST_RATE = 768_000


class LoadAudio:
    """`audio` to `waveform`; see `AudioReader`.

    Args:
        package: Unused; steps share one signature.
        engine: Unused.
        options: Those of `AudioReader`.
    """

    def __init__(self, package: Package, engine: Engine, **options: Any) -> None:
        del package, engine
        self._reader = AudioReader(**options)

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add `waveform`."""
        return {"waveform": self._reader(values["audio"])}


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
        name, samples, rate = self._read(audio)
        samples = self._limited(name, samples, rate)
        if not np.isfinite(samples).all():
            raise SampleError(f"{name} has NaN or infinite values.")
        if rate != self._rate:
            samples = resample(samples, rate, self._rate)
        if len(samples) < self._shortest:
            raise SampleError(
                f"{name} lasts {1e3 * len(samples) / self._rate:.0f} ms; the model needs "
                f"{1e3 * self._shortest / self._rate:.0f} ms or more."
            )
        return samples[: self._longest]

    def _read(self, audio: Any) -> tuple[str, Waveform, int]:
        """What to call it, its samples (at most a little more than the model is given), and their rate."""
        if isinstance(audio, (str, Path)):
            return self._decode(f"'{audio}'", Path(audio))
        if isinstance(audio, bytes):
            return self._decode("The audio", io.BytesIO(audio))
        rate = self._rate
        if isinstance(audio, dict) and set(audio) == {"array", "sampling_rate"}:
            audio, rate = audio["array"], int(audio["sampling_rate"])
            if not 0 < rate <= _HIGHEST_RATE:
                raise SampleError(f"A sampling rate of {rate} is none of audio.")
        if not isinstance(audio, np.ndarray):
            raise SampleError(
                f"The model takes audio: a file, or an array with its rate; given was {type(audio).__name__}."
            )
        if audio.ndim != 1 or audio.dtype.kind not in "fiu":
            raise SampleError(
                f"The model takes one channel, numbers of shape [samples]; given was {audio.dtype} of shape "
                f"{list(audio.shape)}."
            )
        if not len(audio):
            raise SampleError("The audio is empty.")
        scale = 1.0 if audio.dtype.kind == "f" else float(np.iinfo(audio.dtype).max) + 1
        return "The audio", (audio / scale).astype(np.float32), rate

    def _decode(self, name: str, source: Path | io.BytesIO) -> tuple[str, Waveform, int]:
        soundfile = _soundfile()
        if isinstance(source, Path) and not source.is_file():
            raise SampleError(f"There is no file {name}.")
        try:
            with soundfile.SoundFile(source) as file:
                if file.channels > _MOST_CHANNELS or not 0 < file.samplerate <= _HIGHEST_RATE:
                    raise SampleError(f"{name} has {file.channels} channels of {file.samplerate:,} samples a second.")
                self._refuse_long(name, file.frames / file.samplerate)
                # The header may lie, or not know: no more is read than is needed to see that it is too long.
                most = int(self._longest * file.samplerate / self._rate) + file.samplerate
                samples = file.read(frames=most, dtype="float32", always_2d=True)
                rate = int(file.samplerate)
        except (soundfile.SoundFileError, OSError, TypeError, ValueError) as error:
            reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
            raise SampleError(
                f"{name} cannot be read as audio: {reason}.",
                hint="WAV, FLAC, Ogg and MP3 can be read; others are converted with: ffmpeg -i INPUT out.wav",
            ) from error
        if not len(samples):
            raise SampleError(f"{name} is empty: it has no samples.")
        return name, samples.mean(axis=1, dtype=np.float32), rate

    def _limited(self, name: str, samples: Waveform, rate: int) -> Waveform:
        self._refuse_long(name, len(samples) / rate)
        if len(samples) * self._rate > self._longest * rate:
            seconds = self._longest / self._rate
            warnings.warn(
                f"The model hears {seconds:g} seconds; longer audio was cut after that.", AudioWarning, stacklevel=4
            )
            return samples[: -(-self._longest * rate // self._rate)]
        return samples

    def _refuse_long(self, name: str, seconds: float) -> None:
        limit = self._longest / self._rate
        if seconds > limit and not self._cut:
            raise SampleError(
                f"{name} lasts {_duration(seconds)}; the model takes {limit:g} seconds at most.",
                hint="Split it, best where it is silent, for example with: "
                f"ffmpeg -i INPUT -f segment -segment_time {limit:g} part-%04d.wav",
            )


def resample(samples: Waveform, rate: int, wanted: int) -> Waveform:
    """Audio of `rate` samples a second at the rate `wanted`; says so with `AudioWarning`.

    Raises:
        MissingDependencyError: soxr is not installed.
    """
    try:
        import soxr
    except ImportError as error:
        raise MissingDependencyError(
            f"The audio has {rate:,} samples a second, the model takes {wanted:,}, and the library 'soxr' is not "
            "installed.",
            hint="Install it with: pip install soxr",
        ) from error
    lost = f"; sounds above {rate / 2000:g} kHz are missing in it" if rate < wanted else ""
    warnings.warn(
        f"The audio has {rate:,} samples a second and the model takes {wanted:,}: it was resampled{lost}.",
        AudioWarning,
        stacklevel=4,
    )
    made: Waveform = np.asarray(soxr.resample(samples, rate, wanted), dtype=np.float32)
    return made


def _soundfile() -> Any:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError where the package is there and libsndfile is not
        raise MissingDependencyError(
            "This package takes audio files, and the library 'soundfile' is not installed.",
            hint="Install it with: pip install soundfile",
        ) from error
    return soundfile


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
