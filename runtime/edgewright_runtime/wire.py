"""Messages of the worker protocol: one JSON line, then as many bytes of arrays (`.npz`) as the line announces.

The same form goes through a pipe to a worker on this machine and through ssh to one elsewhere.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from edgewright_runtime.samples import pack, unpack

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray[Any, Any]]

# Number of the protocol, the first thing that both ends compare. Its history:
#
#   1  The first.
#   2  Samples of any kind: JSON, with arrays and bytes of files behind it.
#
# Both ends come from one installation, which copies itself to devices and into emulators. The number is raised when an
# operation, or the form of a message, is no longer understood by the other end; a field more in a response is not that.
PROTOCOL = 2
# A sample or an answer is at most some images; a longer message is a broken stream.
_LIMIT_BYTES = 2**31
# What is read of a payload at once: memory grows with what came, not with what was announced.
_BLOCK_BYTES = 2**20
# A response in JSON is some facts and a line for each sample; requests hold the texts of all samples.
RESPONSE_LIMIT_BYTES = 16 * 2**20


class WireError(Exception):
    """The stream ended or does not carry a message; the other end is gone or is not a worker.

    Attributes:
        garbled: Something came, and it is not a message.
    """

    def __init__(self, message: str, *, garbled: bool = False) -> None:
        super().__init__(message)
        self.garbled = garbled


def send(stream: IO[bytes], message: Mapping[str, object], arrays: Arrays | None = None) -> None:
    """Write one message and flush."""
    payload = b""
    if arrays:
        import numpy as np

        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        payload = buffer.getvalue()
    stream.write(json.dumps({**message, "bytes": len(payload)}).encode() + b"\n" + payload)
    stream.flush()


def receive(stream: IO[bytes], *, limit_bytes: int = _LIMIT_BYTES) -> tuple[dict[str, object], Arrays]:
    """Read one message.

    Args:
        stream: What the other end writes; nothing in it is trusted.
        limit_bytes: The longest line of JSON to read.

    Raises:
        WireError: The stream ended, or what came is not a message.
    """
    message = read_line(stream, limit_bytes)
    size = message.pop("bytes", None)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _LIMIT_BYTES:
        raise WireError(f"a message announces {str(size)[:20]} bytes; it may have {_LIMIT_BYTES}", garbled=True)
    payload = bytearray()
    while len(payload) < size:
        block = stream.read(min(_BLOCK_BYTES, size - len(payload)))
        if not block:
            raise WireError("the stream ended inside a message")
        payload += block
    if not payload:
        return message, {}
    from edgewright_runtime.arrays import ArraysError, read_arrays

    try:
        # Stored as they are by `send`: what unpacks to more than it has was not written by it.
        return message, read_arrays(io.BytesIO(payload), limit_bytes=size, name="the payload")
    except ArraysError as error:
        raise WireError(error.message, garbled=True) from error


def read_line(stream: IO[bytes], limit_bytes: int = RESPONSE_LIMIT_BYTES) -> dict[str, object]:
    """Read one line of the stream as a JSON object.

    Raises:
        WireError: The stream ended, the line is longer than the limit, or it is not a JSON object.
    """
    line = stream.readline(limit_bytes)
    if len(line) >= limit_bytes:
        raise WireError(f"a line has more than {limit_bytes} bytes", garbled=True)
    if not line.endswith(b"\n"):
        raise WireError("the stream ended")
    try:
        message = json.loads(line)
    # RecursionError: brackets nested without end.
    except (ValueError, RecursionError) as error:
        raise WireError(f"a line is not JSON: {line[:80]!r}", garbled=True) from error
    if not isinstance(message, dict):
        raise WireError(f"a line is not a JSON object: {line[:80]!r}", garbled=True)
    return message


def pack_samples(samples: list[Any], *, paths: bool = True) -> tuple[list[Any], Arrays]:
    """Samples as JSON, with arrays and files apart; see `samples.pack`."""
    arrays: Arrays = {}
    return [pack(sample, str(index), arrays, paths=paths) for index, sample in enumerate(samples)], arrays


def unpack_samples(plain: list[Any], arrays: Arrays) -> list[Any]:
    """The samples that `pack_samples` packed."""
    return [unpack(packed, arrays, paths=True) for packed in plain]
