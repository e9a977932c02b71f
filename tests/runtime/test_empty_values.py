"""Arrays whose header says values without bytes: any number of them is a file of some bytes."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgewright_runtime.arrays import ArraysError, read_arrays


@pytest.mark.parametrize("dtype", ["V0", "S0", "U0"])
def test_values_without_bytes_are_refused(tmp_path: Path, dtype: str) -> None:
    header = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    np.lib.format.write_array_header_1_0(header, {"descr": descr, "fortran_order": False, "shape": (2**40,)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("pixels.npy", header.getvalue())
    with pytest.raises(ArraysError, match="the 1,099,511,627,776 values of 'pixels' have no bytes"):
        read_arrays(tmp_path / "a.npz")


def test_no_values_are_an_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", pixels=np.zeros((0, 8), np.float32))
    assert read_arrays(tmp_path / "a.npz")["pixels"].shape == (0, 8)
