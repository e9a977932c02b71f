"""What came of the cases: counts by operator and outcome, and each kind of fault with the first case that shows it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fuzz.child import CLEAN


@dataclass(frozen=True, kw_only=True)
class Result:
    """A case that ran; see `Case` and `Outcome`."""

    number: int
    subject: str
    operator: str
    kind: str
    reason: str
    detail: str = ""

    @property
    def clean(self) -> bool:
        """Whether it ended as it should."""
        return self.kind in CLEAN


def faults(results: Iterable[Result]) -> dict[tuple[str, str], list[Result]]:
    """Cases that did not end well, by their kind and reason; numbers and quoted words in it do not matter."""
    found: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        if not result.clean:
            # The line where it happened tells faults apart better than its words do.
            reason = re.sub(r"(at \w+\.py:\d+): .*", r"\1", result.reason, flags=re.DOTALL)
            if reason == result.reason:
                reason = re.sub(r"'[^']*'|\d+", "...", reason)
            found.setdefault((result.kind, reason), []).append(result)
    return found


def report(results: Sequence[Result]) -> str:
    """Both tables as text."""
    lines = [*_counts("subject", results), "", *_counts("operator", results), ""]
    groups = sorted(faults(results).items(), key=lambda group: -len(group[1]))
    wrong = sum(len(group) for _, group in groups)
    lines.append(f"{len(results):,} cases, {wrong:,} faults of {len(groups)} kinds")
    for (kind, _), group in groups:
        first = group[0]
        where = ", ".join(sorted({f"{one.subject} / {one.operator}" for one in group})[:4])
        lines.append(f"{len(group):5} {kind}: {' '.join(first.reason.split())[:300]}")
        lines.append(f"      --case {first.number}  ({where})")
    return "\n".join(lines)


def _counts(column: str, results: Sequence[Result]) -> list[str]:
    kinds = [*CLEAN, *sorted({result.kind for result in results} - {*CLEAN})]
    counts = Counter((getattr(result, column), result.kind) for result in results)
    rows = sorted({str(getattr(result, column)) for result in results})
    width = max(map(len, (column, *rows)))
    lines = ["  ".join([column.ljust(width), *(kind.rjust(9) for kind in kinds)])]
    for row in rows:
        cells = [str(counts[row, kind] or "").rjust(9) for kind in kinds]
        lines.append("  ".join([row.ljust(width), *cells]).rstrip())
    return lines
