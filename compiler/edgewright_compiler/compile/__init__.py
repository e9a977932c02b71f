"""Engines made ahead of time: one file a kind of engine, named in its row of `edgewright_targets.engine_kinds`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from edgewright_compiler.graphs.exported import GRAPH_FILE
from edgewright_compiler.graphs.feed_shapes import FeedShapes
from edgewright_targets.engine_kinds import engine_kind


class CompileError(Exception):
    """The vendor's compiler does not take this graph as asked; the text says why, for people."""


@dataclass(frozen=True, kw_only=True)
class CompileRequest:
    """What to compile, and for what.

    Attributes:
        graph: Folder with `model.onnx` and `weights/`, in the precision of the candidate.
        provider: Execution provider to compile for.
        provider_options: Its options; they say which hardware.
        shapes: Shapes of the calibration samples as this graph is given them; all alike where its shapes are fixed.
        allow_partial: Accept that nodes are left to the CPU provider.
        text_limits: Inputs that are tokens of texts, and the most tokens that the model takes.
    """

    graph: Path
    provider: str
    provider_options: Mapping[str, str]
    shapes: FeedShapes
    allow_partial: bool = False
    text_limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CompileFacts:
    """What a compiler made of a graph; kept beside the engine, and what is text in it with the evidence.

    Attributes:
        nodes: Provider to number of nodes of the graph that it runs; empty where the compiler does not say.
        reproducible: A second compilation gave the same bytes; None where none was made.
        seconds: Time of the compilation.
        size_bytes: Bytes of the engine.
        file: Name of the engine's file.
        log: What the compiler said, line by line.
        detail: What is known of the inside of the engine, as its inspector prints it.
        notes: What to know of this engine beside its figures, in whole sentences.
        options: Provider options that follow from how it was compiled.
    """

    nodes: dict[str, int]
    reproducible: bool | None
    seconds: float
    size_bytes: int
    file: str = GRAPH_FILE
    log: str = ""
    detail: str = ""
    notes: tuple[str, ...] = ()
    options: dict[str, str] = field(default_factory=dict)


class Compiler(Protocol):
    """What the module of a kind offers.

    Attributes:
        STATIC_SHAPES: It takes graphs of fixed shapes only: they are fixed before the graph is quantized.
        TOOLS: Distributions whose versions decide what it makes.
    """

    STATIC_SHAPES: bool
    TOOLS: tuple[str, ...]

    def compile_engine(self, request: CompileRequest, destination: Path) -> CompileFacts:
        """Compile into the empty folder `destination`, which holds nothing but the engine afterwards.

        Raises:
            CompileError: The compiler is not there, refused the graph, or took a part of it only.
        """


def compiler(kind: str) -> Compiler:
    """The compiler of engines of this kind.

    Raises:
        InputError: Unknown; the known kinds are listed.
    """
    module = engine_kind(kind).compiler
    assert module, f"nothing compiles '{kind}' ahead of time"
    return cast("Compiler", importlib.import_module(f"{__name__}.{module}"))
