"""What libraries write to standard error, as sentences: without times, colours and places in their sources."""

from __future__ import annotations

import re
from typing import IO, Final

# Bytes that are read, and sentences that are kept: a library may repeat itself with every call.
_BYTES: Final = 1 << 20
_KEPT: Final = 20
_LONGEST: Final = 400
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# `2026-01-31 12:00:00.123456 [W:onnxruntime:, graph.cc:1234 CleanUnused] ` of ONNX Runtime.
_PLACE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]* \[\w:(?P<who>[^:\]]*):[^\]]*\]\s*")


def sentences(errors: IO[bytes]) -> tuple[str, ...]:
    """Each sentence once, in their order."""
    errors.seek(0)
    lines = errors.read(_BYTES).decode(errors="replace").splitlines()
    found = dict.fromkeys(filter(None, map(_sentence, lines)))
    return tuple(found)[:_KEPT]


def _sentence(line: str) -> str:
    plain = "".join(one for one in _COLOUR.sub("", line) if one.isprintable()).strip()
    return _PLACE.sub(lambda match: f"{match['who']}: ", plain)[:_LONGEST]
