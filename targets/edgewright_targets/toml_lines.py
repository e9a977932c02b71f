"""Values of a TOML text and their lines: `tomllib` forgets where values stood, and people look for a line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence

from edgewright_targets.record import RecordError

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")

_Keys = tuple[str | int, ...]


def parse_toml(text: str, where: str) -> Mapping[str, object]:
    """The values of a TOML text.

    Raises:
        RecordError: It is not valid TOML; the message says the line.
    """
    try:
        return tomllib.loads(text)
    # RecursionError: brackets nested without end.
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RecordError(f"{where}: this is not valid TOML: {str(error)[:200]}.") from error


def line_of(text: str, keys: Sequence[str | int]) -> int | None:
    """The line, counted from 1, where the value at `keys` stands, or else the nearest table around it.

    Keys and indices lead to the value as in the data: `("candidate", 2, "recipe")`. None where the text has no part of
    them. The text must be valid TOML.
    """
    lines = _lines(text)
    for length in range(len(keys), 0, -1):
        found = lines.get(tuple(keys[:length]))
        if found is not None:
            return found
    return None


def with_line(error: RecordError, text: str, where: str) -> RecordError:
    """The same error with the line of its keys behind `where`, where its message begins with that and there is one."""
    line, message = line_of(text, error.keys), error.message
    if line is not None and message.startswith(where):
        message = f"{where}:{line}{message.removeprefix(where)}"
    return RecordError(message, hint=error.hint, keys=error.keys)


def _lines(text: str) -> dict[_Keys, int]:
    found: dict[_Keys, int] = {}
    table: _Keys = ()
    seen: Counter[_Keys] = Counter()
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            # A string of several lines may hold anything, and none of it is a key.
            inside = "" if inside in line else inside
            continue
        header = _HEADER.match(line)
        if header:
            table = _names(header.group(2))
            if header.group(1) == "[[":
                seen[table] += 1
                table = (*table, seen[table] - 1)
            found.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key:
            found.setdefault((*table, *_names(key.group(1))), number)
        inside = next((quote for quote in ('"""', "'''") if line.count(quote) % 2), "")
    return found


def _names(dotted: str) -> _Keys:
    parts = re.findall(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""", dotted)
    return tuple(part.strip("\"'") for part in parts)
