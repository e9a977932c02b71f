"""A result on a terminal: the choice and why, the engines, and what became of those that did not ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewright_benchmarks.judging.foreign_engines import NOT_HERE, foreign_engines, is_foreign
from edgewright_benchmarks.judging.native_comparison import notes_of
from edgewright_benchmarks.measuring.busy_programs import busy_words
from edgewright_benchmarks.metrics import metric_value, metric_words
from edgewright_benchmarks.report.cold_starts import CONDITION, cold_start_words, cold_starts
from edgewright_benchmarks.report.energy import energies
from edgewright_benchmarks.report.float_nodes import TITLE, float_rows
from edgewright_benchmarks.report.search import search_sentences
from edgewright_benchmarks.report.text_speed import COUNTED, speed_rows, unknown_words
from edgewright_benchmarks.statistics.bounds import points_at_most
from edgewright_cli.console import bold, grey, megabytes, table, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgewright_benchmarks.engine_result import EngineResult
    from edgewright_benchmarks.result import Result
    from edgewright_benchmarks.search_trace import SearchTrace
    from edgewright_targets import Rung

# Nodes in float that a terminal shows.
_SHOWN_NODES = 6


def result_text(result: Result) -> str:
    """The whole result for people; fits in 80 columns."""
    engines = [engine for engine in result.engines if not is_foreign(engine)]
    rungs = list(dict.fromkeys(engine.rung for engine in engines if engine.status != "failed"))
    targets = ", ".join(dict.fromkeys(engine.target for engine in result.engines))
    parts = [f"Engines for {bold(targets)}{f', all {rungs[0]}' if len(rungs) == 1 else ''}:", _table(result, engines)]
    for others in foreign_engines(result.engines):
        names = ", ".join(name.removeprefix(f"{targets}-") for name in others.names)
        parts.append(grey(wrapped(f"{NOT_HERE}: {names}. {others.reason}", "   ")))
    parts += ["", wrapped(_explanation(result, _metric(result)))]
    if result.search is not None:
        parts += ["", wrapped(_search(result, result.search), "", f"{bold('Search:')} ")]
    if counted := _low_precision(engines):
        parts += ["", wrapped(f"Nodes that run in the named precision: {counted}.")]
    parts += _float_nodes(result, targets)
    parts += _costs(result, targets)
    for engine in engines:
        notes = notes_of(engine)
        if notes:
            parts += ["", wrapped(" ".join(notes), "  ", f"{bold(engine.name)}: ")]
    return "\n".join(parts)


def _costs(result: Result, targets: str) -> list[str]:
    """What was asked for beside the time of a call: cold starts, generated texts, energy."""
    parts: list[str] = []
    if starts := cold_starts(result):
        parts += ["", wrapped(f"{bold('Cold start')}, {CONDITION}:")]
        for engine, start in starts:
            parts.append(wrapped(cold_start_words(start), "  ", f"  {engine.name.removeprefix(f'{targets}-')}: "))
    if speeds := speed_rows(result):
        rows = [
            (row.prompt, row.engine.removeprefix(f"{targets}-"), row.first_token, row.tokens_per_second)
            for row in speeds
        ]
        shown = table(["prompt\ntokens", "engine", "first token", "tokens a second"], rows, [0, 2, 3])
        parts += ["", wrapped(f"{bold('Generated texts')}, {COUNTED}:"), shown]
    if used := energies(result):
        parts += ["", wrapped(f"{bold('Energy')}:")]
        for engine, words in used:
            parts.append(wrapped(words, "  ", f"  {engine.name.removeprefix(f'{targets}-')}: "))
    for sentence in unknown_words(result):
        parts += ["", wrapped(sentence, "  ")]
    return parts


def _search(result: Result, trace: SearchTrace) -> str:
    """How the engine that ships was found, and what stayed in float in it."""
    sentences = search_sentences(trace)
    if len(trace.path) > 1:
        target = f"{result.engine(result.chosen).target}-"
        sentences.append(f"The steps are {', '.join(name.removeprefix(target) for name in trace.path)}.")
    if trace.float_nodes:
        names = list(dict.fromkeys(f"{node.node} ({node.reason})" for node in trace.float_nodes))
        more = f", and {len(names) - _SHOWN_NODES} more" if len(names) > _SHOWN_NODES else ""
        sentences.append(f"They are {', '.join(names[:_SHOWN_NODES])}{more}; a report lists all of them.")
    return " ".join(sentences)


def _low_precision(engines: Sequence[EngineResult]) -> str:
    """Engines of a low precision with what of their graphs is in it."""
    counts = {
        engine.name.removeprefix(f"{engine.target}-"): [f"{n:,} {kind}" for kind, n in engine.low_precision.items()]
        for engine in engines
    }
    return "; ".join(f"{name} {', '.join(words)}" for name, words in counts.items() if words)


def _float_nodes(result: Result, targets: str) -> list[str]:
    """What stays in float because of what it is, a paragraph a group."""
    parts: list[str] = []
    for row in float_rows(result, _SHOWN_NODES):
        engines = ", ".join(engine.name.removeprefix(f"{targets}-") for engine in row.engines)
        text = f"{engines}: {row.what}. {row.why} {', '.join(row.names)}{row.more}."
        parts += ["", wrapped(text, "  ", f"{bold(TITLE)}: ")]
    return parts


def _metric(result: Result) -> str:
    """The name of the metric that the budget is about; of agreement, that word."""
    if result.measure == "agreement":
        return "agreement"
    named = (name for engine in result.engines if engine.accuracy for name in engine.accuracy.metrics)
    return metric_words(next(named, "accuracy"))


def _table(result: Result, engines: Sequence[EngineResult]) -> str:
    """The engines. A rung that all of them have is said above; times that nobody took have no column."""
    rungs = {engine.rung for engine in engines if engine.status != "failed"}
    header = {
        "": False,
        "engine": False,
        "rung": False,
        "status": False,
        "p50 ms": True,
        "ratio": True,
        "ratio\nalone": True,
    }
    header |= {_metric(result).replace(" ", "\n"): True, "drop": True, "at\nmost": True, "size": True}
    left_out = {"rung"} if len(rungs) == 1 else set()
    if "measured" not in rungs:
        left_out |= {"p50 ms", "ratio"}
    if not result.settings.beside or "measured" not in rungs:
        left_out.add("ratio\nalone")
    kept = [index for index, name in enumerate(header) if name not in left_out]
    names = list(header)
    rows = [[row[index] for index in kept] for row in (_row(engine, result) for engine in engines)]
    numbers = [place for place, index in enumerate(kept) if header[names[index]]]
    return table([names[index] for index in kept], rows, numbers)


def _row(engine: EngineResult, result: Result) -> tuple[str, ...]:
    latency, accuracy = engine.latency, engine.accuracy
    mark = "*" if engine.name == result.chosen else ""
    # Only what ran on the hardware has a latency; an emulator's time is not a latency of the target.
    timed = latency if engine.rung == "measured" else None
    compared = accuracy if engine.name != result.baseline else None
    return (
        mark,
        # Names begin with the target; the line above the table says it once.
        engine.name.removeprefix(f"{engine.target}-"),
        engine.rung,
        engine.status,
        f"{1e3 * timed.p50:.2f}" if timed else "-",
        f"{timed.ratio.value:.2f}" if timed else "-",
        f"{engine.alone.ratio.value:.2f}" if timed and engine.alone else "-",
        metric_value(*next((name, one.value) for name, one in accuracy.metrics.items())) if accuracy else "-",
        f"{100 * compared.drop.value:z.1f}" if compared else "-",
        points_at_most(compared.drop.high, result.max_drop) if compared else "-",
        megabytes(engine.size_bytes).removesuffix(" MB") if engine.size_bytes else "-",
    )


def _explanation(result: Result, metric: str) -> str:
    what = metric if result.measure == "accuracy" else "agreement with the float model (not accuracy)"
    mark = "ships" if result.kind == "build" else "runs here"
    rungs = {engine.rung for engine in result.engines if engine.status != "failed"}
    ratio = f" ratio: latency over {result.baseline}'s;" if "measured" in rungs else ""
    if ratio and result.settings.beside:
        ratio = f"{ratio[:-1]}, beside {busy_words(result.settings.beside)}, which decides; alone: without them;"
    return (
        f"* {mark}.{ratio} {what} on {result.data.samples:,} samples of {result.data.name}; drop: percentage points "
        f"lost; at most: upper bound of the drop (one-sided, {100 * result.confidence:g} %; the budget is "
        f"{100 * result.max_drop:g}); size in MB. {_where(result, rungs)}"
    )


def _where(result: Result, rungs: set[Rung]) -> str:
    if "measured" in rungs:
        return f"Measured on {result.machine.cpu}, {result.settings.threads} threads."
    if result.machine.emulated:
        return f"Predictions were computed on {result.machine.cpu}. Latency was not measured."
    if "emulated" in rungs:
        return f"Emulated on {result.machine.cpu}: predictions are valid, latency was not measured."
    return "No engine was run on this target."
