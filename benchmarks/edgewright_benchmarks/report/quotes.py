"""Samples in words, for a report whose owner asked for them: they are the user's own texts and names of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewright_benchmarks.result import Result

_LONGEST = 160


@dataclass(frozen=True)
class Quote:
    """A sample that engines answer otherwise than the baseline: its number, what it is, and the engines' names."""

    number: int
    text: str
    engines: tuple[str, ...]


def quotes(result: Result, samples: Sequence[Any]) -> list[Quote]:
    """The samples that the engines of `result` list.

    Args:
        result: Of a measurement on `samples`.
        samples: As they were measured, in their order.
    """
    found: dict[int, list[str]] = {}
    for engine in result.engines:
        for number in engine.otherwise.first if engine.otherwise else ():
            found.setdefault(number, []).append(engine.name)
    return [Quote(number, quoted(samples[number - 1]), tuple(names)) for number, names in sorted(found.items())]


def quoted(sample: Any) -> str:
    r"""A sample in a line: texts and names of files, cut, with characters that are not printed spelt, such as `\n`."""
    text = "; ".join(_parts(sample))
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text[:_LONGEST])
    return shown + ("..." if len(text) > _LONGEST else "")


def _parts(sample: Any) -> Iterator[str]:
    if isinstance(sample, dict):
        for name, part in sample.items():
            yield f"{name}: {' '.join(_parts(part))}"
    elif isinstance(sample, Path):
        yield sample.name
    elif isinstance(sample, str):
        # More is not shown, and a text may have megabytes.
        yield sample[: _LONGEST + 1]
    elif isinstance(sample, list | tuple):
        yield ", ".join(" ".join(_parts(part)) for part in sample[:_LONGEST])
    else:
        shape = getattr(sample, "shape", None)
        yield str(sample)[: _LONGEST + 1] if shape is None else f"an array of shape {list(shape)}"
