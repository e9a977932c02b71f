"""A thread for each package: the calls of one package take turns, those of different packages run side by side."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from edgewright_serving.packages.calls import Answer, Call, StoppedError, Work
from edgewright_serving.packages.served import Served
from edgewright_serving.packages.shelf import Shelf
from edgewright_serving.packages.warned import warnings_of_a_call

_log = logging.getLogger(__name__)
# Weight of the last call in the mean of how long calls take.
_WEIGHT = 0.1
# Called with the package, the seconds in the queue and those in the work.
Observer = Callable[[str, float, float], None]


class Workers:
    """The threads and their queues.

    How many calls may wait is decided before a request is read, see `Guard`.

    Args:
        shelf: Where packages are loaded.
        observe: Called after each call, from its thread.
    """

    def __init__(self, shelf: Shelf, observe: Observer) -> None:
        self._shelf = shelf
        self._observe = observe
        self._queues: dict[str, queue.SimpleQueue[Call | None]] = {}
        self._threads: list[threading.Thread] = []
        self.mean_seconds = 0.0

    def submit(self, served: Served, work: Work, seconds: float) -> Call:
        """Put work into the queue of a package; from the event loop.

        Args:
            served: The package.
            work: What to do.
            seconds: How long its request waits.
        """
        call = Call(work, seconds)
        if served.name not in self._queues:
            self._queues[served.name] = queue.SimpleQueue()
            # A call that hangs must not keep the process from its end.
            thread = threading.Thread(target=self._work, args=(served,), name=f"serve {served.name}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._queues[served.name].put(call)
        return call

    def waiting(self, name: str) -> int:
        """Calls in the queue of a package."""
        return self._queues[name].qsize() if name in self._queues else 0

    def close(self, seconds: float) -> None:
        """End the threads, each after its call; none is waited for longer than these seconds."""
        for waiting in self._queues.values():
            waiting.put(None)
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))

    def _work(self, served: Served) -> None:
        waiting = self._queues[served.name]
        while (call := waiting.get()) is not None:
            if not call.stopped:
                call.finish(self._end(served, call))

    def _end(self, served: Served, call: Call) -> Answer | BaseException:
        waited = time.perf_counter() - call.created
        try:
            with self._shelf.lent(served) as model, warnings_of_a_call() as warned:
                start = time.perf_counter()
                value = call.work(model, call)
                seconds = time.perf_counter() - start
        except StoppedError as error:
            _log.info("%s: a call was stopped, for nobody waits for it", served.name)
            return error
        except BaseException as error:  # noqa: BLE001 - it is raised again where the request waits
            return error
        self.mean_seconds += (seconds - self.mean_seconds) * (_WEIGHT if self.mean_seconds else 1)
        self._observe(served.name, waited, seconds)
        return Answer(value, seconds, tuple(dict.fromkeys(warned)))
