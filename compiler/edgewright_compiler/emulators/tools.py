"""Other people's command line tools: run without a shell, their failures told in a sentence."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edgewright_benchmarks.child_process import ending
from edgewright_targets import EdgewrightError

# A mirror that sends nothing for so long is stuck; a slow one still gets through 60 MB.
_TIMEOUT_SECONDS = 1800


def run_tool(
    command: Sequence[str | Path],
    purpose: str,
    *,
    folder: Path | None = None,
    hint: str = "",
    codes: Sequence[int] = (0,),
) -> str:
    """Run a command in `folder`; gives its standard output. It has failed if its exit code is not one of `codes`.

    Raises:
        EdgewrightError: It failed; the message has `purpose` and the tool's last words.
    """
    # Messages are read below and shown: in one language, and in no colours.
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except OSError as error:
        raise EdgewrightError(
            f"{purpose} failed: '{command[0]}' cannot be run: {error.strerror}.", hint=hint
        ) from error
    except subprocess.TimeoutExpired as error:
        message = f"{purpose} failed: '{command[0]}' did not end within {_TIMEOUT_SECONDS} seconds."
        raise EdgewrightError(message, hint=hint) from error
    if done.returncode not in codes:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        ended = ending(done.returncode)
        words = f"\n{_telling(lines)}" if lines else ""
        raise EdgewrightError(f"{purpose} failed: '{command[0]}' ended {ended}.{words}", hint=hint)
    return done.stdout


def _telling(lines: list[str]) -> str:
    """The last line that says an error, else the last line."""
    errors = [line for line in lines if line.startswith(("E:", "ERROR:"))]
    return (errors or lines)[-1]
