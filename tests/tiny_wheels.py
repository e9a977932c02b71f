"""Wheels of one module each, in a folder that is all that pip finds."""

import zipfile
from pathlib import Path

import pytest

from edgewright_benchmarks.matrix.releases import released


def write_wheel(folder: Path, name: str, version: str, code: str) -> Path:
    """A wheel of one module."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", code)
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path


def find_nothing_else(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let pip find the wheels of this folder alone, whatever its user set."""
    patch.setenv("PIP_CONFIG_FILE", "/dev/null")
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(folder))
    released.cache_clear()
