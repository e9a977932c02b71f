"""The models of an application that are in memory: loaded when first needed, and let go where a limit asks for it."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from edgewright_runtime.applications.memory_limit import MemoryLimit
from edgewright_runtime.loading import load
from edgewright_runtime.memory import give_back
from edgewright_runtime.package import Package

if TYPE_CHECKING:
    from edgewright_runtime.model import EngineInfo, Model


class LoadedModels:
    """Models by name.

    Args:
        packages: Model -> its package.
        threads: That a call of a model may use.
        engines: Model -> the engine that it uses alone.
        limit: None holds all models that were needed.

    Attributes:
        models: Those in memory; the last one was used last.
        engines: Model -> the engine that it had when it was loaded last, of all that were needed until now.
        unloaded: How often a model was let go, so that another had room.
    """

    def __init__(
        self,
        packages: Mapping[str, Package],
        *,
        threads: int | None,
        engines: Mapping[str, str],
        limit: MemoryLimit | None,
    ) -> None:
        self._packages = packages
        self._threads = threads
        self._asked = engines
        self._limit = limit
        self._in_use = Counter[str]()
        # Whoever needs room that a running call has waits here.
        self._changed = threading.Condition()
        self.models: dict[str, Model] = {}
        self.engines: dict[str, EngineInfo] = {}
        self.unloaded = 0

    @contextlib.contextmanager
    def using(self, name: str) -> Iterator[Model]:
        """A model that stays in memory as long as the block lasts.

        Raises:
            EngineUnavailableError: No engine of it runs here.
        """
        with self._changed:
            model = self._ready(name)
            self._in_use[name] += 1
        try:
            yield model
        finally:
            with self._changed:
                self._in_use[name] -= 1
                self._changed.notify_all()

    def _ready(self, name: str) -> Model:
        while name not in self.models:
            if not self._made_room(name):
                self._changed.wait()
                continue
            self.models[name] = load(self._packages[name], engine=self._asked.get(name), threads=self._threads)
            self.engines[name] = self.models[name].engine
        # Put at the end: the first ones were not used longest.
        self.models[name] = self.models.pop(name)
        return self.models[name]

    def _made_room(self, name: str) -> bool:
        """Let go of what was not used longest until there is room; False where calls still use what would go."""
        if self._limit is None:
            return True
        gone = False
        while not self._limit.has_room({*self.models, name}):
            idle = next((one for one in self.models if not self._in_use[one]), None)
            if idle is None:
                return False
            self.models.pop(idle).close()
            self.unloaded += 1
            gone = True
        if gone:
            give_back()
        return True

    def close(self) -> None:
        """Let go of all models."""
        with self._changed:
            for model in self.models.values():
                model.close()
            self.models.clear()
