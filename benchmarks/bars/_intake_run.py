"""One source of the bar of intake: its commands typed, what came of them, and its answers beside its library's."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import with_torchvision
from _intake_answers import problems
from _intake_source import DATA, LABELS, SPEC, Second, Source
from _row import FOLDER, Made
from _suite_builds import code_digest, environment
from edgewright_targets import EdgewrightError, InputError

Verdict = Literal["first", "second", "refused", "WRONG", "not run"]
PACKAGE = "out.ortpackage"
LABELS_FILE = "labels.txt"
# Speed is not asked here. All else is as a person has it who says nothing: this machine, its candidates.
QUICK = ("--rounds", "2", "--calls", "2", "--loads", "1", "--quiet")
_PROGRAM = "import sys; from edgewright_cli import main; sys.exit(main())"
# Of a message, as far as a table shows it.
_SHOWN = 300


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A command, and what came of it: exit code (None: over the limit), seconds, the last words of standard error."""

    words: str
    code: int | None
    seconds: float
    said: str = ""

    @property
    def refused(self) -> bool:
        """It ended in a sentence for people: a wrong input (exit code 2), or a check that failed (1)."""
        return self.code in (1, InputError.exit_code) and "error: " in self.said and "Traceback" not in self.said


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a source.

    Attributes:
        name: Of the source.
        verdict: The command that reached its task; or `refused` in a sentence, `WRONG`, `not run`.
        answers: What was compared; empty where there was no package.
        note: What is wrong, was refused, or was not to be had.
        typed: The commands.
        setup: Digest of what was written down.
        code: Digest of the project's code.
    """

    name: str
    verdict: Verdict
    answers: str = ""
    note: str = ""
    typed: tuple[Typed, ...] = field(default=())
    setup: str = ""
    code: str = ""


def setup_of(source: Source) -> str:
    """Tells outcomes of other commands, or of another natural task, from those of these."""
    return hashlib.sha256(json.dumps(source.written).encode()).hexdigest()[:16]


def run_source(source: Source, folder: Path, limit: float) -> Outcome:
    """Type the commands of a source in an empty folder, at most `limit` seconds each, and judge.

    Raises:
        CannotFetchError: The source cannot be had here.
    """
    made = source.make(folder)
    if made.labels:
        (folder / LABELS_FILE).write_text("\n".join(made.labels) + "\n", encoding="utf-8")
    typed = [type_command(source.first, made, folder, limit)]
    second = source.second
    if second is not None and asks_for(typed[0], second):
        if second.before is not None:
            second.before(made)
        typed.append(type_command(second.words, made, folder, limit))
    return judged(source, made, folder, typed)


def asks_for(first: Typed, second: Second) -> bool:
    """Whether the first command was refused with words that tell a person what to type."""
    return first.refused and second.says in first.said


def judged(source: Source, made: Made, folder: Path, typed: Sequence[Typed]) -> Outcome:
    """What the commands came to; where they gave a package, its float engine is asked."""
    last = typed[-1]
    verdict: Verdict = "refused" if last.refused else "WRONG"
    note, answers = last.said, ""
    if last.code is None:
        note = f"not ended after {last.seconds:.0f} seconds"
    if last.code == 0:
        verdict = "first" if len(typed) == 1 else "second"
        try:
            note = problems(source, made, folder / PACKAGE)
        except EdgewrightError as error:
            note = error.message
        answers = f"{len(made.samples)} x {source.compared}"
        if note:
            verdict = "WRONG"
    setup, code = setup_of(source), code_digest()
    return Outcome(
        name=source.name,
        verdict=verdict,
        answers=answers,
        note=note[-_SHOWN:],
        typed=tuple(typed),
        setup=setup,
        code=code,
    )


def type_command(words: Sequence[str], made: Made, folder: Path, limit: float) -> Typed:
    """Run `edgewright build` in `folder`, with all that it starts ended at the limit."""
    meant = {SPEC: made.spec, DATA: str(made.data), LABELS: LABELS_FILE}
    given = [meant.get(word, word) for word in words]
    program = _PROGRAM
    if with_torchvision.FOLDER in os.environ:
        program = f"import with_torchvision; {program}"
    command = [sys.executable, "-c", program, "build", *given, "-o", PACKAGE, *QUICK]
    seen = environment()
    # Nothing of another build, and no terminal of one width: a sentence is one line.
    seen |= {"XDG_CACHE_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1", "COLUMNS": "10000", "NO_COLOR": "1"}
    seen["PYTHONPATH"] += os.pathsep + str(FOLDER)
    start = time.monotonic()
    running = subprocess.Popen(
        command,
        cwd=folder,
        env=seen,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    code: int | None
    try:
        _, said = running.communicate(timeout=limit)
        code = running.returncode
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        _, said = running.communicate()
        code = None
    seconds = time.monotonic() - start
    return Typed(words=shown(words, made), code=code, seconds=seconds, said=_in_short(said, folder, made))


def shown(words: Sequence[str], made: Made) -> str:
    """A command as a person types it in a folder that has the files."""
    spec = made.spec if ":" in made.spec else Path(made.spec).name
    meant = {SPEC: spec, DATA: Path(str(made.data)).name, LABELS: LABELS_FILE}
    return shlex.join(["edgewright", "build", *(meant.get(word, word) for word in words)])


def _in_short(said: str, folder: Path, made: Made) -> str:
    """One line of what was said, without the places of files on this machine."""
    for place in (str(Path(made.spec).parent), str(folder), str(FOLDER.parents[1])):
        said = said.replace(f"{place}{os.sep}", "") if os.sep in place else said
    line = re.sub(r"\s+", " ", said).strip()
    return line if "Traceback" in line else line[-4 * _SHOWN :]
