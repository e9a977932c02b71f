"""Packages as one file: cut off, forged, or with more in them than a package has."""

import hashlib
import io
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from command import Command
from edgewright_runtime.archive import unpacked, write_archive
from edgewright_runtime.package import GOLDEN
from edgewright_targets import EdgewrightError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Archives are unpacked into the cache once: each test begins without that."""
    folder = tmp_path / "own-cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def archive(built_arrays: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(f"{built_arrays}.tar", tmp_path / "p.tar"))


def test_an_archive_is_a_package(
    command: Command, archive: Path, built_arrays: Path, sources: Path, tmp_path: Path
) -> None:
    for words in (
        ("verify", archive),
        ("inspect", archive),
        ("run", archive, sources / "inputs.npz"),
        ("verify", archive),
    ):
        assert command(*words).code == 0
    again = tmp_path / "again.tar"
    write_archive(built_arrays, again)
    assert again.read_bytes() == archive.read_bytes()


def test_cut_off_anywhere(command: Command, archive: Path) -> None:
    """Also at the edges of its files, where tar itself notices nothing."""
    whole = archive.read_bytes()
    with tarfile.open(archive) as tar:
        edges = [member.offset for member in tar.getmembers()]
    first = edges[1]
    for keep in sorted({*edges[1:], *range(first + 100, len(whole) - 20_000, 3000), 600, 700}):
        archive.write_bytes(whole[:keep])
        command.refuses("verify", archive, says=[f"'{archive}' is damaged", "Copy it again"], code=1)
    for keep in (0, 100, 511):
        archive.write_bytes(whole[:keep])
        command.refuses("verify", archive, says=[f"'{archive}' is not a package"])


def test_damage_behind_an_archive_that_was_unpacked_before(command: Command, archive: Path) -> None:
    """The copy in the cache is whole; what was asked about is the file."""
    assert command("verify", archive).code == 0
    with tarfile.open(archive) as tar:
        # A byte of a file: what fills a block up behind one is nobody's.
        (golden,) = (member for member in tar if member.name.endswith(GOLDEN))
    content = bytearray(archive.read_bytes())
    content[golden.offset_data + golden.size // 2] ^= 1
    archive.write_bytes(content)
    command.refuses("verify", archive, says=[f"'{archive}' is damaged", "changed after the build"], code=1)


def test_a_copy_in_the_cache_that_was_changed(command: Command, archive: Path, own_cache: Path) -> None:
    assert command("verify", archive).code == 0
    (manifest,) = own_cache.rglob("manifest.json")
    manifest.write_text("{}", encoding="utf-8")
    assert command("verify", archive).code == 0
    assert manifest.read_text(encoding="utf-8") != "{}"


def _forged(archive: Path, add: Callable[[tarfile.TarFile], object]) -> None:
    """The archive with more in it, behind its own files."""
    with tarfile.open(archive) as tar:
        files = [(member, tar.extractfile(member)) for member in tar.getmembers()]
        made = archive.with_suffix(".new")
        with tarfile.open(made, "w") as new:
            for member, content in files:
                new.addfile(member, content)
            add(new)
    made.replace(archive)


def _entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", content: bytes = b"") -> Callable[..., object]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, len(content)
    return lambda tar: tar.addfile(info, io.BytesIO(content) if content else None)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (_entry("../outside", content=b"x"), "leaves the package"),
        (_entry("model/../../outside", content=b"x"), "leaves the package"),
        (_entry("/tmp/edgewright-outside", content=b"x"), "leaves the package"),
        (_entry("link", tarfile.SYMTYPE, "/etc/passwd"), "'link' is not a plain file"),
        (_entry("link", tarfile.LNKTYPE, "manifest.json"), "'link' is not a plain file"),
        (_entry("pipe", tarfile.FIFOTYPE), "'pipe' is not a plain file"),
        (_entry("device", tarfile.CHRTYPE), "'device' is not a plain file"),
        (_entry("folder", tarfile.DIRTYPE), "'folder' is not a plain file"),
        (_entry("manifest.json", content=b"{}"), "'manifest.json' appears twice"),
        (_entry("manifest.json/inside", content=b"{}"), "is inside a file"),
    ],
)
def test_entries_that_no_package_has(
    command: Command, archive: Path, tmp_path: Path, own_cache: Path, entry: Callable[..., object], says: str
) -> None:
    _forged(archive, entry)
    command.refuses("verify", archive, says=[f"'{archive}'", says])
    command.refuses("inspect", archive, says=[says])
    assert not (tmp_path / "outside").exists()
    assert not Path("/tmp/edgewright-outside").exists()
    assert list((own_cache / "edgewright" / "unpacked").iterdir()) == []


def test_a_file_that_its_sums_do_not_list(command: Command, archive: Path) -> None:
    _forged(archive, _entry("more.txt", content=b"x"))
    command.refuses("verify", archive, says=["not part of it: 'more.txt'"], code=1)
    command.refuses("inspect", archive, says=["not part of it: 'more.txt'"], code=1)


def test_a_size_that_is_a_lie(command: Command, archive: Path, own_cache: Path) -> None:
    """A header may promise a terabyte; nothing is written for it."""
    info = tarfile.TarInfo("huge")
    info.size = 2**40
    _forged(archive, lambda tar: tar.fileobj.write(info.tobuf(tarfile.GNU_FORMAT)))
    command.refuses("verify", archive, says=["is damaged"], code=1)
    assert sum(path.stat().st_size for path in own_cache.rglob("*") if path.is_file()) < 2**20


def _raw_entry(kind: bytes, size: int) -> Callable[..., object]:
    """A header alone: whatever `size` it declares, one block of data stands behind it."""
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    return lambda tar: tar.fileobj.write(info.tobuf(tarfile.GNU_FORMAT) + bytes(512))


def _pax_entry(name: str = "x", **records: str) -> Callable[..., object]:
    info = tarfile.TarInfo(name)
    info.pax_headers = {key.replace("__", "."): value for key, value in records.items()}
    return lambda tar: tar.addfile(info)


def _chained(kind: bytes, count: int) -> Callable[..., object]:
    def write(tar: tarfile.TarFile) -> None:
        for _ in range(count):
            _raw_entry(kind, 512)(tar)

    return write


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        pytest.param(_raw_entry(tarfile.REGTYPE, -512), "header of 'x' is false", id="negative size"),
        pytest.param(
            _raw_entry(tarfile.REGTYPE, -(2**40)), "header of 'x' is false", id="negative size out of the file"
        ),
        pytest.param(_raw_entry(tarfile.XHDTYPE, -512), "header of 'x' is false", id="negative extended header"),
        pytest.param(_pax_entry(size="-512"), "header of 'x' is false", id="negative size by pax"),
        pytest.param(_pax_entry(size="9" * 30), "cut off in 'x'", id="huge size by pax"),
        pytest.param(_pax_entry(comment="1" * 60_000), "header of", id="digits that take the square in time"),
        pytest.param(_raw_entry(tarfile.XHDTYPE, 2**40), "extended header of more than", id="huge pax header"),
        pytest.param(_raw_entry(tarfile.GNUTYPE_LONGNAME, 2**40), "extended header of more than", id="huge name"),
        pytest.param(_raw_entry(tarfile.GNUTYPE_LONGLINK, 2**40), "extended header of more than", id="huge link"),
        pytest.param(_raw_entry(tarfile.XHDTYPE, 60_000), "cut off in 'x'", id="pax header cut off"),
        pytest.param(_raw_entry(tarfile.XGLTYPE, 512), "header for all entries", id="global pax header"),
        pytest.param(_chained(tarfile.XHDTYPE, 5000), "more than 4 extended headers", id="5,000 pax headers"),
        pytest.param(_chained(tarfile.GNUTYPE_LONGNAME, 5000), "more than 4 extended headers", id="5,000 names"),
        pytest.param(_raw_entry(tarfile.GNUTYPE_SPARSE, 512), "'x' is a sparse file", id="old GNU sparse"),
        pytest.param(
            _pax_entry(GNU__sparse__map="0,0", GNU__sparse__size=str(2**60)), "is a sparse file", id="pax sparse 0.1"
        ),
        pytest.param(
            _pax_entry(GNU__sparse__major="1", GNU__sparse__minor="0"), "is a sparse file", id="pax sparse 1.0"
        ),
        pytest.param(_pax_entry("n" * 20_000), f"entry '{'n' * 100}...' has", id="a name that fills the terminal"),
    ],
)
def test_headers_that_tar_would_believe(
    archive: Path, own_cache: Path, entry: Callable[..., object], says: str
) -> None:
    """Without the checks: an endless circle, gigabytes of memory, a recursion, a full disk."""
    _forged(archive, entry)
    with pytest.raises(EdgewrightError, match=re.escape(says)) as refused:
        unpacked(archive)
    assert len(str(refused.value)) < 1000
    assert list((own_cache / "edgewright" / "unpacked").iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_no_attack(tmp_path: Path, kind: int) -> None:
    """Both ways in which a tar says a name of more than 100 bytes."""
    name, content = f"{'a' * 120}/{'1' * 200}", b"x"
    sums = f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()
    with tarfile.open(tmp_path / "long.tar", "w", format=kind) as tar:
        _entry("SHA256SUMS", content=sums)(tar)
        _entry(name, content=content)(tar)
    assert (unpacked(tmp_path / "long.tar") / name).read_bytes() == content


def test_sums_must_come_first(command: Command, archive: Path) -> None:
    with tarfile.open(archive, "w") as tar:
        _entry("manifest.json", content=b"{}")(tar)
    command.refuses("verify", archive, says=["is not a package", "begins with SHA256SUMS"])
    with tarfile.open(archive, "w:gz") as tar:
        _entry("SHA256SUMS", content=b"")(tar)
    command.refuses("verify", archive, says=["is not a package"])
