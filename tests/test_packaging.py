"""What the wheel holds: the six packages, every file in them, and nothing else."""

import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("cli", "compiler", "benchmarks", "serving", "runtime", "targets")


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_top_level(names: set[str]) -> None:
    (info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    assert {name.split("/")[0] for name in names} == {f"edgewright_{package}" for package in PACKAGES} | {info}
    assert {f"{info}/licenses/LICENSE", f"{info}/entry_points.txt"} <= names


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_a_package_and_no_other(names: set[str], package: str) -> None:
    # The command line lies beside the compiler, the server beside the runtime.
    folder = ROOT / {"cli": "compiler", "serving": "runtime"}.get(package, package)
    # What lies beside a package (the performance bars) is for the repository: `test_top_level` keeps it out.
    files = {
        path.relative_to(folder).as_posix() for path in folder.glob(f"edgewright_{package}/**/*") if path.is_file()
    }
    expected = {file for file in files if "__pycache__" not in file}
    assert {name for name in names if name.startswith(f"edgewright_{package}/")} == expected
    assert f"edgewright_{package}/py.typed" in expected


def test_data_files_are_inside(names: set[str]) -> None:
    """Those that are read at run time, by kind: a guard against the test above comparing two empty sets."""
    assert "edgewright_targets/x86-64.toml" in names
    assert any(name.endswith(".j2") for name in names)
