"""Mutations of a conversation: what a worker or a device sends is cut, lies, or never ends."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from fuzz.bytes_operators import BYTES
from fuzz.json_operators import JSON

# Of a stream without an end: more than any reader may keep of one line.
ENDLESS = 3 * 2**30


def line(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """The JSON of one message is another."""
    lines = data.split(b"\n")
    whole = [index for index, text in enumerate(lines) if text.startswith(b"{") and text.endswith(b"}")]
    index = random.choice(whole)
    change = JSON[random.choice(tuple(JSON))]
    lines[index] = change(random, lines[index].decode(), hostile).encode(errors="surrogatepass")
    return b"\n".join(lines)


def announced(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """A message announces other bytes than follow it."""
    parts = data.split(b'"bytes": ')
    if len(parts) == 1:
        return line(random, data, hostile)
    index = random.randrange(1, len(parts))
    rest = parts[index].lstrip(b"0123456789")
    value = random.choice((b"-1", b"1", b"1e400", b"NaN", b"9" * 5000, str(2**31).encode(), b'"8"', b"null", b"1.5"))
    parts[index] = value + rest
    return b'"bytes": '.join(parts)


def garbage(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """Something else stands between two messages."""
    lines = data.split(b"\n")
    text = random.choice((*hostile, "null", "[]", "{}", '{"ok": true}', '{"ok": false}', '{"ok": 1, "error": null}'))
    lines.insert(random.randrange(len(lines)), text.encode(errors="surrogatepass"))
    return b"\n".join(lines)


def raw(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """Its bytes are mutated whatever they mean."""
    del hostile
    return BYTES[random.choice(tuple(BYTES))](random, data)


ANSWERS = {"message": line, "announced size": announced, "garbage line": garbage, "raw stream": raw}
