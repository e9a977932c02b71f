"""Searches of real processes that are ended: what ships, and that nothing is measured twice afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import tiny_searched
from command import PROGRAM, QUICK, environment, leftovers, run_apart
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import result_from_json
from edgewright_runtime import Package, verify
from tiny_targets import candidate_text, recipe_text, write_target

pytestmark = pytest.mark.slow

SEARCH = "6"
RECIPES: dict[str, dict[str, bool]] = {
    "tensor": {"per_channel": False},
    "ends": {"float_ends": True},
    "even": {"activation_symmetric": True},
    "last": {"per_channel": False, "float_ends": True},
}
FIRST = [f"tiny-cpu-{name}" for name in list(RECIPES)[:3]]


class Searcher:
    """Searches of a model of which int8 ruins three layers, each in a process of its own, with one cache."""

    def __init__(self, folder: Path) -> None:
        self.cache = folder / "cache"
        self.output = folder / "out" / "p.ortpackage"
        self.output.parent.mkdir()
        self.model = tiny_searched.write_ruined(folder / "ruined.onnx", width=64, rows=16)
        random = np.random.default_rng(5)
        for name, count in (("guide", 40), ("proof", 150)):
            np.savez(folder / f"{name}.npz", x=random.normal(size=(count, 16, 64)).astype(np.float32))
        # Three of them are screened at once, then the fourth, however fast they are.
        more: list[str] = []
        for name, settings in RECIPES.items():
            more.append(recipe_text(name, method="static", **settings))
            more.append(candidate_text(f"cpu-{name}", name, search_only=True))
        target = write_target(folder / "tiny.toml", *more)
        data = ("--calibration", folder / "guide.npz", "--evaluation", folder / "proof.npz", "--max-drop", "3%")
        words = ("build", self.model, *data, "--target", target, "--search", SEARCH, "-o", self.output, *QUICK)
        self.words = [*map(str, words), "--threads", "1"]

    def start(self, *more: str) -> subprocess.Popen[str]:
        command: Sequence[str] = [*PROGRAM, *self.words, *more]
        # Alone in its group, as a command is at a terminal: Ctrl-C reaches it and its workers.
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(self.cache),
            start_new_session=True,
        )  # fmt: skip

    def interrupt(self, seen: str, times: int = 1) -> tuple[int, str]:
        """Press Ctrl-C when a line with `seen` was said; gives the exit code, and all that was said."""
        process = self.start()
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if seen in line and times:
                os.killpg(process.pid, signal.SIGINT)
                times -= 1
                seen = "Interrupted"
        process.communicate(timeout=600)
        return process.returncode, "".join(said)

    def finish(self) -> str:
        done = run_apart(*self.words, cache=self.cache)
        assert done.code == 0, done.err
        return done.err

    @property
    def result(self) -> Result:
        return result_from_json(Package.open(self.output).evidence("tiny"), "evidence")

    @property
    def measured(self) -> int:
        """How many measurements the cache has."""
        return len(list((self.cache / "edgewright/stages/measure").glob("*/readings.json")))


@pytest.fixture
def searcher(tmp_path: Path) -> Searcher:
    return Searcher(tmp_path)


def test_an_interrupted_search_ships_and_goes_on(searcher: Searcher) -> None:
    code, said = searcher.interrupt("Search: cpu-last")
    assert code == 0, said
    assert "Interrupted: the best engine so far ships." in said
    assert verify(searcher.output).samples == 8
    ended = searcher.result.search
    assert ended is not None
    assert ended.ended == "interrupted"
    assert [one.name for one in ended.tried] == FIRST
    assert leftovers(searcher.cache) == []
    before = searcher.measured

    # The same command goes on: what was measured comes from the cache, and each measurement is made once.
    said = searcher.finish()
    assert "is up to date" not in said
    found = searcher.result.search
    assert found is not None
    assert found.ended in ("finished", "engines")
    assert [one.name for one in found.tried][:4] == [*FIRST, "tiny-cpu-last"]
    again = said.count("Measured: from the cache")
    anew = said.count("Measured: ") - again
    assert again >= before - 1
    assert anew == searcher.measured - before
    files = {path: path.read_bytes() for path in searcher.output.rglob("*") if path.is_file()}

    # And where nothing is left to do, it says so.
    assert "is up to date" in searcher.finish()
    # The same readings give the same bytes.
    searcher.output.rename(searcher.output.with_name("before"))
    assert "Measured: " not in searcher.finish().replace("Measured: from the cache", "")
    assert {path: path.read_bytes() for path in searcher.output.rglob("*") if path.is_file()} == files


def test_interrupted_twice_it_writes_nothing(searcher: Searcher) -> None:
    code, said = searcher.interrupt("Search: cpu-tensor", times=2)
    assert code == 130, said
    assert not searcher.output.exists()
    assert leftovers(searcher.cache) == []


def test_killed_it_measures_nothing_twice(searcher: Searcher) -> None:
    process = searcher.start()
    assert process.stderr is not None
    for line in process.stderr:
        if "Search: cpu-last" in line:
            os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=600)
    assert not searcher.output.exists()
    before = searcher.measured
    assert before >= 2
    said = searcher.finish()
    assert said.count("Measured: from the cache") >= before
    assert said.count("Measured: ") - said.count("Measured: from the cache") == searcher.measured - before


def test_a_changed_source_starts_anew(searcher: Searcher) -> None:
    searcher.interrupt("Search: cpu-tensor")
    tiny_searched.write_ruined(searcher.model, width=64, rows=8)
    random = np.random.default_rng(5)
    for name, count in (("guide", 40), ("proof", 150)):
        np.savez(searcher.model.with_name(f"{name}.npz"), x=random.normal(size=(count, 8, 64)).astype(np.float32))
    said = searcher.finish()
    assert "The source has changed since it was searched before. The search starts anew." in said
    assert "Measured: from the cache" not in said
