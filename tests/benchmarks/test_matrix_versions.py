"""Versions of the device's libraries: what is meant by one, and environments that pip makes from wheels in a folder."""

import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from command import leftovers
from edgewright_benchmarks.matrix.environments import environment
from edgewright_benchmarks.matrix.kept import kept_versions
from edgewright_benchmarks.matrix.libraries import AskedVersion, asked_versions
from edgewright_benchmarks.matrix.releases import NotInstalledError, all_versions, release_of, released
from edgewright_benchmarks.progress import Quiet
from edgewright_targets import InputError
from tiny_wheels import find_nothing_else, write_wheel

# Versions of a library of sound, as a registry could have them.
RELEASES = ("0.9.0", "1.0.0", "1.0.1", "1.1.0", "1.2.0rc1")

# Versions that are not there to those that a message names.
NEAR = {"1.2": "1.0.1, 1.1.0", "1.0.7": "1.0.0, 1.0.1, 1.1.0", "0.1": "0.9.0, 1.0.0", "1.3.0": "1.0.1, 1.1.0"}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """All that pip finds: wheels of one module each, in a folder; and an empty cache folder."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version in RELEASES:
        write_wheel(folder, "soxr", version, f"__version__ = {version!r}\n")
    find_nothing_else(monkeypatch, folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield folder
    released.cache_clear()


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    released.cache_clear()


def asked(text: str) -> AskedVersion:
    return AskedVersion.parse("soxr", text)


@pytest.mark.parametrize(
    ("text", "fits", "others"),
    [
        ("1.31", ("1.31.0", "1.31.1", "1.31.1.post1"), ("1.3.1", "1.310.0", "1.32.0", "1.31.0rc1", "1.31.0.dev5")),
        ("1.31.0", ("1.31.0", "1.31"), ("1.31.1", "1.31.0.post1")),
        ("11", ("11.0.0", "11.3.0"), ("1.1.0", "12.0.0")),
        ("1.32rc1", ("1.32.0rc1",), ("1.32.0", "1.32.0rc2")),
    ],
)
def test_a_version_is_one_release_or_the_beginning_of_several(
    text: str, fits: tuple[str, ...], others: tuple[str, ...]
) -> None:
    assert all(asked(text).fits(version) for version in fits)
    assert not any(asked(text).fits(version) for version in others)


def test_versions_are_read_each_once_under_the_name_of_the_distribution() -> None:
    found = asked_versions("Typing_Extensions", " 4.15, 4.14.0 ,4.15,")
    assert [(one.library, one.text) for one in found] == [
        ("typing-extensions", "4.15"),
        ("typing-extensions", "4.14.0"),
    ]


def test_the_newest_release_that_fits_is_meant_and_others_are_refused_with_those_near_it(registry: Path) -> None:
    assert released("soxr") == tuple(reversed(RELEASES))
    assert [release_of(asked(text), ()) for text in ("1.0", "1", "1.0.0", "1.2rc1")] == [
        "1.0.1", "1.1.0", "1.0.0", "1.2.0rc1",
    ]  # fmt: skip
    for text, near in NEAR.items():
        with pytest.raises(NotInstalledError, match=f"no release {text} of soxr .* Near it are {near}\\.$"):
            release_of(asked(text), ())


def test_a_library_has_the_version_that_is_installed_here_unless_it_is_varied() -> None:
    here = metadata.version("packaging")
    assert all_versions(("soxr", "packaging"), {"soxr": "1.0.0"}) == {"soxr": "1.0.0", "packaging": here}
    with pytest.raises(
        NotInstalledError, match=r"needs not-there, which is not installed .* --library not-there=VERSION"
    ):
        all_versions(("packaging", "not-there"), {})


def test_an_environment_is_made_once_and_used_without_pip(registry: Path, tmp_path: Path) -> None:
    said: list[str] = []

    class Noting(Quiet):
        def note(self, text: str) -> None:
            said.append(text)

    made = environment({"soxr": "1.0.0"}, Noting())
    assert said == ["Installing soxr 1.0.0 ..."]
    code = "import soxr, sys; print(soxr.__version__, sys.prefix)"
    done = subprocess.run([made.python, "-I", "-c", code], capture_output=True, text=True)
    # Renamed after it was made, it finds what is in it all the same.
    assert done.stdout.split() == ["1.0.0", str(made.python.parent.parent)], done.stderr
    empty(registry)
    assert environment({"soxr": "1.0.0"}, Noting()) == made
    assert len(said) == 1
    # A version that begins several is one that is here, while no other can be asked for.
    assert kept_versions() == {"soxr": {"1.0.0"}}
    assert release_of(asked("1.0"), kept_versions()["soxr"]) == "1.0.0"
    with pytest.raises(NotInstalledError, match="pip cannot tell which versions of soxr there are: No matching"):
        release_of(asked("1.1"), kept_versions()["soxr"])
    # Without its interpreter it is in ruins, and pip is asked again.
    made.python.unlink()
    assert kept_versions() == {}
    with pytest.raises(NotInstalledError):
        environment({"soxr": "1.0.0"}, Noting())


def test_what_cannot_be_installed_leaves_nothing(registry: Path, tmp_path: Path) -> None:
    (registry / "soxr-1.1.0-py3-none-any.whl").write_bytes(b"cut off")
    with pytest.raises(NotInstalledError, match=r"^pip cannot install it: .*soxr"):
        environment({"soxr": "1.1.0"}, Quiet())
    assert list((tmp_path / "cache" / "edgewright" / "environments").iterdir()) == []
    assert leftovers(tmp_path / "cache") == []
    assert kept_versions() == {}


def test_a_cache_folder_that_cannot_be_written_is_said(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"The cache folder .* cannot be written"):
        environment({"soxr": "1.0.0"}, Quiet())
