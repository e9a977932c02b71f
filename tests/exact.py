"""What an int8 graph answers by the definition of its operators, whichever processor runs the tests.

Without VNNI, x86-64 kernels of unsigned and signed bytes saturate sums of two products in 16 bits: the same graph gives
other numbers there. A test that compares int8 numbers compares them with these.
"""

from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray[Any, Any]]


def exact_output(graph: Path, feeds: Arrays) -> np.ndarray[Any, Any]:
    """The only output of an ONNX file as ONNX's reference computes it, with all digits of every sum.

    Args:
        graph: Of operators of the ONNX standard; weights kept in another file lie beside it.
        feeds: One sample.
    """
    from onnx.reference import ReferenceEvaluator

    (found,) = ReferenceEvaluator(str(graph)).run(None, feeds)
    return np.asarray(found)
