"""The state of a loop, as it is kept for calibration."""

from __future__ import annotations

import numpy as np
from onnxruntime import OrtValue

from edgewright_runtime.loop_state import as_arrays, zeros


def test_arrays_do_not_change_with_what_the_state_lay_in() -> None:
    below = np.zeros((1, 2), dtype=np.float32)
    found = as_arrays(["before", "first"], [OrtValue.ortvalue_from_numpy(below), *zeros([(3, 4)])])
    # As whatever takes its place in memory would.
    below[:] = np.nan
    assert found["before"].tolist() == [[0.0, 0.0]]
    assert found["first"].dtype == np.float32
    assert found["first"].shape == (3, 4)
    assert not found["first"].any()
