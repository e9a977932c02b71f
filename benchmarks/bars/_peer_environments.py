"""Peers as `benchmarks/peers/peers.toml` declares them, and their environments: made once each, below the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _suite_rows import ROOT

PEERS_FOLDER = ROOT / "benchmarks" / "peers"
# pip's last line, as it is shown.
_SHOWN = 300


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What somebody would pick instead.

    Attributes:
        name: As `--peer` takes it.
        title: For people.
        does: What it does differently, to follow its title in a sentence.
        environment: Name of its environment.
        engine: What `worker.py` opens: `torch`, `onnxruntime` or `openvino`.
        maker: Function of `make_engine.py` that makes the engine, or empty.
        commands: Commands that make it, with `{source}`, `{task}`, `{out}` and `{isa}`.
        made: The file that these commands leave, below `{out}`.
        sources: Kinds of source that it takes: `checkpoint`, `module`, `graph`.
        compiled: `torch.compile` is asked for.
        lines: Lines of Python that a person writes.
    """

    name: str
    title: str
    does: str
    environment: str
    engine: str
    maker: str = ""
    commands: tuple[str, ...] = ()
    made: str = ""
    sources: tuple[str, ...] = ("checkpoint", "module", "graph")
    compiled: bool = False
    lines: int = 0

    @property
    def typed(self) -> str:
        """What a person types, in words."""
        if self.lines:
            return f"{self.lines} lines of Python"
        return f"{len(self.commands)} command{'s' if len(self.commands) > 1 else ''}"


class NotInstalledError(Exception):
    """An environment cannot be made; the text is pip's last line."""


def read_peers(path: Path = PEERS_FOLDER / "peers.toml") -> tuple[tuple[Peer, ...], dict[str, tuple[str, ...]]]:
    """The peers, and environment to its packages."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    environments = {name: tuple(one["packages"]) for name, one in data["environment"].items()}
    peers = []
    for one in data["peer"]:
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in one.items()
        }
        peers.append(Peer(**given))
    return tuple(peers), environments


def environment_folder(name: str, packages: tuple[str, ...]) -> Path:
    """Where the environment of these packages is, or will be."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    key = hashlib.sha256("\n".join([sys.version, *packages]).encode()).hexdigest()[:12]
    return Path(home) / "edgewright-peers" / f"{name}-{key}"


def made_environment(name: str, packages: tuple[str, ...]) -> Path:
    """The environment's folder; it is made where it is not there.

    Raises:
        NotInstalledError: pip cannot install its packages.
    """
    folder = environment_folder(name, packages)
    whole = folder / "whole"
    if whole.is_file():
        return folder
    print(f"making the environment '{name}': {' '.join(packages)}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *packages], check=False, capture_output=True, text=True)
    if done.returncode:
        errors = [line for line in done.stderr.strip().splitlines() if not line.startswith("WARNING")]
        shutil.rmtree(folder, ignore_errors=True)
        raise NotInstalledError((errors or ["pip said nothing"])[-1][:_SHOWN])
    whole.touch()
    return folder


def peer_environment(folder: Path | None, threads: int) -> Mapping[str, str]:
    """Variables of a process of a peer: nothing is fetched or reported, and its commands are found first.

    Args:
        folder: Of its environment; None is ours.
        threads: Of its libraries' own pools.
    """
    rooms = [ROOT / room for room in ("runtime", "targets", "benchmarks/sources", ".")]
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "OMP_NUM_THREADS")}
    path = os.pathsep.join(filter(None, (str(folder / "bin") if folder else "", kept.get("PATH", ""))))
    quiet = {"HF_HUB_OFFLINE": "1", "OLIVE_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}
    return {
        **kept,
        **quiet,
        "PATH": path,
        "OMP_NUM_THREADS": str(threads),
        "PYTHONPATH": os.pathsep.join(map(str, rooms)),
    }
