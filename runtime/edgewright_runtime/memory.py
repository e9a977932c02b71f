"""What memory this process has."""

from __future__ import annotations

import ctypes
import re
import sys

from edgewright_targets.host import read_text


def peak_memory_bytes() -> int:
    """Peak resident memory of this process."""
    # Not getrusage on Linux: its figure survives exec, so a worker would begin with the peak of its parent.
    return _of_linux("VmHWM") or _peak_of_usage()


def resident_bytes() -> int:
    """Resident memory of this process now; where the system does not say it, its peak until now."""
    return _of_linux("VmRSS") or _peak_of_usage()


def give_back() -> None:
    """Give memory that was freed back to the system, which glibc would keep for later."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(ctypes.c_size_t(0))


def _of_linux(name: str) -> int:
    """A figure of /proc/self/status in bytes; 0 where there is none."""
    found = re.search(rf"^{name}:\s*(\d+) kB", read_text("/proc/self/status"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def _peak_of_usage() -> int:
    import resource

    # macOS counts in bytes, the BSDs in KiB (getrusage(2) of each).
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
