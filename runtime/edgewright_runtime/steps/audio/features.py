"""Waveforms to what a graph takes: zero mean and unit variance, or a log-mel spectrogram."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

    Floats = np.ndarray[Any, np.dtype[np.float32]]

# Added to the variance, so that silence stays silence; the value of Wav2Vec2FeatureExtractor.
_VARIANCE_FLOOR = 1e-7
# A package that asks for more than these only wants the memory: an hour at 16 kHz, and ten times Whisper's sizes.
_MOST_SAMPLES, _MOST_MELS, _MOST_FFT = 3600 * 16_000, 1280, 4096
# Whisper's: power below which nothing is heard, and how many decades below the loudest a spectrogram reaches.
_POWER_FLOOR = 1e-10
_DECADES = 8.0
# Frames whose spectra are in memory together: half a minute of Whisper's.
_FRAMES_AT_ONCE = 3000


class Waveform:
    """`waveform` to the input of a graph that takes samples, shape [1, samples]; as Wav2Vec2FeatureExtractor.

    Args:
        output: Name of the graph's input.
        normalize: To zero mean and unit variance.
    """

    def __init__(self, *, output: str, normalize: bool) -> None:
        self._output = output
        self._normalize = normalize

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the input."""
        waveform: Floats = values["waveform"]
        if self._normalize:
            waveform = (waveform - waveform.mean()) / np.sqrt(waveform.var() + np.float32(_VARIANCE_FLOOR))
        return {self._output: waveform[None]}


class LogMel:
    """`waveform` to a log-mel spectrogram of shape [1, mels, frames]; as WhisperFeatureExtractor.

    Args:
        output: Name of the graph's input.
        sampling_rate: Samples a second of the waveform.
        samples: It is padded with zeros, or cut, to so many.
        mels: Bands.
        n_fft: Samples of a frame.
        hop_length: Samples from a frame to the next.
        whole: Name of a further value, [1, mels, frames], that has all of a longer waveform; `output` is its start.
            Without it only the start is heard.
    """

    def __init__(
        self,
        *,
        output: str,
        sampling_rate: int,
        samples: int,
        mels: int,
        n_fft: int,
        hop_length: int,
        whole: str = "",
    ) -> None:
        sizes = 0 < mels <= _MOST_MELS and 0 < n_fft <= _MOST_FFT and n_fft // 2 < samples <= _MOST_SAMPLES
        if not sizes or n_fft % 2 or not 0 < hop_length <= n_fft:
            raise ValueError(f"{mels} mels, n_fft {n_fft}, hop_length {hop_length}, {samples} samples")
        self._output = output
        self._samples = samples
        self._hop_length = hop_length
        self._whole = whole
        self._filters = mel_filters(sampling_rate, n_fft, mels)

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the spectrogram."""
        waveform: Floats = values["waveform"]
        if not self._whole:
            waveform = waveform[: self._samples]
        heard = len(waveform)
        if heard < self._samples:
            waveform = np.pad(waveform, (0, self._samples - heard))
        made = log_mel(waveform, self._filters, self._hop_length, heard)[None]
        if not self._whole:
            return {self._output: made}
        start = np.ascontiguousarray(made[:, :, : self._samples // self._hop_length])
        return {self._output: start, self._whole: made}


def log_mel(waveform: Floats, filters: Floats, hop_length: int, heard: int | None = None) -> Floats:
    """Whisper's log-mel spectrogram of a waveform that is padded already.

    Args:
        waveform: Samples, more than half a frame; shape [samples].
        filters: From `mel_filters`; shape [mels, frequencies].
        hop_length: Samples from a frame to the next.
        heard: What follows so many samples is padding, zeros; None where all was heard.

    Returns:
        Shape [mels, samples // hop_length], at most 2 from the lowest to the highest value.
    """
    n_fft = 2 * (filters.shape[1] - 1)
    # The periodic form of the window, which is the one for spectra.
    window = np.hanning(n_fft + 1)[:-1].astype(np.float32)
    # The last frame is left out, as Whisper does.
    count = len(waveform) // hop_length
    made: Floats = np.empty((len(filters), count), dtype=np.float32)
    # Mostly a short recording in a long window: frames of padding alone are known without their spectra.
    heard = len(waveform) if heard is None else heard
    loud = min((heard - 1 + n_fft // 2) // hop_length + 1, count)
    made[:, loud:] = np.log10(np.float32(_POWER_FLOOR))
    for start in range(0, loud, _FRAMES_AT_ONCE):
        end = min(start + _FRAMES_AT_ONCE, loud)
        first, last = start * hop_length - n_fft // 2, (end - 1) * hop_length + n_fft // 2
        part = waveform[max(first, 0) : last]
        if first < 0 or last > len(waveform):
            part = np.pad(part, (max(-first, 0), max(last - len(waveform), 0)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(part, n_fft)[::hop_length]
        spectrum = np.fft.rfft(frames * window)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        made[:, start:end] = np.log10(np.maximum(filters @ power.T, np.float32(_POWER_FLOOR)))
    np.maximum(made, made.max() - np.float32(_DECADES), out=made)
    made += np.float32(4)
    made /= np.float32(4)
    return made


def mel_filters(sampling_rate: int, n_fft: int, mels: int) -> Floats:
    """Triangular bands on Slaney's mel scale from 0 to 8 kHz, each of the same area; shape [mels, n_fft // 2 + 1]."""
    frequencies = np.linspace(0, sampling_rate // 2, 1 + n_fft // 2)
    edges = _hertz(np.linspace(0.0, _mel(8000.0), mels + 2))
    slopes = edges[:, None] - frequencies
    widths = np.diff(edges)[:, None]
    triangles = np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]))
    made: Floats = (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    return made


# Slaney's scale: linear up to 1 kHz (15 mel), then 27 mel for each factor of 6.4.
_LINEAR_HERTZ, _LINEAR_MELS, _LOG_STEP = 1000.0, 15.0, math.log(6.4) / 27


def _mel(hertz: float) -> float:
    if hertz < _LINEAR_HERTZ:
        return hertz * _LINEAR_MELS / _LINEAR_HERTZ
    return _LINEAR_MELS + math.log(hertz / _LINEAR_HERTZ) / _LOG_STEP


def _hertz(mels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    linear = mels * (_LINEAR_HERTZ / _LINEAR_MELS)
    return np.where(mels < _LINEAR_MELS, linear, _LINEAR_HERTZ * np.exp(_LOG_STEP * (mels - _LINEAR_MELS)))
