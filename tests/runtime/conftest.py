"""What tests of the runtime share."""

import shutil
from pathlib import Path

import pytest

# A package as the code at commit 475093c wrote it, of a perceptron; it is never written anew.
FORMAT_1 = Path(__file__).parent.parent / "data" / "format-1"


@pytest.fixture
def old_package(tmp_path: Path) -> Path:
    """A copy of a small package, to be changed."""
    return Path(shutil.copytree(FORMAT_1, tmp_path / "old.ortpackage"))
