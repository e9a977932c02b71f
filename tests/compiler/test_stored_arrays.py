"""Arrays of many samples come back from a file as they went into it."""

from pathlib import Path
from typing import Any

import numpy as np

from edgewright_compiler.building.stored_arrays import read_arrays, write_arrays


def test_arrays_come_back(tmp_path: Path) -> None:
    stored: dict[str, list[dict[str, Any]]] = {
        "alike": [{"a/b": np.full((2, 3), index, np.float32), "": np.array(index)} for index in range(3)],
        "shapes": [{"x": np.arange(index + 1)} for index in range(12)],
        "types": [{"x": np.zeros(1, kind)} for kind in (np.float32, np.int64)],
        "none": [],
    }
    write_arrays(tmp_path / "a.npz", stored)
    found = read_arrays(tmp_path / "a.npz")
    assert list(found) == ["alike", "shapes", "types"]
    for owner, samples in found.items():
        assert len(samples) == len(stored[owner])
        for made, expected in zip(samples, stored[owner], strict=True):
            assert made.keys() == expected.keys()
            for name, value in made.items():
                assert isinstance(value, np.ndarray)
                assert value.dtype == expected[name].dtype
                np.testing.assert_array_equal(value, expected[name])
