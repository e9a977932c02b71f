"""What an engine costs beside the time of a call, as results have it: a cold start, the tokens of a text, energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgewright_benchmarks.interval import Interval
from edgewright_runtime.responses import ColdStarted, TokenTimes
from edgewright_targets.record import RecordError

# Parts of a cold start in their order, with the names that people read.
COLD_START_PARTS: Final = {
    "process": "process",
    "imports": "import",
    "open": "open",
    "compile": "compile",
    "first_answer": "first answer",
}


@dataclass(frozen=True, kw_only=True)
class ColdStart:
    """Fresh processes up to their first answer; the files were in the page cache.

    Attributes:
        readings: The raw seconds, one a process; the parts of each sum to its whole.
        whole: The median of the wholes. Of few readings the interval has less confidence than was asked for.
        parts: The median of each part. Medians of parts need not sum to the median of wholes.
    """

    readings: tuple[ColdStarted, ...]
    whole: Interval
    parts: dict[str, Interval]

    @property
    def middle(self) -> ColdStarted:
        """The reading whose whole is the median, or the one just below: its parts sum to what is shown."""
        return sorted(self.readings, key=lambda one: one.whole)[(len(self.readings) - 1) // 2]


@dataclass(frozen=True, kw_only=True)
class TextSpeed:
    """How fast texts come after prompts of one length.

    Attributes:
        prompt_tokens: Tokens of each prompt.
        new_tokens: Tokens that were made after it.
        readings: The raw seconds, one a prompt.
        first_token: Seconds from the prompt's tokens to the first new one, the median.
        tokens_per_second: Of the tokens after the first, the median.
    """

    prompt_tokens: int
    new_tokens: int
    readings: tuple[TokenTimes, ...]
    first_token: Interval
    tokens_per_second: Interval


@dataclass(frozen=True, kw_only=True)
class EnergyReading:
    """Calls one after another beside a sensor, and the idle machine just before them."""

    joules: float
    seconds: float
    calls: int
    idle_watts: float

    def __post_init__(self) -> None:
        if not (0 < self.joules < float("inf") and self.calls > 0):
            raise RecordError(f"An energy of {self.joules:g} J of {self.calls} calls cannot be.")


@dataclass(frozen=True, kw_only=True)
class Energy:
    """What a sensor says of the calls of an engine.

    Attributes:
        sensor: What is measured by what.
        readings: The raw values.
        call: Joules of a call, of all that the sensor sees: the power of the idle machine is in it. The median.
        above_idle: The same without what the idle machine would have used in that time.
        idle_watts: Of the idle machine.
        tokens: New tokens that each call makes after it read its sample; 0 where it generates no text.
    """

    sensor: str
    readings: tuple[EnergyReading, ...]
    call: Interval
    above_idle: Interval
    idle_watts: Interval
    tokens: int = 0


@dataclass(frozen=True)
class UnknownFigure:
    """A figure that was asked for and could not be read, and why, as a sentence."""

    figure: str
    reason: str
