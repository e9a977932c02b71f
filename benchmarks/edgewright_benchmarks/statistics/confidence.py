"""How sure a bound is: what may be asked for."""

from __future__ import annotations

from typing import Final

CONFIDENCE: Final = 0.95
# A bound at one half is the estimate itself. Beyond one in a thousand the bounds, which hold for many samples, and the
# bootstrap of latencies would claim more than they know.
LEAST_CONFIDENCE: Final = 0.5
MOST_CONFIDENCE: Final = 0.999


def read_share(value: object) -> float:
    """A share of one, from 0 up to 1, from `"1%"`, `"0.01"` or 0.01.

    >>> read_share("1%")
    0.01

    Raises:
        ValueError: It is not one; the text says why, as the end of a sentence.
    """
    found = _number(value, "a share; write 1% or 0.01")
    if not 0 <= found < 1:
        raise ValueError(f"'{value}' is not between 0% and 100%")
    return found


def read_confidence(value: object) -> float:
    """A confidence from `"95%"`, `"0.95"` or 0.95, within what may be asked for.

    Raises:
        ValueError: It is not one; see `read_share`.
    """
    # 99.9 / 100 is not 0.999 in binary fractions.
    found = round(_number(value, "a confidence; write 95% or 0.95"), 9)
    if not LEAST_CONFIDENCE < found <= MOST_CONFIDENCE:
        least, most = 100 * LEAST_CONFIDENCE, 100 * MOST_CONFIDENCE
        raise ValueError(f"'{value}' is not above {least:g}% and at most {most:g}%")
    return found


def _number(value: object, what: str) -> float:
    text = str(value)
    try:
        number = float(text.removesuffix("%").strip())
    except ValueError:
        raise ValueError(f"'{text}' is not {what}") from None
    return number / 100 if text.endswith("%") else number
