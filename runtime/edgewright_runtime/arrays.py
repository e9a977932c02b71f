"""Files of named arrays (`.npz`), read so that whatever is in them is either arrays or a clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewright_targets.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    import numpy as np

    Arrays = dict[str, np.ndarray[Any, Any]]


class ArraysError(InputError):
    """The file is no `.npz` of plain arrays."""


def read_arrays(path: Path | BinaryIO, *, limit_bytes: int | None = None, name: str | None = None) -> Arrays:
    """The arrays in `path` by name. Nothing is unpickled.

    Args:
        path: The file, or its bytes as a stream.
        limit_bytes: Refuse a file that unpacks to more.
        name: What messages call it; by default the path.

    Raises:
        ArraysError: Not such a file, cut off, or with something else in it than plain arrays.
    """
    # Here and not above: opening a package reads no arrays.
    import zipfile

    import numpy as np

    called = name or f"'{path}'"
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        _check_size(called, size, limit_bytes)
        with np.load(path, allow_pickle=False) as file:
            arrays = {entry: file[entry] for entry in file.files}
    except ArraysError:
        raise
    # Cut off, encrypted, of an unknown compression, with a header that lies: each has its own exception.
    except Exception as error:
        raise ArraysError(
            f"{called} is not a readable .npz file: {_reason(error)}.",
            hint="Make it with numpy.savez(path, name=array).",
        ) from error
    for entry, array in arrays.items():
        # numpy hands out what is not an array as bytes.
        if not isinstance(array, np.ndarray):
            raise ArraysError(f"{called}: the entry '{entry}' is not an array.")
        # A header of some bytes can say any number of values without bytes; their samples would fill the memory.
        if array.size and not array.dtype.itemsize:
            raise ArraysError(f"{called}: the {array.size:,} values of '{entry}' have no bytes.")
    return arrays


def read_array(path: Path) -> np.ndarray[Any, Any]:
    """The array in the `.npy` file `path`. Nothing is unpickled.

    Raises:
        ArraysError: Not such a file, cut off, or with something else in it than a plain array.
    """
    import numpy as np

    try:
        return np.asarray(np.lib.format.open_memmap(path, mode="r")).copy()
    except Exception as error:
        raise ArraysError(
            f"'{path}' is not a readable .npy file: {_reason(error)}.", hint="Make it with numpy.save(path, array)."
        ) from error


def _check_size(called: str, size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise ArraysError(f"{called} unpacks to {size} bytes; {limit} are allowed.")


def _reason(error: BaseException) -> str:
    text = str(error).rstrip(".")
    if isinstance(error, ValueError) and "allow_pickle" in text:
        return "it holds Python objects, which are not read because reading them can run code"
    return text or type(error).__name__
