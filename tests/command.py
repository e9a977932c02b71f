"""The real command line in tests: in this process where that is cheap, in one of its own where it must be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgewright_cli import main

# The least that a build can measure: the tests are about everything else.
QUICK = ("--rounds", "2", "--calls", "4", "--loads", "1")
PROGRAM = (sys.executable, "-m", "edgewright_cli")


@dataclass(frozen=True)
class Outcome:
    """What a run of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def err_line(self) -> str:
        """Standard error as one line: where a sentence is wrapped depends on the terminal."""
        return " ".join(self.err.split())

    def check_refusal(self, says: Sequence[str], code: int = 2) -> None:
        """The refusal is a sentence for people with all of `says` in it, and nothing else was printed."""
        assert self.code == code, f"exit code {self.code}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err, self.err
        assert self.out == ""
        missing = [words for words in says if words not in self.err_line]
        assert not missing, f"{missing} not in: {self.err_line}"


class Command:
    """The command line in this process, with an empty folder for what it writes.

    Attributes:
        folder: Where output goes.
        target: A target file with little to try.
        cache: The cache folder that all these tests share.
    """

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path, target: Path, cache: Path) -> None:
        self._capsys = capsys
        self.folder = folder
        self.target = target
        self.cache = cache

    def __call__(self, *arguments: object) -> Outcome:
        """Run a verb."""
        self._capsys.readouterr()
        try:
            code = main([str(part) for part in arguments])
        except SystemExit as error:
            # argparse ends the process itself, after help and for wrong use.
            code = int(error.code or 0)
        out, err = self._capsys.readouterr()
        return Outcome(code, out, err)

    def refuses(self, *arguments: object, says: Sequence[str], code: int = 2) -> Outcome:
        """Run a verb that must refuse, in words that hold all of `says`."""
        outcome = self(*arguments)
        assert "error: " in outcome.err, outcome.err
        outcome.check_refusal(says, code)
        return outcome

    def refuses_build(self, source: object, *arguments: object, says: Sequence[str], code: int = 2) -> Outcome:
        """Run a build that must refuse, and leave nothing where it would have written."""
        before = sorted(self.folder.iterdir())
        output = self.folder / "new.ortpackage"
        target = () if "--target" in arguments else ("--target", self.target)
        quiet = ("-q",) if "-q" not in arguments else ()
        outcome = self.refuses("build", source, "-o", output, *target, *QUICK, *quiet, *arguments, says=says, code=code)
        assert sorted(self.folder.iterdir()) == before
        assert leftovers(self.cache) == []
        return outcome


def leftovers(cache: Path) -> list[str]:
    """Unfinished work in a cache folder."""
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*.tmp"))


def run_apart(
    *arguments: object,
    cache: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = b"",
    program: Sequence[str] = PROGRAM,
    timeout: float = 900,
) -> Outcome:
    """Run the command line in a process of its own, as a user does."""
    done = subprocess.run(
        [*program, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(cache) | dict(env or {}),
        timeout=timeout,
    )
    return Outcome(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def environment(cache: Path) -> dict[str, str]:
    """This process's environment with another cache folder, and nothing that decides colours or widths."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLUMNS")}
    return kept | {"XDG_CACHE_HOME": str(cache)}
