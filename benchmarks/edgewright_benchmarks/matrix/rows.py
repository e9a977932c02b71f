"""A matrix as rows of words, once for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgewright_benchmarks.engine_result import EngineResult, Interval
from edgewright_benchmarks.gate.figures import BYTES, FIGURES, POINTS, SECONDS, Figure, FigureUnit, metric_figure
from edgewright_benchmarks.matrix.libraries import words_of
from edgewright_benchmarks.matrix.result import MatrixResult, VersionRow
from edgewright_benchmarks.statistics.bounds import span
from edgewright_targets.errors import first_few

_NONE = "-"
_P50 = FIGURES["latency.p50"]


@dataclass(frozen=True)
class MatrixTable:
    """The figures of all rows.

    Attributes:
        header: Names of the columns; lines of one name are parted by line breaks.
        rows: Cells of each row, one a column.
        right: Indices of the columns that hold numbers.
        legend: Numbers of the environments and their versions in words, where rows are named by a number.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...]
    legend: tuple[tuple[str, str], ...] = ()


def heading(found: MatrixResult) -> str:
    """What was measured, in a sentence or two."""
    ran = sum(row.engine is not None for row in found.rows)
    return (
        f"{found.model}: engine {found.engine}, {ran} of {len(found.rows)} environments, side by side in "
        f"{found.settings.rounds} rounds of one run on {found.data.samples:,} samples of {found.data.name} on "
        f"{found.machine.cpu}. All are compared with {_names(found)[words_of(found.reference)]}; "
        f"{100 * found.confidence:g} % intervals."
    )


def matrix_table(found: MatrixResult) -> MatrixTable:
    """All rows: versions, samples with another prediction, the first metric, latency, load, memory, warnings.

    Versions of several libraries have no room beside the figures in the 80 columns of a terminal: rows are numbered.
    """
    engines = [row.engine for row in found.rows if row.engine is not None]
    metric = _metric(engines[0])
    header = (
        "" if _numbered(found) else next(iter(found.rows[0].versions)).replace("-", "-\n"),
        "other\nanswers",
        _metric_header(metric),
        "p50\nms",
        "ratio to\nthe first",
        "load\nms",
        "memory\nMB",
        "warned",
    )
    blank = (_NONE,) * (len(header) - 1)
    rows = tuple(
        (name, *(_cells(row.engine, row, metric, found) if row.engine else blank))
        for name, row in zip(_row_names(found), found.rows, strict=True)
    )
    words = [words_of(row.versions) for row in found.rows]
    legend = tuple(zip(_row_names(found), words, strict=True)) if _numbered(found) else ()
    return MatrixTable(header, rows, tuple(range(1, len(header))), legend)


def _numbered(found: MatrixResult) -> bool:
    return len(found.rows[0].versions) > 1


def _row_names(found: MatrixResult) -> list[str]:
    if _numbered(found):
        return [str(number) for number in range(1, len(found.rows) + 1)]
    return [version for row in found.rows for version in row.versions.values()]


def _names(found: MatrixResult) -> dict[str, str]:
    """Versions in words to how sentences name them."""
    words = [words_of(row.versions) for row in found.rows]
    return {one: f"environment {number}" if _numbered(found) else one for number, one in enumerate(words, start=1)}


def _metric(engine: EngineResult) -> Figure:
    assert engine.accuracy is not None, "it ran"
    return metric_figure(next(iter(engine.accuracy.metrics)))


def _metric_header(metric: Figure) -> str:
    unit = "%" if metric.unit is POINTS else metric.unit.shown
    title = (metric.title.lower() if metric.title.istitle() else metric.title).replace(" ", "\n")
    return f"{title}\n{unit}" if unit else title


def _cells(engine: EngineResult, row: VersionRow, metric: Figure, found: MatrixResult) -> tuple[str, ...]:
    assert engine.accuracy is not None, "it ran"
    assert engine.latency is not None, "it ran here"
    changed = 0 if row.versions == found.reference else engine.otherwise.count if engine.otherwise else None
    value = engine.accuracy.metrics[metric.name].value
    loads = sorted(engine.load_seconds)
    return (
        _NONE if changed is None else f"{changed:,}",
        f"{100 * value:.2f}" if metric.unit is POINTS else _number(value, metric.unit),
        _number(engine.latency.p50, _P50.unit),
        _ratio(engine.latency.ratio),
        _number(loads[len(loads) // 2], SECONDS),
        _number(engine.peak_memory_bytes or 0, BYTES),
        str(len(row.logged) + len(row.warnings)),
    )


def _number(value: float, unit: FigureUnit) -> str:
    return unit.text(value).removesuffix(unit.shown).rstrip()


def _ratio(ratio: Interval) -> str:
    return "1" if ratio.low == ratio.high else span(ratio.low, ratio.high, 1, 2)


def matrix_sentences(found: MatrixResult) -> tuple[str, ...]:
    """What the table has no room for: what differs from the reference, in the order of the rows."""
    return tuple(sentence for row in found.rows for sentence in _differences(row, found))


def failures(found: MatrixResult) -> tuple[str, ...]:
    """Why rows have no figures, a sentence for each of them."""
    names = _names(found)
    return tuple(f"{_begun(names[words_of(row.versions)])}: {row.failure}" for row in found.rows if row.failure)


def _begun(name: str) -> str:
    """A name at the beginning of a sentence; libraries keep theirs."""
    return name.replace("environment ", "Environment ", 1)


def _differences(row: VersionRow, found: MatrixResult) -> Iterator[str]:
    engine, names = row.engine, _names(found)
    name, reference = _begun(names[words_of(row.versions)]), names[words_of(found.reference)]
    if engine is None or row.versions == found.reference:
        return
    samples = found.data.samples
    if engine.otherwise and engine.otherwise.count:
        count = engine.otherwise.count
        numbers = (
            first_few(engine.otherwise.first)
            if count <= len(engine.otherwise.first)
            else (f"{first_few(engine.otherwise.first)} and others")
        )
        yield f"{name} predicts otherwise than {reference} on {count:,} of {samples:,} samples: {numbers}."
    elif row.equal is not None and row.equal < samples:
        count = samples - row.equal
        yield f"{name} has outputs that are not bit for bit those of {reference} on {count:,} of {samples:,} samples."
    assert engine.latency is not None, "it ran here"
    ratio = engine.latency.ratio
    if not ratio.low <= 1 <= ratio.high:
        word = "slower" if ratio.low > 1 else "faster"
        yield f"{name} is {word} than {reference}: {ratio.value:.2f} times its latency ({_ratio(ratio)})."


def grouped_warnings(found: MatrixResult) -> tuple[str, ...]:
    """Each warning once, with the rows that have it; first those of the measurement as a whole.

    What libraries wrote says how often, and where the reference did not write it, that it is new.
    """
    names, ran = _names(found), sum(row.engine is not None for row in found.rows)
    rows: dict[tuple[bool, str], dict[str, list[int]]] = {}
    for row in found.rows:
        written = [((one.new, one.text), one.times) for one in row.logged]
        for key, times in (*written, *(((False, sentence), 0) for sentence in row.warnings)):
            rows.setdefault(key, {}).setdefault(names[words_of(row.versions)], []).append(times)
    made = []
    for (new, sentence), whose in rows.items():
        who = "All" if len(whose) == ran > 1 else _begun("; ".join(whose))
        counts = sorted({times for all_times in whose.values() for times in all_times})
        made.append(f"{who}{', new' if new else ''}: {sentence}{_times(counts)}")
    return (*found.warnings, *made)


def _times(counts: list[int]) -> str:
    low, high = counts[0], counts[-1]
    if high <= 1:
        return ""
    return f" ({high:,} times)" if low == high else f" ({low:,} to {high:,} times)"
