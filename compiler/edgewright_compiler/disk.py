"""What a disk says no with, told from our own mistakes."""

from __future__ import annotations

import errno
import os

# No space, a quota or a limit reached, read-only, not allowed, broken, a file where a folder is needed.
_CODES = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOTDIR,
)  # fmt: skip
# Libraries pass the system's words on without its number.
_WORDS = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))


def disk_reason(error: BaseException) -> str | None:
    """Why a disk refused, in the system's words and with the place where that is known; None for other errors."""
    if isinstance(error, OSError) and error.errno in _CODES:
        # A copy names its source first; what could not be written is the second.
        place = error.filename2 or error.filename
        return f"{error.strerror} ('{place}')" if place else str(error.strerror)
    words = next((words for words in _WORDS if words in str(error)), None)
    if words is None and isinstance(error, OSError) and error.errno is None:
        # ONNX Runtime's package writer: "Write to '...' failed."
        return str(error).rstrip(".")
    return words
