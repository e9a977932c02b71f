"""Mutations of bytes, whatever they mean."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

BytesOperator = Callable[[Random, bytes], bytes]


def bit_flip(random: Random, data: bytes) -> bytes:
    """One to eight bits are the other way."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 8)) if data else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def truncation(random: Random, data: bytes) -> bytes:
    """The end is missing, or all of it."""
    return data[: random.choice((0, 1, random.randrange(len(data) + 1), max(0, len(data) - 1)))]


def splice(random: Random, data: bytes) -> bytes:
    """A piece of it is repeated, moved or removed."""
    if not data:
        return b"\0"
    start, length = random.randrange(len(data)), random.choice((1, 4, 64, 512, 4096))
    piece, to = data[start : start + length], random.randrange(len(data))
    return random.choice(
        (
            data[:to] + piece + data[to:],
            data[:to] + piece + data[to + len(piece) :],
            data[:start] + data[start + length :],
            data + piece * random.choice((1, 100)),
        )
    )


def numbers(random: Random, data: bytes) -> bytes:
    """Four or eight bytes are a number at the edge of its type: where lengths and offsets are, that is a lie."""
    changed, size = bytearray(data), random.choice((4, 8))
    value = random.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1)) % 2 ** (8 * size)
    start = random.randrange(max(1, min(len(data), random.choice((64, 4096, 2**40)))))
    changed[start : start + size] = value.to_bytes(size, random.choice(("little", "big")))
    return bytes(changed)


BYTES: dict[str, BytesOperator] = {
    "bit flip": bit_flip,
    "truncation": truncation,
    "splice": splice,
    "edge number": numbers,
}
