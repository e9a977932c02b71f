"""Mutations of declarations and targets in TOML, line by line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from fuzz.bytes_operators import BYTES

_VALUES = ("-1", "0", "1", "1e300", "nan", "inf", "true", '""', "[]", "[[]]", "{}", "9" * 30, "2020-01-01", "[1, 'a']")


def value(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """A key has another value, stands twice or is missing, or a table does."""
    lines = data.decode().splitlines()
    index = random.choice([index for index, line in enumerate(lines) if "=" in line or line.startswith("[")])
    what = random.randrange(5)
    if what == 0:
        del lines[index]
    elif what == 1:
        lines.insert(random.randrange(len(lines)), lines[index])
    elif what == 2:
        depth = random.choice((50, 900, 5000, 100_000))
        lines[index] = f"{lines[index].partition('=')[0].strip('[]')} = {'[' * depth}{']' * depth}"
    else:
        written = random.choice((*_VALUES, *map(json.dumps, hostile)))
        lines[index] = f"{lines[index].partition('=')[0]}= {written}"
    return "\n".join(lines).encode(errors="surrogatepass")


def raw(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """Its bytes are mutated whatever they mean."""
    del hostile
    return BYTES[random.choice(tuple(BYTES))](random, data)


TOML = {"toml value": value, "toml bytes": raw}
