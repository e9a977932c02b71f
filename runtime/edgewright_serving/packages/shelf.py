"""Loaded packages within one budget of memory: loaded when first asked, unloaded when others need their place."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from edgewright_runtime import Model, load
from edgewright_runtime.applications import Application, load_application
from edgewright_runtime.package import Package
from edgewright_serving.packages.memory import give_back, resident_bytes
from edgewright_serving.packages.served import Served

Loaded = Model | Application

_log = logging.getLogger(__name__)
# How long to wait for a package in use before looking again: its call may have ended with an error.
_LOOK_AGAIN_SECONDS = 1.0


@dataclass
class _Place:
    """A loaded package: whether a call runs, and the turn of its last one."""

    model: Loaded
    busy: bool
    turn: int


class Shelf:
    """The packages that are loaded now.

    A package is lent to one call at a time; it is not unloaded before the call ends. Packages are loaded in the order
    in which they were asked for, and while one waits for room, no call of a loaded package begins before it.

    Args:
        limit_bytes: Resident memory of the process above which the least recently used package is unloaded; None is
            without a limit.
        threads: Threads that a call of a model may use.
        resident: What says how much is resident.
    """

    def __init__(
        self,
        limit_bytes: int | None = None,
        *,
        threads: int | None = None,
        resident: Callable[[], int | None] = resident_bytes,
    ) -> None:
        self._limit = limit_bytes
        self._threads = threads
        self._resident = resident
        self._places: dict[str, _Place] = {}
        self._added: dict[str, int] = {}
        self._turns = itertools.count(1)
        self._changed = threading.Condition()
        # Those to be loaded, one at a time: else nobody could tell what each adds to the memory of the process.
        self._wanted: deque[object] = deque()
        self._short_of_room = False

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the packages that are loaded."""
        with self._changed:
            return tuple(self._places)

    @property
    def added_bytes(self) -> Mapping[str, int]:
        """Package -> what loading it last added to the resident memory of the process."""
        with self._changed:
            return dict(self._added)

    @contextmanager
    def lent(self, served: Served) -> Iterator[Loaded]:
        """The package, ready to be called, for one call.

        Raises:
            EngineUnavailableError: No engine of it runs here.
            PackageError: It cannot be read.
        """
        model = self._taken(served)
        try:
            yield model
        finally:
            self._returned(served.name)

    def close(self) -> None:
        """Unload all packages that no call uses."""
        with self._changed:
            for name in [name for name, place in self._places.items() if not place.busy]:
                self._unload(name)

    def _taken(self, served: Served) -> Loaded:
        if (model := self._there(served.name)) is not None:
            return model
        with self._turn_to_load():
            if (model := self._there(served.name)) is not None:
                return model
            self._make_room(served)
            before = self._resident() or 0
            model = self._opened(served)
            added = max((self._resident() or 0) - before, 0)
            with self._changed:
                self._places[served.name] = _Place(model, busy=True, turn=next(self._turns))
                self._added[served.name] = added
            _log.info("loaded %s (%.1f MB more are resident)", served.name, added / 1e6)
            return model

    @contextmanager
    def _turn_to_load(self) -> Iterator[None]:
        """Wait for those that came before, and let nobody else load during the block."""
        ticket = object()
        with self._changed:
            self._wanted.append(ticket)
            self._changed.wait_for(lambda: self._wanted[0] is ticket)
        try:
            yield
        finally:
            with self._changed:
                self._wanted.popleft()
                self._short_of_room = False
                self._changed.notify_all()

    def _there(self, name: str) -> Loaded | None:
        with self._changed:
            # Calls that come one after another would keep loaded packages in use, and no other would ever have room.
            self._changed.wait_for(lambda: not self._short_of_room or name not in self._places)
            place = self._places.get(name)
            if place is None:
                return None
            place.busy = True
            return place.model

    def _opened(self, served: Served) -> Loaded:
        if isinstance(served.package, Package):
            return load(served.package, threads=self._threads)
        return load_application(served.package, threads=self._threads)

    def _returned(self, name: str) -> None:
        with self._changed:
            place = self._places[name]
            place.busy, place.turn = False, next(self._turns)
            # A call may have needed more than loading did, and an application loads its models as it goes.
            while self._over(0) and self._unloaded_oldest(but=name):
                pass
            self._changed.notify_all()

    def _make_room(self, served: Served) -> None:
        """Unload packages, the least recently used first, until this one fits or none is left."""
        with self._changed:
            needed = max(self._added.get(served.name, 0), served.files_bytes)
            while self._places and self._over(needed):
                if not self._unloaded_oldest():
                    self._short_of_room = True
                    self._changed.wait(_LOOK_AGAIN_SECONDS)

    def _over(self, more: int) -> bool:
        return self._limit is not None and (self._resident() or 0) + more > self._limit

    def _unloaded_oldest(self, *, but: str = "") -> bool:
        idle = {name: place.turn for name, place in self._places.items() if not place.busy and name != but}
        if not idle:
            return False
        self._unload(min(idle, key=lambda name: idle[name]))
        return True

    def _unload(self, name: str) -> None:
        self._places.pop(name).model.close()
        give_back()
        _log.info("unloaded %s", name)
