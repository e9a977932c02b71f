"""Warnings of the runtime, which Python knows for the whole process, told apart by the thread of their call."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from edgewright_runtime.errors import SampleWarning

_log = logging.getLogger(__name__)
_of_thread = threading.local()


@contextmanager
def routed_warnings() -> Iterator[None]:
    """During the block, warnings about a sample belong to the call of their thread, and those of ours go to the log.

    For the whole life of a server, as what Python does with warnings is one setting for all threads.
    """

    def show(message: Warning | str, kind: type[Warning], *_: object) -> None:
        if issubclass(kind, SampleWarning):
            getattr(_of_thread, "texts", []).append(str(message))
        elif kind.__module__.startswith("edgewright_"):
            _log.warning("%s", message)

    with warnings.catch_warnings():
        warnings.showwarning = show  # type: ignore[assignment]
        warnings.simplefilter("always", SampleWarning)
        yield


@contextmanager
def warnings_of_a_call() -> Iterator[list[str]]:
    """Gives a list that gets the warnings about the sample of the call in the block."""
    _of_thread.texts = texts = list[str]()
    try:
        yield texts
    finally:
        _of_thread.texts = []
