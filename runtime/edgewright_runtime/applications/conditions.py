"""Conditions of steps: a value that is there, or a comparison with a number or a text."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_REFERENCE = r"[A-Za-z][A-Za-z0-9_-]*(?:\.[a-z_]+)?"
_COMPARISON = re.compile(rf"\s*({_REFERENCE})\s*(<=|>=|==|!=|<|>)\s*(.+?)\s*")
_PRESENCE = re.compile(rf"\s*(not\s+)?({_REFERENCE})\s*")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TEXT = re.compile(r"""'([^']*)'|"([^"]*)\"""")
# Characters of one; what the expressions above take grows with the square of the length.
_LONGEST = 200
# In the place of a number: a build finds it on evaluation data.
_FOUND = "found"
_ORDERS = ("<", "<=", ">", ">=")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True)
class Condition:
    """`value` compared with `constant`; without an operator, whether it is there and not empty.

    Attributes:
        value: The value that decides: `NAME`, or `NAME.PART`.
        comparison: `<`, `<=`, `>`, `>=`, `==`, `!=`; empty where presence decides.
        constant: A number or a text.
        negated: It holds where the value is not there.
        found: The constant is a number that a build finds; until then the condition cannot be asked.
    """

    value: str
    comparison: str = ""
    constant: float | str | None = None
    negated: bool = False
    found: bool = False

    @property
    def type(self) -> str | None:
        """The type that the value needs to have; None where any will do."""
        if not self.comparison:
            return None
        # One that is found is a number, too.
        return "text" if isinstance(self.constant, str) else "number"

    def holds(self, value: Any) -> bool:
        """Whether it holds for this value; a comparison with nothing does not."""
        assert not self.found, "whoever opens a package or measures one puts the number in its place"
        if not self.comparison:
            return (value is not None and value is not False and not _is_empty(value)) != self.negated
        return value is not None and _OPERATORS[self.comparison](value, self.constant)


def read_condition(text: str) -> Condition:
    """The condition that a text says.

        >>> read_condition("intent.score >= 0.7")
        Condition(value='intent.score', comparison='>=', constant=0.7, negated=False, found=False)
        >>> read_condition("not speech").negated
        True

    Raises:
        ValueError: It is not one, or too long; the message says what one looks like.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"'{text[:60]}...' is too long: a condition has at most {_LONGEST} characters")
    if match := _COMPARISON.fullmatch(text):
        value, comparison, constant = match.groups()
        if _NUMBER.fullmatch(constant):
            return Condition(value, comparison, float(constant))
        if constant == _FOUND and comparison in _ORDERS:
            return Condition(value, comparison, found=True)
        quoted = _TEXT.fullmatch(constant)
        if quoted and comparison in ("==", "!="):
            return Condition(value, comparison, quoted.group(1) if quoted.group(1) is not None else quoted.group(2))
    elif match := _PRESENCE.fullmatch(text):
        return Condition(match.group(2), negated=bool(match.group(1)))
    raise ValueError(
        f"'{text[:60]}' is not a condition; conditions are NAME, not NAME, NAME.PART >= 0.7 and NAME.PART == 'text'"
    )


def _is_empty(value: Any) -> bool:
    return hasattr(value, "__len__") and len(value) == 0
