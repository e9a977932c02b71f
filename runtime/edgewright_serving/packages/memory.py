"""The memory of this process: how much is resident, and giving back what is free."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from pathlib import Path

_STATM = Path("/proc/self/statm")


def resident_bytes() -> int | None:
    """Resident memory of this process; None where the system does not say it as Linux does."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def give_back() -> None:
    """Let the system have what was freed: the C library keeps it otherwise, and it stays resident."""
    gc.collect()
    # glibc alone has it.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
