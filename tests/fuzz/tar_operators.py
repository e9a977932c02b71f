"""Mutations of a tar: headers that lie about size, kind, name and what is behind them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Sequence
from random import Random

TarOperator = Callable[[Random, bytes, Sequence[str]], bytes]
_END = bytes(2 * tarfile.BLOCKSIZE)
_SIZES = (-1, -512, -(2**40), 0, 1, 511, 2**20, 2**33, 2**40, 2**62, 2**80)
_KINDS = b"\x000123456789gxLKSMDVNXA"


def _headers(data: bytes) -> list[int]:
    """Where entries begin."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return [member.offset for member in tar.getmembers()]


def _with_sum(header: bytes) -> bytes:
    blank = header[:148] + b" " * 8 + header[156:]
    return header[:148] + f"{sum(blank):06o}\0 ".encode() + header[156:]


def _edited(random: Random, data: bytes, start: int, value: bytes) -> bytes:
    """One header with other bytes at `start`, and a sum that is right again."""
    at = random.choice(_headers(data))
    header = data[at : at + 512]
    return data[:at] + _with_sum(header[:start] + value + header[start + len(value) :]) + data[at + 512 :]


def size(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """An entry is larger than the file, or smaller than nothing."""
    del hostile
    value = random.choice(_SIZES)
    return _edited(random, data, 124, (b"\x80" if value >= 0 else b"\xff") + (value % 2**88).to_bytes(11, "big"))


def kind(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """An entry is of another kind."""
    del hostile
    return _edited(random, data, 156, bytes([random.choice(_KINDS)]))


def name(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """An entry has another name, or a prefix."""
    text = random.choice(hostile).encode()[:100].ljust(100, b"\0")
    return _edited(random, data, random.choice((0, 157, 345)), text)


def field(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """Any field is other bytes."""
    del hostile
    return _edited(random, data, random.randrange(500), random.randbytes(random.choice((1, 8, 12))))


def _entry(random: Random, hostile: Sequence[str], **records: str) -> bytes:
    info = tarfile.TarInfo(random.choice(hostile).replace("\0", "") or "more")
    info.type = bytes([random.choice(_KINDS)])
    info.linkname = random.choice(hostile)[:80].replace("\0", "")
    info.pax_headers = records
    return info.tobuf(tarfile.PAX_FORMAT)


def _inserted(random: Random, data: bytes, block: bytes) -> bytes:
    starts = _headers(data)
    at = random.choice([*starts, len(data.rstrip(b"\0")) // 512 * 512 + 512])
    return data[:at] + block + data[at:]


def entry(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """There is one entry more: a link, a device, a folder, a name that leads out."""
    return _inserted(random, data, _entry(random, hostile))


def pax(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """A pax header overrides what the entry says."""
    value = random.choice((*map(str, _SIZES), *hostile)).replace("\0", "")
    keyword = random.choice(("size", "path", "linkpath", "mtime", "uid", "hdrcharset", "comment", "charset"))
    record = f"{len(keyword) + len(value.encode()) + 3} {keyword}={value}\n".encode()
    record = f"{len(record) + 2} {keyword}={value}\n".encode()
    return _inserted(random, data, _extended(random, record))


def _extended(random: Random, content: bytes, declared: int | None = None) -> bytes:
    info = tarfile.TarInfo("extended")
    info.type = random.choice((tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK))
    info.size = len(content) if declared is None else declared
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


def extended(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """Extended headers are huge, or thousands stand in a row."""
    del hostile
    if random.randrange(2):
        return _inserted(random, data, _extended(random, b"9" * 600, random.choice(_SIZES[:-1])))
    return _inserted(random, data, _extended(random, b"9 a=b\n") * random.choice((2, 1100, 5000)))


def sparse(random: Random, data: bytes, hostile: Sequence[str]) -> bytes:
    """An entry with holes, in one of its four forms."""
    del hostile
    large = str(random.choice((2**20, 2**32, 2**62)))
    forms: tuple[dict[str, str], ...] = (
        {"GNU.sparse.map": "0,0", "GNU.sparse.size": large},
        {"GNU.sparse.size": large, "GNU.sparse.numblocks": large, "GNU.sparse.offset": "0", "GNU.sparse.numbytes": "0"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": large, "GNU.sparse.name": "more"},
    )
    form = random.randrange(4)
    if form == 3:
        return _edited(random, data, 156, tarfile.GNUTYPE_SPARSE)
    return _inserted(random, data, _entry(random, ("more",), **forms[form]))


TAR: dict[str, TarOperator] = {
    "tar size": size,
    "tar kind": kind,
    "tar name": name,
    "tar field": field,
    "tar entry": entry,
    "tar pax": pax,
    "tar extended header": extended,
    "tar sparse": sparse,
}
