"""How long work says how far it is: a stage has a line, a loop has a bar; neither where nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol

# Where nobody looks at a bar, a line so often.
_LOG_SECONDS = 60.0


class Progress(Protocol):
    """What the compiler and the meter report to."""

    def note(self, text: str) -> None:
        """Say one line."""

    def bar(self, title: str, total: int) -> Bar:
        """A bar for `total` steps; close it, or use it in a `with` block."""


class Bar(Protocol):
    """A bar that is being filled."""

    def update(self, steps: int = 1) -> None:
        """So many more steps are done."""

    def close(self) -> None:
        """The loop has ended."""


class _NoBar:
    def update(self, steps: int = 1) -> None:
        pass

    def close(self) -> None:
        pass


class Quiet:
    """Says nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def bar(self, title: str, total: int) -> Bar:  # noqa: ARG002 - the protocol
        """A bar that is not shown."""
        return _NoBar()


class _LoggedBar:
    """A line now and then, where a bar would fill a log: what is done, and an estimate of the time left."""

    def __init__(self, title: str, total: int, note: Callable[[str], None]) -> None:
        self._title, self._total, self._note = title, total, note
        self._done = self._said = 0
        self._when = time.monotonic()

    def update(self, steps: int = 1) -> None:
        self._done += steps
        now = time.monotonic()
        if now - self._when < _LOG_SECONDS or self._done >= self._total:
            return
        # At the latest rate: what comes later, such as another engine, may be several times as fast.
        left = (now - self._when) / (self._done - self._said) * (self._total - self._done)
        self._note(f"  {self._title}: {self._done:,} of {self._total:,}, {left / 60:.0f} min left at this rate")
        self._when, self._said = now, self._done

    def close(self) -> None:
        pass


class Terminal:
    """Lines and bars on standard error; where it is not a terminal, a line a minute instead of a bar."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def note(self, text: str) -> None:
        """Print one line."""
        print(text, file=sys.stderr, flush=True)

    def bar(self, title: str, total: int) -> Bar:
        """A tqdm bar that leaves no line behind."""
        if not self._shown:
            return _LoggedBar(title, total, self.note)
        from tqdm import tqdm

        # A bar moves the cursor, which the command line keeps all other text from.
        stream = getattr(sys.stderr, "unguarded", sys.stderr)
        bar: Bar = tqdm(total=total, desc=f"  {title}", leave=False, file=stream, dynamic_ncols=True)
        return bar
