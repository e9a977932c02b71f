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
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...]


def heading(found: MatrixResult) -> str:
    """What was measured, in a sentence or two."""
    ran = sum(row.engine is not None for row in found.rows)
    return (
        f"{found.model}: engine {found.engine}, {ran} of {len(found.rows)} environments, side by side in "
        f"{found.settings.rounds} rounds of one run on {found.data.samples:,} samples of {found.data.name} on "
        f"{found.machine.cpu}. All are compared with {words_of(found.reference)}; "
        f"{100 * found.confidence:g} % intervals."
    )


def matrix_table(found: MatrixResult) -> MatrixTable:
    """All rows: versions, samples with another prediction, the first metric, latency, load, memory, warnings.

    With several libraries the memory is left out, as a terminal has 80 columns.
    """
    libraries = tuple(found.rows[0].versions)
    engines = [row.engine for row in found.rows if row.engine is not None]
    metric = _metric(engines[0])
    header = (
        *(library.replace("-", "-\n") for library in libraries),
        "other\nanswers",
        _metric_header(metric),
        "p50\nms",
        "ratio to\nthe first",
        "load\nms",
        *(("memory\nMB",) if len(libraries) == 1 else ()),
        "warned",
    )
    blank = (_NONE,) * (len(header) - len(libraries))
    rows = tuple(
        (*row.versions.values(), *(_cells(row.engine, row, metric, found) if row.engine else blank))
        for row in found.rows
    )
    return MatrixTable(header, rows, tuple(range(len(libraries), len(header))))


def _metric(engine: EngineResult) -> Figure:
    assert engine.accuracy is not None, "it ran"
    return metric_figure(next(iter(engine.accuracy.metrics)))


def _metric_header(metric: Figure) -> str:
    unit = "%" if metric.unit is POINTS else metric.unit.shown
    title = metric.title.lower() if metric.title.istitle() else metric.title
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
        *((_number(engine.peak_memory_bytes or 0, BYTES),) if len(row.versions) == 1 else ()),
        str(len(row.warnings)),
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
    return tuple(f"{words_of(row.versions)}: {row.failure}" for row in found.rows if row.failure)


def _differences(row: VersionRow, found: MatrixResult) -> Iterator[str]:
    engine, name, reference = row.engine, words_of(row.versions), words_of(found.reference)
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
    """Each warning once, with the rows that have it; first those of the measurement as a whole."""
    rows: dict[str, list[str]] = {}
    for row in found.rows:
        for sentence in row.warnings:
            rows.setdefault(sentence, []).append(words_of(row.versions))
    ran = sum(row.engine is not None for row in found.rows)
    whose = {sentence: "All" if len(names) == ran > 1 else "; ".join(names) for sentence, names in rows.items()}
    return (*found.warnings, *(f"{who}: {sentence}" for sentence, who in whose.items()))
