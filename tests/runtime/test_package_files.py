"""Files of a package that are not what they should be: each is refused in a sentence, and none is waited for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edgewright_runtime import DamagedPackageError, Package, PackageError, load
from edgewright_runtime.package_files import check_digests, checked_path, folder_bytes, read_limited, read_sums
from edgewright_targets.host import architecture


def _files(package: Path) -> dict[str, Path]:
    (graph,) = package.glob("model/*/model.onnx")
    (weights,) = package.glob("shared_assets/*/weights.bin")
    return {"manifest": package / "manifest.json", "graph": graph, "weights": weights}


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.rename(path.parents[3] / "elsewhere")
    path.symlink_to(path.parents[3] / "elsewhere")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
@pytest.mark.skipif(architecture() != "x86_64", reason="the engine of the stored package is for x86-64")
@pytest.mark.parametrize("name", ["manifest", "graph", "weights"])
@pytest.mark.parametrize("change", [_pipe, _link])
def test_load_takes_plain_files_only(old_package: Path, name: str, change: Callable[[Path], None]) -> None:
    change(_files(old_package)[name])
    with pytest.raises(PackageError):
        load(old_package)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_is_not_waited_for(old_package: Path) -> None:
    _pipe(old_package / "SHA256SUMS")
    with pytest.raises(OSError, match="not a plain file"):
        read_limited(old_package / "SHA256SUMS", 10)
    with pytest.raises(DamagedPackageError, match="SHA256SUMS is missing"):
        read_sums(old_package, "p")
    (old_package / "edgewright" / "evidence" / "tiny.json").unlink()
    os.mkfifo(old_package / "edgewright" / "evidence" / "tiny.json")
    with pytest.raises(PackageError, match="not a plain file"):
        Package.open(old_package).evidence("tiny")


def test_bytes_of_a_folder_are_those_of_its_own_files(tmp_path: Path) -> None:
    """An environment has three links to the system's interpreter, which is no part of it."""
    (tmp_path / "elsewhere").write_bytes(bytes(1000))
    folder = tmp_path / "environment"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "own").write_bytes(bytes(7))
    for name in ("python", "python3"):
        (folder / name).symlink_to(tmp_path / "elsewhere")
    (folder / "lib64").symlink_to("lib")
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    assert folder_bytes(folder) == 7


def test_sums_have_a_limit(old_package: Path) -> None:
    os.truncate(old_package / "SHA256SUMS", 2**36)
    with pytest.raises(DamagedPackageError, match="SHA256SUMS is larger than 16777216 bytes"):
        check_digests(old_package, "p")


def test_sums_list_a_file_once(old_package: Path) -> None:
    path = old_package / "SHA256SUMS"
    first = path.read_text(encoding="utf-8").splitlines()[0]
    path.write_text(path.read_text(encoding="utf-8") + f"{first}\n", encoding="utf-8")
    with pytest.raises(DamagedPackageError, match=r"lists the file .* twice"):
        check_digests(old_package, "p")


def test_evidence_has_a_limit(old_package: Path) -> None:
    os.truncate(old_package / "edgewright" / "evidence" / "tiny.json", 2**36)
    with pytest.raises(PackageError, match=r"tiny\.json is larger than"):
        Package.open(old_package).evidence("tiny")


@pytest.mark.parametrize("name", ["a" * 256, "b" * 100_000, "a/" * 3 + "c" * 300])
def test_long_names(old_package: Path, name: str) -> None:
    (old_package / "a" / "a" / "a").mkdir(parents=True)
    with pytest.raises(PackageError, match="cannot be reached") as refused:
        checked_path(old_package, name)
    assert len(str(refused.value)) < 500


def test_messages_about_many_files_are_short(old_package: Path) -> None:
    for number in range(2000):
        (old_package / f"extra-{number}").touch()
    with pytest.raises(DamagedPackageError, match="and 1992 more") as refused:
        check_digests(old_package, "p")
    assert len(str(refused.value)) < 1000
