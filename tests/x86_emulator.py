"""Another x86-64 processor than this machine's: QEMU in user mode runs this very Python as if on it."""

import shutil
import sys
from pathlib import Path

import pytest

from edgewright_targets import host_facts

# With AVX2, and with neither AVX-512 nor VNNI. What QEMU cannot emulate is left out: it would warn of each.
AVX2_ALONE = "Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid"
# OpenVINO's plugin offers its devices where this is the vendor.
INTEL = "max,vendor=GenuineIntel"


def python_on(processor: str) -> tuple[str, ...]:
    """Starts this environment's Python on a processor as QEMU names it; skips the test where QEMU is missing."""
    if host_facts().architecture != "x86_64":
        pytest.skip("the libraries of this machine are not those of x86-64")
    emulator = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")
    if emulator is None:
        pytest.skip("no qemu-x86_64 (Debian: qemu-user-static)")
    # The emulator is started with the interpreter itself, which does not find the virtual environment's packages.
    path = f"PYTHONPATH={':'.join(part for part in sys.path if part)}"
    return ("env", path, emulator, "-cpu", processor, str(Path(sys.executable).resolve()))
