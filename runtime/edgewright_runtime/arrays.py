"""Files of named arrays (`.npz`), read so that whatever is in them is either arrays or a clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgewright_targets.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    Arrays = dict[str, np.ndarray[Any, Any]]


class ArraysError(InputError):
    """The file is no `.npz` of plain arrays."""


def read_arrays(path: Path, *, limit_bytes: int | None = None) -> Arrays:
    """The arrays in `path` by name. Nothing is unpickled.

    Args:
        path: The file.
        limit_bytes: Refuse a file that unpacks to more.

    Raises:
        ArraysError: Not such a file, cut off, or with something else in it than plain arrays.
    """
    # Here and not above: opening a package reads no arrays.
    import zipfile

    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        _check_size(path, size, limit_bytes)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except ArraysError:
        raise
    # Cut off, encrypted, of an unknown compression, with a header that lies: each has its own exception.
    except Exception as error:
        raise ArraysError(
            f"'{path}' is no readable .npz file: {_reason(error)}.", hint="Make it with numpy.savez(path, name=array)."
        ) from error
    for name, array in arrays.items():
        # numpy hands out what is no array as bytes.
        if not isinstance(array, np.ndarray):
            raise ArraysError(f"'{path}': the entry '{name}' is no array.")
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
            f"'{path}' is no readable .npy file: {_reason(error)}.", hint="Make it with numpy.save(path, array)."
        ) from error


def _check_size(path: Path, size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise ArraysError(f"'{path}' unpacks to {size} bytes; {limit} are allowed.")


def _reason(error: BaseException) -> str:
    text = str(error).rstrip(".")
    if isinstance(error, ValueError) and "allow_pickle" in text:
        return "it holds Python objects, which are not read because reading them can run code"
    return text or type(error).__name__
