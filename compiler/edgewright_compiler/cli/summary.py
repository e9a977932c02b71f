"""A result on a terminal: the choice and why, the engines, and what became of those that did not ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewright_compiler.cli.console import bold, megabytes, table, wrapped

if TYPE_CHECKING:
    from edgewright_benchmarks.result import EngineResult, Result
    from edgewright_targets import Rung

_HEADER = ("", "engine", "rung", "status", "p50 ms", "ratio", "{measure}", "drop", "size")
_NUMBERS = (4, 5, 6, 7, 8)


def result_text(result: Result) -> str:
    """The whole result for people; fits in 80 columns."""
    from edgewright_benchmarks.native import notes_of

    header = [cell.format(measure=result.measure) for cell in _HEADER]
    rows = [_row(engine, result) for engine in result.engines]
    targets = ", ".join(dict.fromkeys(engine.target for engine in result.engines))
    parts = [f"Engines for {bold(targets)}:", table(header, rows, _NUMBERS), "", wrapped(_explanation(result))]
    counted = [
        f"{engine.name.removeprefix(f'{engine.target}-')} {', '.join(f'{n:,} {name}' for name, n in counts.items())}"
        for engine in result.engines
        if (counts := engine.low_precision)
    ]
    if counted:
        parts += ["", wrapped(f"Nodes in the precision of its name: {'; '.join(counted)}.")]
    for engine in result.engines:
        notes = notes_of(engine)
        if notes:
            parts += ["", wrapped(" ".join(notes), "  ", f"{bold(engine.name)}: ")]
    return "\n".join(parts)


def _row(engine: EngineResult, result: Result) -> tuple[str, ...]:
    latency, accuracy = engine.latency, engine.accuracy
    mark = "*" if engine.name == result.chosen else ""
    # Only what ran on the hardware has a latency; an emulator's time is no latency of the target.
    timed = latency if engine.rung == "measured" else None
    return (
        mark,
        # Names begin with the target; the line above the table says it once.
        engine.name.removeprefix(f"{engine.target}-"),
        engine.rung,
        engine.status,
        f"{1e3 * timed.p50:.2f}" if timed else "-",
        f"{timed.ratio.value:.2f}" if timed else "-",
        f"{100 * next(iter(accuracy.metrics.values())).value:.2f}%" if accuracy else "-",
        f"{100 * accuracy.drop.high:.2f}" if accuracy else "-",
        megabytes(engine.size_bytes).removesuffix(" MB") if engine.size_bytes else "-",
    )


def _explanation(result: Result) -> str:
    what = "accuracy" if result.measure == "accuracy" else "agreement with the float model (not accuracy)"
    mark = "ships" if result.kind == "build" else "runs here"
    rungs = {engine.rung for engine in result.engines if engine.status != "failed"}
    ratio = f" ratio: latency over {result.baseline}'s;" if "measured" in rungs else ""
    return (
        f"* {mark}.{ratio} {what} on {result.data.samples:,} samples of "
        f"{result.data.name}; drop: percentage points lost at most (one-sided 95 % bound; the budget is "
        f"{100 * result.max_drop:g}); size in MB. {_where(result, rungs)}"
    )


def _where(result: Result, rungs: set[Rung]) -> str:
    if "measured" in rungs:
        return f"Measured on {result.machine.cpu}, {result.settings.threads} threads."
    if result.machine.emulated:
        return f"Answers are those of {result.machine.cpu}; nothing was timed."
    if "emulated" in rungs:
        return f"Emulated on {result.machine.cpu}: answers are real, nothing was timed."
    return "Nothing was run on this target."
