"""Waveforms to filter banks in the manner of Kaldi, each band normalised over the recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

    Array = np.ndarray[Any, Any]
    Floats = np.ndarray[Any, np.dtype[np.float32]]

# Kaldi's own: 25 ms every 10 ms at 16 kHz, integers of 16 bits, and the lowest power that has a logarithm.
_FRAME, HOP, _FFT = 400, 160, 512
_SCALE, _PREEMPHASIS, _WINDOW_POWER = 2.0**15, 0.97, 0.85
_LOWEST_HERTZ = 20.0
_FLOOR = 1.192092955078125e-07
_MOST_BANDS = 1280
# Samples of the shortest waveform: two frames, for a band of one frame has no variance.
SHORTEST = _FRAME + HOP


class FilterBank:
    """`waveform` to logarithms of mel bands, shape [1, frames, bands]; as Speech2TextFeatureExtractor.

    Args:
        output: Name of the graph's input.
        sampling_rate: Samples a second of the waveform.
        bands: How many.
        normalize_means: Each band to a mean of zero.
        normalize_variances: Each band to a variance of one. A band that never changes stays as it is: the source
            divides by zero there.
    """

    def __init__(
        self,
        *,
        output: str,
        sampling_rate: int,
        bands: int,
        normalize_means: bool,
        normalize_variances: bool,
    ) -> None:
        if not 0 < bands <= _MOST_BANDS or sampling_rate < 4 * _LOWEST_HERTZ:
            raise ValueError(f"{bands} bands, {sampling_rate} samples a second")
        self._output = output
        self._means, self._variances = normalize_means, normalize_variances
        self._filters = kaldi_filters(sampling_rate, bands)
        self._window = np.hanning(_FRAME) ** _WINDOW_POWER

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the bands."""
        waveform = values["waveform"].astype(np.float64) * _SCALE
        frames = np.lib.stride_tricks.sliding_window_view(waveform, _FRAME)[::HOP]
        frames = frames - frames.mean(axis=1, keepdims=True)
        first = frames[:, :1] * (1 - _PREEMPHASIS)
        frames = np.concatenate([first, frames[:, 1:] - _PREEMPHASIS * frames[:, :-1]], axis=1)
        spectrum = np.fft.rfft(frames * self._window, _FFT)
        power = spectrum.real**2 + spectrum.imag**2
        made: Floats = np.log(np.maximum(power @ self._filters, _FLOOR)).astype(np.float32)
        if self._means:
            made -= made.mean(axis=0)
        if self._variances:
            deviation = made.std(axis=0)
            made /= np.where(deviation, deviation, np.float32(1))
        return {self._output: made[None]}


def kaldi_filters(sampling_rate: int, bands: int) -> Array:
    """Triangular bands on Kaldi's mel scale from 20 Hz on; float64 [frequencies, bands]."""
    lowest, highest = _mel(np.array([_LOWEST_HERTZ, sampling_rate // 2])).tolist()
    edges = np.linspace(lowest, highest, bands + 2)
    slopes = edges - _mel(sampling_rate / _FFT * np.arange(1 + _FFT // 2))[:, None]
    widths = np.diff(edges)
    found: Array = np.maximum(0, np.minimum(-slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]))
    return found


def _mel(hertz: Array) -> Array:
    return np.asarray(1127.0 * np.log(1.0 + hertz / 700.0))
