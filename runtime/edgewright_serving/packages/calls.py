"""A call of a package on its way: asked for by a request in the event loop, answered by a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any


class StoppedError(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True)
class Answer:
    """What a call came to.

    Attributes:
        value: What its work gave.
        seconds: How long the work took, without the time in the queue.
        warnings: What a person should know of it, such as that audio was cut.
    """

    value: Any
    seconds: float
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Piece:
    value: object


class Call:
    """One call.

    Args:
        work: What to do with the loaded package; it is given the call too, for pieces and to see whether it goes on.
        seconds: How long its request waits for the whole answer.

    Attributes:
        work: See above.
        deadline: When its request gives up, in the time of the event loop.
        created: `time.perf_counter` of its making.
        answer: The answer, when `pieces` or `answered` came to its end.
    """

    def __init__(self, work: Work, seconds: float) -> None:
        self.work = work
        self.created = time.perf_counter()
        self.answer: Answer | None = None
        self._loop = asyncio.get_running_loop()
        self.deadline = self._loop.time() + seconds
        self._stopped = threading.Event()
        self._events: asyncio.Queue[_Piece | Answer | BaseException] = asyncio.Queue()
        self._first: list[_Piece | Answer | BaseException] = []

    def stop(self) -> None:
        """Say that nobody waits any more: the work ends with its next piece, or does not begin."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether nobody waits any more."""
        return self._stopped.is_set()

    def give(self, piece: object) -> None:
        """From the work: a piece of the answer.

        Raises:
            StoppedError: Nobody waits any more.
        """
        if self.stopped:
            raise StoppedError
        self._say(_Piece(piece))

    def finish(self, end: Answer | BaseException) -> None:
        """From the thread: the whole answer, or what went wrong."""
        self._say(end)

    def _say(self, event: _Piece | Answer | BaseException) -> None:
        # The loop may have ended before a work that nobody waited for.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def begun(self) -> None:
        """Wait for the first piece or the end; raises what went wrong before there was a piece."""
        event = await self._events.get()
        if isinstance(event, BaseException):
            raise event
        self._first.append(event)

    async def pieces(self) -> AsyncIterator[Any]:
        """The pieces as they come; raises what went wrong."""
        while True:
            event = self._first.pop() if self._first else await self._events.get()
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Answer):
                self.answer = event
                return
            yield event.value

    async def answered(self) -> Answer:
        """The whole answer; raises what went wrong."""
        async for _ in self.pieces():
            pass
        assert self.answer is not None
        return self.answer


Work = Callable[[Any, Call], object]
