"""Folders aside are gone whatever happens to their maker, at whatever moment."""

from __future__ import annotations

import shutil
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
