"""Audio at another rate, block by block, with soxr."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import AudioWarning
from edgewright_targets.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Waveform = np.ndarray[Any, np.dtype[np.float32]]


class Resampler:
    """Audio of `rate` samples a second at the rate `wanted`, block by block; says so with `AudioWarning`."""

    def __init__(self, rate: int, wanted: int) -> None:
        self._rate, self._wanted = rate, wanted

    def parts(self, blocks: Iterable[Waveform]) -> Iterator[Waveform]:
        """Blocks of the other rate.

        Raises:
            MissingDependencyError: soxr is not installed.
        """
        if self._rate == self._wanted:
            yield from blocks
            return
        stream = None
        for block in blocks:
            stream = stream or self._stream()
            yield stream.resample_chunk(block)
        if stream is not None:
            yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)

    def _stream(self) -> Any:
        try:
            import soxr
        except ImportError as error:
            raise MissingDependencyError(
                f"The audio has {self._rate:,} samples per second, the model takes {self._wanted:,}, but the library "
                "'soxr' is not installed.",
                hint="Install it with: pip install soxr",
            ) from error
        lost = f". Frequencies above {self._rate / 2000:g} kHz are missing" if self._rate < self._wanted else ""
        warnings.warn(
            f"The audio has {self._rate:,} samples per second, the model takes {self._wanted:,}: it was "
            f"resampled{lost}.",
            AudioWarning,
            stacklevel=7,
        )
        return soxr.ResampleStream(self._rate, self._wanted, 1, dtype="float32")


def joined(parts: list[Waveform]) -> Waveform:
    """Parts as one; each is freed when it was taken over."""
    if len(parts) == 1:
        return parts[0]
    made = np.empty(sum(map(len, parts)), dtype=np.float32)
    end = len(made)
    while parts:
        part = parts.pop()
        made[end - len(part) : end] = part
        end -= len(part)
    return made
