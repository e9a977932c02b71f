"""Environments of a matrix in the cache: listed and cleared like the stages of builds, and never one that is in use."""

import json
import os
import time
from pathlib import Path

import pytest

from command import Command, leftovers
from edgewright_benchmarks.matrix.environments import environment_folder, environment_in_use
from edgewright_benchmarks.matrix.kept import PREFIX, in_use, interpreter, kept_environments, remove_environments
from edgewright_benchmarks.progress import Quiet
from edgewright_runtime.aside import folder_aside
from linked_environments import link_environment

DAY = 86400


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def versions(number: int) -> dict[str, str]:
    return {"packaging": f"99.{number}"}


def linked(number: int, *, days: int = 0) -> Path:
    folder = link_environment(versions(number))
    os.utime(folder, (time.time() - days * DAY,) * 2)
    return folder


def test_environments_are_listed_with_versions_size_and_last_use(command: Command) -> None:
    # After the fixture of the command line, which has a cache of its own.
    old, new = linked(1, days=40), linked(2)
    (new / "environment.json").write_text("{}", encoding="utf-8")
    found = json.loads(command("cache", "--json").out)
    first, second = found["environments"]
    assert (first["folder"], first["facts"]["versions"]) == (str(old), versions(1))
    assert (second["folder"], second["facts"]) == (str(new), None)
    assert first["bytes"] > 0
    assert found["bytes"] == first["bytes"] + second["bytes"]
    assert time.time() - first["used"] == pytest.approx(40 * DAY, abs=DAY)
    shown = command("cache").out
    assert "2 entries" in shown
    assert "packaging 99.1, Python 3." in shown
    # Of what has no facts that can be read, only the place is known.
    assert new.name in shown


def test_clear_removes_what_was_not_used_and_never_what_is_in_use(command: Command) -> None:
    old, used, new = linked(1, days=40), linked(2, days=40), linked(3)
    with in_use(used) as there:
        assert there
        # Its use was noted. With a time as old as this it would be removed, if nobody held it.
        os.utime(used, (0, 0))
        outcome = command("cache", "clear", "--older-than", "30", "--json")
        assert json.loads(outcome.out) | {"bytes": 0} == {"removed": 1, "bytes": 0, "in_use": 1}
        assert (old.exists(), used.exists(), new.exists()) == (False, True, True)
        said = command("cache", "clear").out
        assert "Removed 1 entries" in said
        assert "Environments that 'edgewright matrix' uses just now stay: 1." in said
    assert not new.exists()
    assert interpreter(used).exists()
    assert json.loads(command("cache", "clear", "--json").out)["removed"] == 1
    assert kept_environments() == []
    assert leftovers(used.parent) == []


def test_what_is_being_made_is_neither_listed_nor_removed() -> None:
    whole = linked(1)
    with folder_aside(whole.parent, PREFIX) as aside:
        assert [one.folder for one in kept_environments()] == [whole]
        assert remove_environments().count == 1
        assert aside.is_dir()


def test_a_use_is_noted_and_what_is_gone_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = linked(1, days=40)
    with environment_in_use(versions(1), Quiet()) as made:
        assert made.folder == folder == environment_folder(versions(1))
        assert remove_environments().in_use == 1
    (kept,) = kept_environments()
    assert time.time() - kept.used < DAY
    assert remove_environments().count == 1
    with in_use(folder) as there:
        assert not there


def test_what_is_made_anew_behind_the_lock_does_not_count_as_held(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = linked(1)
    assert remove_environments().count == 1
    note_use = os.utime

    def made_anew_meanwhile(*_: object) -> None:
        # Between the lock and the look at what is there.
        monkeypatch.setattr(os, "utime", note_use)
        linked(1)

    monkeypatch.setattr(os, "utime", made_anew_meanwhile)
    with in_use(folder) as there:
        assert interpreter(folder).exists()
        assert not there
        assert remove_environments().count == 1
    linked(1)
    with in_use(folder) as there:
        assert there
        assert remove_environments().in_use == 1
