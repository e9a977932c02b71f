"""What this machine is: facts that decide speed, read without any library, so that a device can answer too."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

# Instruction sets that change which kernel a provider picks; anything else in the flags is noise for a reader.
KNOWN_FEATURES = (
    "sse4_2", "avx", "avx2", "fma", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "avx512_fp16",
    "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "sve2",
)  # fmt: skip

# Instruction sets with sums of products of 8-bit integers in 32 bits. On x86-64 without one of them ONNX Runtime adds
# pairs of products in 16 bits, which saturate: the same graph then gives other numbers.
INTEGER_FEATURES = ("avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm")
# Instruction sets of x86-64 with products of bfloat16: where there is one, OpenVINO takes that type by itself.
BFLOAT16_FEATURES = ("avx512_bf16", "amx_bf16")


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """Facts about a machine.

    Attributes:
        architecture: As `uname -m` prints it.
        system: Operating system with its version.
        cpu: Model name of the processor.
        cores: Physical cores that this process may use.
        threads: Logical processors that this process may use.
        memory_bytes: Memory of the machine, 0 where it is not known.
        features: Instruction sets that matter here, sorted.
        python: Version of Python.
        emulated: An emulator pretends to be this machine: its answers count, its times do not.
    """

    architecture: str
    system: str
    cpu: str
    cores: int
    threads: int
    memory_bytes: int
    features: tuple[str, ...]
    python: str
    emulated: bool = False


def host_facts() -> HostFacts:
    """Facts about the machine this process runs on."""
    cpuinfo = read_text("/proc/cpuinfo")
    emulated = _is_emulated()
    return HostFacts(
        architecture=architecture(),
        system=f"{platform.system()} {platform.release()}",
        # Alone the name would read like a real processor's.
        cpu=_cpu_name(cpuinfo) + (" (emulated)" if emulated else ""),
        cores=_physical_cores(cpuinfo, _allowed_processors()),
        threads=usable_threads(),
        memory_bytes=_memory_bytes(),
        features=_features(cpuinfo),
        python=platform.python_version(),
        emulated=emulated,
    )


def architecture() -> str:
    """As `uname -m` prints it; alone, because `host_facts` reads system files and a load need not wait for them."""
    return platform.machine()


def usable_threads() -> int:
    """Logical processors that this process may use."""
    return len(_allowed_processors())


def read_text(path: str) -> str:
    """The text of a system file, empty where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _allowed_processors() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _cpu_name(cpuinfo: str) -> str:
    for key in ("model name", "Model", "Hardware"):
        found = re.search(rf"^{key}\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
        if found:
            return found.group(1).strip()
    return platform.processor() or "unknown"


def _physical_cores(cpuinfo: str, allowed: set[int]) -> int:
    # Two hyper-threads of a core share its vector units: a thread more than cores only adds switching.
    cores = set()
    for block in cpuinfo.split("\n\n"):
        values = dict(re.findall(r"^([\w ]+?)\s*:\s*(\d+)\s*$", block, re.MULTILINE))
        if "processor" in values and int(values["processor"]) in allowed:
            cores.add((values.get("physical id", "0"), values.get("core id", values["processor"])))
    return max(1, len(cores) or len(allowed))


def _memory_bytes() -> int:
    found = re.search(r"^MemTotal:\s*(\d+) kB", read_text("/proc/meminfo"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0


def _is_emulated() -> bool:
    # QEMU's user mode answers for the first name with the program it emulates; the kernel, which is asked for the
    # second, runs QEMU. Seen with QEMU 7.2 and 10; elsewhere both are this program.
    try:
        return Path("/proc/self/exe").readlink() != Path("/proc/thread-self/exe").readlink()
    except OSError:
        return False


def _features(cpuinfo: str) -> tuple[str, ...]:
    # Older emulators show the file of the machine around them, which has its word for the list of that architecture.
    word = "Features" if architecture() == "aarch64" else "flags"
    found = re.search(rf"^{word}\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    flags = set(found.group(1).split()) if found else set()
    return tuple(sorted(flags.intersection(KNOWN_FEATURES)))
