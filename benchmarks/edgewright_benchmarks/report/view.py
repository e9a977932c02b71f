"""The table and the environment of a report, in words: what the page and the pull request table both lay out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from edgewright_benchmarks.engine_result import EngineResult, Latency
from edgewright_benchmarks.judging.foreign_engines import is_foreign
from edgewright_benchmarks.measuring.busy_programs import busy_words
from edgewright_benchmarks.metrics import metric_span, metric_title, metric_value
from edgewright_benchmarks.report import words
from edgewright_benchmarks.report.facts import answered, notes, role, status, timed
from edgewright_benchmarks.report.steadiness import steadiness
from edgewright_benchmarks.report.words import NOT_MEASURED, NOTHING
from edgewright_benchmarks.result import Result, Settings
from edgewright_benchmarks.statistics.bounds import significant
from edgewright_benchmarks.statistics.percentiles import PERCENTILES
from edgewright_targets import HostFacts


@dataclass(frozen=True)
class Cell:
    """A figure in the table, and what qualifies it: its interval, its bound."""

    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One engine in the table; `cells` by heading, the same headings in each row.

    `role` is one word, which decides marker and colour; `status` is what is shown; `notes` are sentences.
    """

    number: int
    engine: EngineResult
    role: str
    status: str
    rung: str
    cells: dict[str, Cell]
    notes: tuple[str, ...]


def table(result: Result, numbers: Mapping[str, int]) -> list[Row]:
    """All engines with all figures, in the order they were tried; without those that are for other processors."""
    engines = [result.engine(result.baseline), *result.engines]
    metrics = list(dict.fromkeys(name for engine in engines for name in _metric_names(engine)))
    shown = [engine for engine in result.engines if not is_foreign(engine)]
    return [_row(result, engine, numbers[engine.name], metrics) for engine in shown]


def _metric_names(engine: EngineResult) -> list[str]:
    accuracy = answered(engine)
    return list(accuracy.metrics) if accuracy else []


def _row(result: Result, engine: EngineResult, number: int, metrics: list[str]) -> Row:
    # A failed engine has no figures, so none that were obtained in some way.
    rung = NOTHING if engine.status == "failed" else engine.rung
    cells = _cells(result, engine, metrics)
    return Row(
        number=number,
        engine=engine,
        role=role(result, engine),
        status=status(result, engine),
        rung=rung,
        cells=cells,
        notes=notes(engine),
    )


def _cells(result: Result, engine: EngineResult, metrics: list[str]) -> dict[str, Cell]:
    # What decides comes first: on small screens the rest is reached by scrolling.
    cells = dict.fromkeys(("Speed", *["Speed alone"] * bool(result.settings.beside)), _absent(engine))
    accuracy = answered(engine)
    for index, name in enumerate(metrics):
        value = accuracy.metrics.get(name) if accuracy else None
        cells[metric_title(name, result.measure, first=index == 0)] = (
            Cell(
                metric_value(name, value.value),
                metric_span(name, value),
            )
            if value
            else _absent(engine)
        )
        if index == 0:
            cells[words.drop_word(result.measure)] = _drop(result, engine)
    cells |= _time_cells(result, engine)
    cells["Size"] = Cell(NOTHING if engine.size_bytes is None else words.megabytes(engine.size_bytes))
    memory = engine.peak_memory_bytes if engine.rung == "measured" else None
    cells["Peak memory"] = _absent(engine) if memory is None else Cell(words.megabytes(memory))
    nodes = (f"{name.removesuffix('ExecutionProvider')} {count:,}" for name, count in engine.nodes.items())
    cells["Threads"] = Cell(NOTHING if engine.threads is None else f"{engine.threads:,}")
    cells["Nodes per provider"] = Cell(", ".join(nodes) or NOTHING, engine.low_precision_words())
    return cells


def _absent(engine: EngineResult) -> Cell:
    # A failed engine has no figure at all; one on a lower rung has one that nobody measured.
    return Cell(NOTHING if engine.rung == "measured" or engine.status == "failed" else NOT_MEASURED)


def _drop(result: Result, engine: EngineResult) -> Cell:
    accuracy = answered(engine)
    if accuracy is None:
        return _absent(engine)
    if engine.name == result.baseline:
        return Cell(NOTHING)
    bound = f"at most {words.points_bound(accuracy.drop.high)}"
    if accuracy.samples_needed is not None:
        bound += f", {accuracy.samples_needed:,} samples would decide"
    return Cell(words.points(accuracy.drop.value), bound)


def _time_cells(result: Result, engine: EngineResult) -> dict[str, Cell]:
    latency = timed(engine)
    beside = bool(result.settings.beside)
    if latency is None:
        return dict.fromkeys(
            ("Speed", *["Speed alone"] * beside, *PERCENTILES, "Throughput", "Load time"), _absent(engine)
        )
    speed = words.speed(latency.ratio)
    spread = words.times_span(speed)
    load = words.milliseconds(statistics.median(engine.load_seconds)) if engine.load_seconds else NOTHING
    alone = {"Speed alone": _alone(result, engine)} if beside else {}
    return {
        "Speed": Cell(words.times(speed.value), "" if engine.name == result.baseline else spread),
        **alone,
        **{name: _percentile(latency, name) for name in PERCENTILES},
        "Throughput": _throughput(latency),
        "Load time": Cell(load),
    }


def _percentile(latency: Latency, name: str) -> Cell:
    interval = latency.intervals.get(name)
    # Results of before have no intervals.
    return Cell(words.milliseconds(getattr(latency, name)), words.milliseconds_span(interval) if interval else "")


def _throughput(latency: Latency) -> Cell:
    interval = latency.intervals.get("throughput")
    return Cell(f"{significant(latency.throughput)}/s", words.rate_span(interval) if interval else "")


def _alone(result: Result, engine: EngineResult) -> Cell:
    """The speed without busy programs, where the other figures are beside some."""
    if engine.alone is None:
        return Cell(NOTHING)
    speed = words.speed(engine.alone.ratio)
    return Cell(words.times(speed.value), "" if engine.name == result.baseline else words.times_span(speed))


def _timing(settings: Settings) -> str:
    if not settings.rounds:
        return "latency was not measured"
    rounds = f"{settings.rounds} rounds of {settings.calls} calls per engine, after {settings.warmup} warm-up calls"
    if not settings.beside:
        return rounds
    return f"{rounds}, then as many beside {busy_words(settings.beside)}, whose times are shown unless it says alone"


def environment(results: list[Result]) -> list[tuple[str, list[str]]]:
    """Machine, tools, settings and data: a label and one text for each result, or one text where all are the same."""
    columns = [_environment(result) for result in results]
    labels = dict.fromkeys(label for column in columns for label in column)
    rows = [(label, [column.get(label, NOTHING) for column in columns]) for label in labels]
    return [(label, texts[:1] if len(set(texts)) == 1 else texts) for label, texts in rows]


def machine_rows(machine: HostFacts, versions: Mapping[str, str]) -> dict[str, str]:
    """Where it was measured and with which tools: a label and a text each."""
    memory = f"{significant(machine.memory_bytes / 1e9)} GB" if machine.memory_bytes else "unknown"
    return {
        "Processor": f"{machine.cpu}, {machine.architecture}",
        "Cores": f"{machine.cores} ({machine.threads} logical)",
        "Memory": memory,
        "Instruction sets": ", ".join(machine.features) or NOTHING,
        "System": f"{machine.system}, Python {machine.python}",
        "Versions": ", ".join(f"{name} {version}" for name, version in sorted(versions.items())) or NOTHING,
    }


def _environment(result: Result) -> dict[str, str]:
    settings, data = result.settings, result.data
    return {
        "Data": f"{data.name}, {data.samples:,} samples, {'labelled' if data.labelled else 'not labelled'}",
        "Data digest": data.digest,
        **({"Judged with": "; ".join(one.words() for one in result.own_code)} if result.own_code else {}),
        **({"Optimizations": result.optimizer.words()} if result.optimizer else {}),
        "Budget": f"{words.budget(result.max_drop)} percentage points of {result.measure}",
        "Confidence": f"{100 * result.confidence:g}%",
        "Task": result.task,
        **machine_rows(result.machine, result.versions),
        "Settings": f"{_timing(settings)}, {settings.threads} threads, batch 1, seed {settings.seed}",
        **({"Steadiness": steady} if (steady := steadiness(result)) else {}),
        "Measured at": result.created,
    }
