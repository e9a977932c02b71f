"""Engines made ahead of time: one file a kind of engine, and this one list. Adding a kind is a file and a line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from edgewright_targets import InputError, nearest

KINDS = {
    "epcontext": "edgewright_compiler.compile.epcontext",
}


class CompileError(Exception):
    """The vendor's compiler does not take this graph as asked; the text says why, for people."""


@dataclass(frozen=True)
class CompileFacts:
    """What a compiler made of a graph.

    Attributes:
        nodes: Provider to number of nodes of the graph that it runs.
        reproducible: A second compilation gave the same bytes; None where none was made.
        seconds: Time of the compilation.
        size_bytes: Bytes of the engine.
    """

    nodes: dict[str, int]
    reproducible: bool | None
    seconds: float
    size_bytes: int

    def share(self, provider: str) -> float:
        """Share of the nodes that `provider` runs."""
        return self.nodes.get(provider, 0) / max(1, sum(self.nodes.values()))


class Compiler(Protocol):
    """What the module of a kind offers."""

    def compile_engine(
        self,
        graph: Path,
        provider: str,
        provider_options: Mapping[str, str],
        destination: Path,
        *,
        allow_partial: bool = False,
        twice: bool = False,
    ) -> CompileFacts:
        """Compile the graph in the folder `graph` into the folder `destination`, as `model.onnx`.

        Args:
            graph: Folder with `model.onnx` and `weights/`, of fixed shapes.
            provider: Execution provider to compile for.
            provider_options: Its options; they say which hardware.
            destination: A folder; complete when this returns.
            allow_partial: Accept that nodes are left to the CPU provider.
            twice: Compile again, to know whether the bytes are the same.

        Raises:
            CompileError: The compiler refused the graph, or took a part of it only.
        """


def compiler(kind: str) -> Compiler:
    """The compiler of engines of this kind.

    Raises:
        InputError: Unknown; the known kinds are listed.
    """
    if kind not in KINDS:
        raise InputError(f"Unknown kind of engine '{kind}'.", hint=nearest(kind, KINDS))
    return cast("Compiler", importlib.import_module(KINDS[kind]))
