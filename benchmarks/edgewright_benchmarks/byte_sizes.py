"""Sizes of memory as people write them: `400MB`, `1.5GB`."""

from __future__ import annotations

import re
from typing import Final

_BYTES: Final = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([kmg]i?b)", re.IGNORECASE)


def read_size(text: object) -> int:
    """Bytes of a size with its unit.

    >>> from edgewright_benchmarks.byte_sizes import read_size
    >>> read_size("400MB"), read_size("1.5 GiB")
    (400000000, 1610612736)

    Raises:
        ValueError: The text is not a size above zero.
    """
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    size = 0 if found is None else int(float(found.group(1)) * _BYTES[found.group(2).lower()])
    if not 0 < size < 2**63:
        raise ValueError(f"'{text}' is not a size of memory above zero, such as 400MB or 1.5GB")
    return size
