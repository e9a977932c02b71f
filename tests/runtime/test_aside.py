"""Folders aside are gone whatever happens to their maker, at whatever moment."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgewright_runtime import aside


@pytest.mark.parametrize("moment", ["_lock", "_remove"])
def test_an_interruption_at_any_moment_leaves_nothing(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moments a signal meets rarely: right after the folder was made, and in the middle of its removal."""
    real_remove = shutil.rmtree
    interrupted: list[str] = []

    def interrupt_once(folder: Path, *, ignore_errors: bool = False) -> None:
        if not interrupted:
            interrupted.append(moment)
            raise KeyboardInterrupt
        real_remove(folder, ignore_errors=ignore_errors)

    if moment == "_lock":
        monkeypatch.setattr(aside, "_lock", interrupt_once)
    else:
        monkeypatch.setattr(shutil, "rmtree", interrupt_once)
    with pytest.raises(KeyboardInterrupt), aside.folder_aside(tmp_path, "stage-") as folder:
        (folder / "half").write_bytes(b"x")
    assert interrupted
    assert list(tmp_path.iterdir()) == []


def test_what_was_renamed_stays(tmp_path: Path) -> None:
    with aside.folder_aside(tmp_path, "stage-") as folder:
        folder.rename(tmp_path / "final")
    assert [path.name for path in tmp_path.iterdir()] == ["final"]


@pytest.fixture
def before_first_lock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """What another process does after a folder was opened and before it is locked."""
    fcntl = pytest.importorskip("fcntl", reason="this system has no such locks")
    real = fcntl.flock

    def plan(act: Callable[[], object]) -> None:
        planned = [act]

        def flock(descriptor: int, operation: int) -> None:
            if planned:
                planned.pop()()
            real(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", flock)

    return plan


def make_anew(folder: Path) -> None:
    folder.rename(folder.with_name("old"))
    folder.mkdir()


def test_what_was_made_anew_before_the_lock_is_held(
    tmp_path: Path, before_first_lock: Callable[[Callable[[], object]], None]
) -> None:
    folder = tmp_path / "environment"
    folder.mkdir()
    before_first_lock(lambda: make_anew(folder))
    with aside.held(folder):
        assert not aside.remove_unheld(folder, "stage-")
    assert aside.remove_unheld(folder, "stage-")
    assert not folder.exists()


def test_what_was_made_anew_and_is_held_is_not_removed(
    tmp_path: Path, before_first_lock: Callable[[Callable[[], object]], None]
) -> None:
    folder = tmp_path / "environment"
    folder.mkdir()
    holder = aside.held(folder)

    def anew() -> None:
        make_anew(folder)
        holder.__enter__()

    before_first_lock(anew)
    assert not aside.remove_unheld(folder, "stage-")
    assert folder.is_dir()
    holder.__exit__(None, None, None)
    assert aside.remove_unheld(folder, "stage-")


@pytest.mark.parametrize("moment", ["before the lock", "after it"])
def test_what_two_remove_at_once_is_gone_for_both(
    moment: str,
    tmp_path: Path,
    before_first_lock: Callable[[Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "environment"
    folder.mkdir()
    if moment == "before the lock":
        before_first_lock(folder.rmdir)
    else:

        def gone(*_: object) -> Path:
            folder.rmdir()
            return tmp_path / "gone"

        monkeypatch.setattr(aside, "_new_name", gone)
    assert aside.remove_unheld(folder, "stage-")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_locked_is_not_called_in_use(
    tmp_path: Path, before_first_lock: Callable[[Callable[[], object]], None]
) -> None:
    def no_locks() -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    before_first_lock(no_locks)
    with pytest.raises(OSError, match=os.strerror(errno.ENOLCK)):
        aside.remove_unheld(tmp_path, "stage-")
    assert tmp_path.is_dir()
