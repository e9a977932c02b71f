"""What a comparison with peers found, as JSON; rows joined, and the tables of a document."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.metrics import metric_title, metric_value
from edgewright_benchmarks.report import words
from edgewright_benchmarks.statistics.bounds import span
from edgewright_targets import HostFacts
from edgewright_targets.record import read_record, write_record

BEGIN, END = "<!-- peers -->", "<!-- /peers -->"
_HEADINGS = (
    "engine", "ms a call", "ours against it, 95 % interval", "metric", "lost at most, points", "size, MB", "memory, MB",
    "made in, s", "typed",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PeerFigures:
    """What was found of one engine of a row.

    Attributes:
        name: Of the peer; `edgewright` is ours.
        title: For people.
        typed: What a person types.
        does: What it does differently.
        status: `measured`, or `failed` where there are no figures.
        reason: Why it failed; empty where it did not.
        metric: Name of the metric, and its value.
        drop: Loss against the float engine; `high` is its one-sided bound.
        seconds: Median of a call.
        ratio: Our time over its time, in the same rounds; 1 for ours.
        size_bytes: On disk.
        memory_bytes: Peak of its process after it answered all samples.
        make_seconds: That making it took, its environment not counted.
        load_seconds: From opening it to the first answer, libraries already read from disk.
        run: When it was measured, UTC: engines of one run were measured in turns.
    """

    name: str
    title: str
    typed: str
    does: str = ""
    status: Literal["measured", "failed"] = "measured"
    reason: str = ""
    metric: tuple[str, float] | None = None
    drop: Interval | None = None
    seconds: float | None = None
    ratio: Interval | None = None
    size_bytes: int | None = None
    memory_bytes: int | None = None
    make_seconds: float | None = None
    load_seconds: float | None = None
    run: str = ""


@dataclass(frozen=True, kw_only=True)
class PeerRow:
    """A row of the suite beside its peers.

    Attributes:
        row: Its name.
        title: The model, for people.
        weights: Where its weights come from.
        engine: The engine that ships, of ours.
        package: Digest of the package's list of files.
        samples: On how many accuracy was measured.
        labelled: They have ground truth; else it is agreement with the float engine.
        max_drop: The budget as a share.
        threads: Of every engine.
        machine: Where.
        versions: Of environments: name to packages.
        ours: Our engine.
        peers: The others.
        reason: Why there is no comparison; empty where there is one.
    """

    row: str
    title: str
    weights: str
    machine: HostFacts
    engine: str = ""
    package: str = ""
    samples: int = 0
    labelled: bool = True
    max_drop: float = 0.01
    threads: int = 1
    versions: dict[str, tuple[str, ...]]
    ours: PeerFigures | None = None
    peers: tuple[PeerFigures, ...] = ()
    reason: str = ""

    def best_peer(self) -> PeerFigures | None:
        """The fastest peer at no worse accuracy: one that keeps the budget by our rule, or is as accurate as ours.

        None where none was measured that is.
        """
        fair = [one for one in self.peers if one.ratio is not None and self._fair(one)]
        return max(fair, key=lambda one: one.ratio.value if one.ratio else 0.0, default=None)

    def _fair(self, peer: PeerFigures) -> bool:
        if peer.drop is None or self.ours is None or self.ours.metric is None or peer.metric is None:
            return False
        return peer.drop.high <= self.max_drop or peer.metric[1] >= self.ours.metric[1]


def read_row(path: Path) -> PeerRow:
    """A row as it was kept."""
    return read_record(PeerRow, json.loads(path.read_text(encoding="utf-8")), str(path))


def write_row(row: PeerRow, path: Path) -> None:
    """Keep a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(write_record(row), indent=1) + "\n", encoding="utf-8")


def joined(before: PeerRow | None, found: PeerRow) -> PeerRow:
    """A new run of some peers put to what was kept, where that is of the same package on the same machine."""
    if before is None or (before.package, before.machine, before.threads, before.samples) != (
        found.package, found.machine, found.threads, found.samples,
    ):  # fmt: skip
        return found
    new = {one.name for one in found.peers}
    kept = tuple(one for one in before.peers if one.name not in new)
    return replace(found, peers=(*found.peers, *kept), versions={**before.versions, **found.versions})


def table_of(rows: Sequence[PeerRow]) -> str:
    """The tables of rows as Markdown, then what could not be compared."""
    return "\n\n".join(_block(row) for row in rows)


def _block(row: PeerRow) -> str:
    head = f"### `{row.row}`: {row.title}\n\n"
    if row.ours is None:
        return f"{head}Not compared: {row.reason}"
    data = "labelled samples" if row.labelled else "samples without labels: agreement with the float engine"
    facts = (
        f"Weights: {row.weights}. {row.samples:,} {data}; budget {words.budget(row.max_drop)} points; "
        f"{row.machine.cpu}, {row.threads} threads. Of ours `{row.engine}` ships."
    )
    measured = sorted((one for one in row.peers if one.status == "measured"), key=lambda one: one.seconds or math.inf)
    lines = [_line(_HEADINGS), _line(["---"] * len(_HEADINGS)), _line(_cells(row.ours, row))]
    lines += [_line(_cells(one, row)) for one in measured]
    notes = [f"- {one.title}: {one.reason}" for one in row.peers if one.status == "failed"]
    return "\n".join([f"{head}{facts} {_verdict(row)}", "", *lines, *[""] * bool(notes), *notes])


def _verdict(row: PeerRow) -> str:
    best = row.best_peer()
    if best is None or best.ratio is None:
        return "No peer was as accurate, or kept the budget."
    ratio = f"{best.ratio.value:.2f} ({span(best.ratio.low, best.ratio.high, 1, 2)})"
    if best.ratio.low > 1:
        return f"**{best.title} is faster**: ours takes {ratio} of its time. It {best.does}."
    return f"The best peer at no worse accuracy is {best.title}: ours takes {ratio} of its time."


def _cells(one: PeerFigures, row: PeerRow) -> list[str]:
    own = one is row.ours
    metric, lost = words.NOTHING, words.NOTHING
    if one.metric is not None:
        name, value = one.metric
        measure: Literal["accuracy", "agreement"] = "accuracy" if row.labelled else "agreement"
        metric = f"{metric_title(name, measure, first=True)} {metric_value(name, value)}"
    if one.drop is not None:
        lost = words.points_bound(one.drop.high)
    ratio = "1" if own else words.NOTHING
    if one.ratio is not None and not own:
        ratio = f"{one.ratio.value:.2f} ({span(one.ratio.low, one.ratio.high, 1, 2)})"
    return [
        f"**{one.title}**" if own else one.title,
        words.NOTHING if one.seconds is None else f"{1e3 * one.seconds:.2f}",
        ratio,
        metric,
        lost,
        _megabytes(one.size_bytes),
        _megabytes(one.memory_bytes),
        words.NOTHING if one.make_seconds is None else f"{one.make_seconds:.0f}",
        one.typed,
    ]


def _megabytes(count: int | None) -> str:
    return words.NOTHING if count is None else f"{count / 1e6:.1f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
