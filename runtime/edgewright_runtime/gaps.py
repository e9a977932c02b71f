"""How far two arrays are apart, and where: one way for every comparison of answers.

An infinity is an answer too, as that of a masked class is, and NaN that both sides have is not a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

# Texts of fixed width, bytes, and texts as objects, as ONNX Runtime gives them.
_TEXTS = "USO"


def largest_gap(value: Array, expected: Array) -> float:
    """The largest absolute difference of two arrays.

    The same infinities and NaN on both sides are equal. It is infinite where shapes differ, where only one side has an
    infinity or NaN, and where texts are not the same.
    """
    import numpy as np

    if value.shape != expected.shape:
        return float("inf")
    if not expected.size:
        return 0.0
    if _are_texts(value, expected):
        return 0.0 if bool(np.all(value == expected)) else float("inf")
    if not odd_places(value, expected).any():
        both = np.isfinite(_numbers(expected))
        return float(np.abs(_numbers(value)[both] - _numbers(expected)[both]).max(initial=0.0))
    return float("inf")


def odd_places(value: Array, expected: Array) -> Array:
    """Where the texts differ, or only one side has an infinity or NaN: booleans, of the shape of both.

    Raises:
        ValueError: The shapes differ.
    """
    import numpy as np

    if value.shape != expected.shape:
        raise ValueError(f"the shapes {value.shape} and {expected.shape} differ")
    if _are_texts(value, expected):
        return np.asarray(value != expected)
    one, other = _numbers(value), _numbers(expected)
    same = (np.isfinite(one) & np.isfinite(other)) | (one == other) | (np.isnan(one) & np.isnan(other))
    return np.asarray(~same)


def odd_place(value: Array, expected: Array) -> str:
    """What the first of these places is and holds, such as `[0, 3] is nan and should be 0.5`; empty without one."""
    import numpy as np

    places = np.argwhere(odd_places(value, expected))
    if not len(places):
        return ""
    first = tuple(int(axis) for axis in places[0])
    return f"{list(first)} is {_shown(value[first])} and should be {_shown(expected[first])}"


def output_size(array: Array) -> float:
    """The largest of the finite values, or 1: what differences are shares of."""
    import numpy as np

    if array.dtype.kind not in "fiu":
        return 1.0
    return max(1.0, float(np.abs(array[np.isfinite(array)].astype(np.float64)).max(initial=0.0)))


def _are_texts(value: Array, expected: Array) -> bool:
    return value.dtype.kind in _TEXTS or expected.dtype.kind in _TEXTS


def beside_limit(value: float, limit: float) -> tuple[str, str]:
    """A value and its limit in figures, with as many digits as it takes to tell them apart.

    >>> beside_limit(0.12341, 0.1234), beside_limit(0.5, 2.0)
    (('0.12341', '0.1234'), ('0.5', '2'))
    """
    texts = "", ""
    # 17 digits tell all floats apart (IEEE 754).
    for digits in range(3, 18):
        texts = f"{value:.{digits}g}", f"{limit:.{digits}g}"
        if texts[0] != texts[1] or value == limit:
            break
    return texts


def _numbers(array: Array) -> Array:
    import numpy as np

    return array.astype(np.float64)


def _shown(value: Any) -> str:
    if isinstance(value, (str, bytes)):
        # Not repr of numpy's own kinds of text, which says their types too.
        return repr(str(value) if isinstance(value, str) else bytes(value))[:40]
    return f"{value:.4g}"
