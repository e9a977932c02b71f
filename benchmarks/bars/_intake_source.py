"""A source of another maker, as the bar of intake takes it: what a person has, types, and should get."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from _row import Made, Row

Kind = Literal["ONNX file", "torch module", "library", "checkpoint", "table"]
# What a word of a command stands for.
SPEC, DATA, LABELS = "{spec}", "{data}", "{labels}"


@dataclass(frozen=True, kw_only=True)
class Second:
    """The command that a person types after the first one was refused, if the refusal says so.

    Attributes:
        says: What the refusal has to say, word for word; without it nobody would know what to type.
        words: The second command, as `Source.first`.
        before: What the person does first, such as writing a file that the refusal names.
        done: The same in words.
    """

    says: str
    words: tuple[str, ...]
    before: Callable[[Made], None] | None = None
    done: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source with its natural task and its commands, written down before they first ran.

    Attributes:
        name: As `--only` takes it.
        kind: What it is.
        weights: The package that they come in, or that they are random.
        task: What its makers made it for, by Edgewright's name.
        make: Writes the source and its data into a folder; raises `CannotFetchError` where it cannot be had.
        first: What a person types after `edgewright build`, without `-o`; `SPEC`, `DATA` and `LABELS` stand for files.
        theirs: What the source's own library answers, called by hand.
        compared: What these answers are, in a word.
        second: None where the first command has to do, or another one cannot help.
        tolerance: Of numbers in answers: absolute below 1 and relative above.
        unlike: Share of whole numbers in arrays (pixels, classes of pixels) that may differ.
        arranged: Brings an answer into an order that near ties do not change, before it is compared.
        torchvision: It runs in a process that has torchvision and timm.
    """

    name: str
    kind: Kind
    weights: str
    task: str
    make: Callable[[Path], Made]
    first: tuple[str, ...]
    theirs: Callable[[Made], list[Any]]
    compared: str
    second: Second | None = None
    tolerance: float = 1e-3
    unlike: float = 0.0
    arranged: Callable[[Any], Any] = lambda answer: answer
    torchvision: bool = False

    @property
    def written(self) -> tuple[str, ...]:
        """All that was written down: the task and the words of the commands."""
        more = (self.second.says, self.second.done, *self.second.words) if self.second else ()
        return (self.task, *self.first, "then", *more)


def row(name: str) -> Row:
    """The row of the bar of all families of that name: some of its sources are of other makers as they are."""
    from all_families import ROWS

    return next(one for one in ROWS if one.name == name)


def writes(name: str, settings: Mapping[str, object]) -> Callable[[Made], None]:
    """What writes settings as JSON beside the source."""

    def write(made: Made) -> None:
        Path(made.spec).with_name(name).write_text(json.dumps(settings), encoding="utf-8")

    return write
