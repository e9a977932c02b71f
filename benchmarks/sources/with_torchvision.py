"""A plugin of pytest: torchvision and timm from the package index beside the CPU build of torch.

That wheel is linked against the CUDA build: it names two libraries of it, which the CPU build does not have, and which
none of its operators for the CPU needs. Empty ones in their place let it load; what runs is its own code throughout.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

FOLDER = "EDGEWRIGHT_TESTS_TORCHVISION"
# Without what it depends on: torchvision is the one beside it, and the rest is installed.
_TIMM = "timm==1.0.31"
# The one symbol that is data and not a function, which cannot wait until it is used.
_STANDINS = {"c10_cuda": "void *_ZN3c104cuda20CUDACachingAllocator9allocatorE = 0;", "torch_cuda": "int nothing;"}


def fetch(folder: Path) -> str:
    """Put torchvision for the installed torch, and timm, into `folder`; gives why they cannot be had, or nothing."""
    major, minor, *_ = version("torch").split(".")
    wanted = f"torchvision==0.{int(minor) + 15}.*"
    if major != "2" or sys.platform != "linux":
        return f"which torchvision goes with torch {version('torch')} here is not known"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return "there is no C compiler for the empty libraries that its wheel names"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run([*command, "-d", str(folder), wanted, _TIMM], check=False, capture_output=True, text=True)
    if done.returncode:
        return f"the wheels of {wanted} and {_TIMM} could not be fetched: {done.stderr.strip()[-200:]}"
    for path in folder.glob("*.whl"):
        with zipfile.ZipFile(path) as wheel:
            wheel.extractall(folder)
    for name, code in _STANDINS.items():
        (folder / f"{name}.c").write_text(code, encoding="utf-8")
        library = folder / "torchvision.libs" / f"lib{name}.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, folder / f"{name}.c"], check=True)
    return ""


def environment(folder: Path) -> dict[str, str]:
    """Of a process in which this plugin finds what was fetched."""
    libraries = f"{folder / 'torchvision.libs'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    return os.environ | {FOLDER: str(folder), "LD_LIBRARY_PATH": libraries.rstrip(":")}


if FOLDER in os.environ:
    import torch  # noqa: F401 - its libraries come first

    sys.path.insert(0, os.environ[FOLDER])
    # 1 is RTLD_LAZY: functions of CUDA are looked for when they are called, which is never.
    ctypes.CDLL(str(Path(os.environ[FOLDER]) / "torchvision" / "_C.so"), mode=1)
