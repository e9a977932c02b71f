"""Mutations of JSON that stays JSON, mostly: other types, numbers, depths, keys and strings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

# The text, and strings that lead somewhere.
JsonOperator = Callable[[Random, str, Sequence[str]], str]

_NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2, 3, 255, 2**16, 10**7, 2**31 - 1, 2**31, 2**40, 2**63, 2**64, -(2**63), 10**40, 0.5, -0.0, 1e-300,
    1e300, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip
_OTHERS: tuple[Any, ...] = (None, True, False, 0, -1, 1.5, "", "text", [], {}, [[]], [None], {"": None}, [1, "a", {}])
_DEPTHS = (50, 900, 5000, 200_000)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """All (container, key) of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield value, key
        yield from places(part)


def _changed(text: str, change: Callable[[Any, list[tuple[Any, Any]]], Any]) -> str:
    document = json.loads(text)
    found = list(places(document))
    if not found:
        return "[]"
    change(document, found)
    return json.dumps(document)


def type_swap(random: Random, text: str, hostile: Sequence[str]) -> str:
    """A value is of another type."""
    del hostile

    def change(_: Any, found: list[tuple[Any, Any]]) -> None:
        container, key = random.choice(found)
        kind = type(container[key])
        container[key] = random.choice([other for other in _OTHERS if type(other) is not kind])

    return _changed(text, change)


def number(random: Random, text: str, hostile: Sequence[str]) -> str:
    """A number, or a string that is one, is huge, negative, or none."""
    del hostile

    def change(_: Any, found: list[tuple[Any, Any]]) -> None:
        numeric = [(c, k) for c, k in found if isinstance(c[k], (int, float)) or str(c[k]).lstrip("-").isdigit()]
        container, key = random.choice(numeric or found)
        value = random.choice(_NUMBERS)
        container[key] = str(value) if isinstance(container[key], str) else value

    return _changed(text, change)


def string(random: Random, text: str, hostile: Sequence[str]) -> str:
    """A string leads out of the folder, is endless, or is written for a terminal or a shell."""

    def change(_: Any, found: list[tuple[Any, Any]]) -> None:
        container, key = random.choice([(c, k) for c, k in found if isinstance(c[k], str)] or found)
        container[key] = random.choice(hostile)

    return _changed(text, change)


def key(random: Random, text: str, hostile: Sequence[str]) -> str:
    """A key is missing, has another name, or another value of the document stands there."""

    def change(_: Any, found: list[tuple[Any, Any]]) -> None:
        container, name = random.choice(found)
        value = container[name]
        what = random.randrange(4)
        if what == 0 or not isinstance(container, dict):
            other, place = random.choice(found)
            container[name] = json.loads(json.dumps(other[place]))
            return
        del container[name]
        if what == 1:
            container[random.choice(hostile)] = value
        elif what == 2:
            container[f"{name}2"] = value

    return _changed(text, change)


def nesting(random: Random, text: str, hostile: Sequence[str]) -> str:
    """A value lies deep in lists or objects."""
    del hostile
    depth = random.choice(_DEPTHS)
    opening, closing = random.choice((("[", "]"), ('{"a":', "}")))
    mark = "\x1a-deep"

    def change(_: Any, found: list[tuple[Any, Any]]) -> None:
        container, name = random.choice(found)
        container[name] = mark

    return _changed(text, change).replace(json.dumps(mark), opening * depth + "1" + closing * depth)


def duplicate_key(random: Random, text: str, hostile: Sequence[str]) -> str:
    """An object has a key twice, with another value."""
    starts = [index for index, letter in enumerate(text) if letter == "{"]
    if not starts:
        return text
    start = random.choice(starts)
    name = text[start:].split('"')[1:2] or ["a"]
    value = json.dumps(random.choice((*_OTHERS, random.choice(hostile))))
    end = text.find("}", start)
    return f'{text[:end]}, "{name[0]}": {value}{text[end:]}'


def many(random: Random, text: str, hostile: Sequence[str]) -> str:
    """An object or a list has very many parts."""
    del hostile
    count = random.choice((1000, 20_000, 150_000))

    def change(document: Any, found: list[tuple[Any, Any]]) -> None:
        containers = [document, *(c[k] for c, k in found if isinstance(c[k], (dict, list)))]
        container = random.choice(containers)
        if isinstance(container, dict):
            container |= {f"key{index}": "1" for index in range(count)}
        else:
            container += [container[0] if container else 1] * count

    return _changed(text, change)


JSON: dict[str, JsonOperator] = {
    "type swap": type_swap,
    "number": number,
    "string": string,
    "key": key,
    "deep nesting": nesting,
    "duplicate key": duplicate_key,
    "many parts": many,
}
