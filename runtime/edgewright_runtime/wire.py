"""Messages of the worker protocol: one JSON line, then as many bytes of arrays (`.npz`) as the line announces.

The same form goes through a pipe to a worker on this machine and through ssh to one elsewhere.
"""

from __future__ import annotations

import io
import json
from typing import IO, TYPE_CHECKING, Any

from edgewright_runtime.samples import pack, unpack

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray[Any, Any]]

PROTOCOL = 2
# A sample or an answer is at most some images; a longer message is a broken stream.
_LIMIT_BYTES = 2**31


class WireError(Exception):
    """The stream ended or does not carry a message; the other end is gone or is no worker."""


def send(stream: IO[bytes], message: dict[str, Any], arrays: Arrays | None = None) -> None:
    """Write one message and flush."""
    payload = b""
    if arrays:
        import numpy as np

        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        payload = buffer.getvalue()
    stream.write(json.dumps({**message, "bytes": len(payload)}).encode() + b"\n" + payload)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], Arrays]:
    """Read one message.

    Raises:
        WireError: The stream ended, or what came is no message.
    """
    line = stream.readline(_LIMIT_BYTES)
    if not line.endswith(b"\n"):
        raise WireError("the stream ended")
    try:
        message = json.loads(line)
        size = int(message.pop("bytes"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WireError(f"this is no message: {line[:80]!r}") from error
    if not 0 <= size <= _LIMIT_BYTES:
        raise WireError(f"a message announces {size} bytes")
    payload = stream.read(size)
    if len(payload) != size:
        raise WireError("the stream ended inside a message")
    if not payload:
        return message, {}
    import numpy as np

    with np.load(io.BytesIO(payload), allow_pickle=False) as file:
        return message, {name: file[name] for name in file.files}


def pack_samples(samples: list[Any], *, paths: bool = True) -> tuple[list[Any], Arrays]:
    """Samples as JSON, with arrays and files apart; see `samples.pack`."""
    arrays: Arrays = {}
    return [pack(sample, str(index), arrays, paths=paths) for index, sample in enumerate(samples)], arrays


def unpack_samples(plain: list[Any], arrays: Arrays) -> list[Any]:
    """The samples that `pack_samples` packed."""
    return [unpack(packed, arrays, paths=True) for packed in plain]
