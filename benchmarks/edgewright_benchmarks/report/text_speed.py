"""How fast texts come, in words and as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgewright_benchmarks.costs import TextSpeed
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.statistics.bounds import significant

# What every output says of these figures.
COUNTED: Final = "from the tokens of a prompt to the first new token, then the tokens after it; batch 1"


@dataclass(frozen=True)
class SpeedRow:
    """An engine after prompts of one length, in words."""

    engine: str
    prompt: str
    first_token: str
    tokens_per_second: str


def speed_rows(result: Result) -> list[SpeedRow]:
    """All lengths of all engines whose texts were timed, those of one length together."""
    found = [(speed, engine) for engine in result.engines if engine.rung == "measured" for speed in engine.text_speed]
    return [_row(engine, speed) for speed, engine in sorted(found, key=lambda pair: pair[0].prompt_tokens)]


def _row(engine: EngineResult, speed: TextSpeed) -> SpeedRow:
    first, rate = speed.first_token, speed.tokens_per_second
    milliseconds = Interval(1000 * first.value, 1000 * first.low, 1000 * first.high, first.confidence)
    return SpeedRow(
        engine.name, f"{speed.prompt_tokens:,}", _with_interval(milliseconds, "ms"), _with_interval(rate, "/s")
    )


def _with_interval(figure: Interval, unit: str) -> str:
    """A figure with its interval; the confidence is said where it is not the usual one, as few readings have less."""
    low, high = significant(figure.low), significant(figure.high)
    sure = "" if figure.confidence == 0.95 else f", {100 * figure.confidence:.3g} %"
    return f"{significant(figure.value)} {unit} ({low} to {high}{sure})"


def unknown_words(result: Result) -> list[str]:
    """Figures that were asked for and could not be read, with the reason of each engine, as sentences."""
    return [
        f"{engine.name}: {one.figure.replace('_', ' ')} is unknown: {one.reason}"
        for engine in result.engines
        for one in engine.unknown
    ]
