"""How often a gate said something, as a line of a bar."""

from __future__ import annotations

from collections.abc import Sequence

from _bars import Figure
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.statistics.intervals import wilson


def share_of(bar: str, compared: str, verdicts: Sequence[str], wanted: str, *, most: float) -> Figure:
    """The share of runs with another verdict than is wanted, held to a limit.

    Args:
        bar: Name of the bar.
        compared: What was compared.
        verdicts: Of each run.
        wanted: The verdict that is right; `not fail` is any but that.
        most: The largest share that may be wrong.
    """
    wrong = [one for one in verdicts if (one == "fail" if wanted == "not fail" else one != wanted)]
    found = wilson(len(wrong), len(verdicts))
    counts = ", ".join(f"{verdicts.count(name)} {name}" for name in ("pass", "undecided", "fail") if name in verdicts)
    return Figure(
        bar=bar,
        compared=compared,
        ratio=Interval(found.value, found.low, found.high),
        limit=most,
        # A count is held to a count: how sure it is stands beside it.
        verdict="pass" if found.value <= most else "FAIL",
        note=f"wanted: {wanted}; {counts}",
    )
