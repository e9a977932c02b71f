"""How to measure: rounds, calls, loads, threads."""

from __future__ import annotations

from dataclasses import dataclass

# Fresh processes that give the median of a cold start an interval of 95 %, where a rule of the gate asks for one.
COLD_STARTS = 6


@dataclass(frozen=True, kw_only=True)
class MeterSettings:
    """How to measure.

    Attributes:
        rounds: Rounds of every engine.
        calls: Calls of an engine in a round; 0 finds a number that takes a quarter of a second on the first engine.
        loads: Fresh processes in which loading is timed.
        threads: Threads of an engine; None is what the package says, and in a build one for each physical core.
        cold_starts: Fresh processes, of each engine that runs, whose cold start is taken apart; 0 is none.
        prompt_lengths: Tokens of the prompts after which texts are timed, where the package generates texts; None is
            16, 64 and 256 as far as the model takes them.
        energy: Read the machine's sensors of energy, beside further calls of each engine.
        seed: Decides which samples a round takes, and the order of engines.
        samples: So many of the data at most, drawn from all of it; None is all.
        beside: Busy programs beside the engines in a second turn of all rounds, which then decides; 0 is no such turn.
        most_rounds: Where more rounds than `rounds` may be asked for while they run: at most so many.
        until: Ask for more rounds until the interval of every engine's median is within so much of it on both sides, a
            share; 0 does not ask. Stopping by the width of an interval keeps its confidence for many rounds, unlike
            stopping by what it shows (Y. S. Chow and H. Robbins, Annals of Mathematical Statistics 36 (1965), 457-462).
        most_seconds: Where more rounds may be asked for: end the rounds after so many seconds of them, the first ones
            too, but not before there are two; 0 is no such limit.
    """

    rounds: int = 15
    calls: int = 0
    loads: int = 3
    cold_starts: int = 0
    prompt_lengths: tuple[int, ...] | None = ()
    energy: bool = False
    threads: int | None = None
    seed: int = 0
    samples: int | None = None
    beside: int = 0
    most_rounds: int = 0
    until: float = 0.0
    most_seconds: float = 0.0


def looks(settings: MeterSettings) -> tuple[int, ...]:
    """After how many rounds it is asked whether they are enough: `rounds`, and twice as many each time.

    >>> from edgewright_benchmarks.measuring.meter_settings import MeterSettings, looks
    >>> looks(MeterSettings()), looks(MeterSettings(rounds=15, most_rounds=100))
    ((15,), (15, 30, 60, 100))
    """
    found = [settings.rounds]
    while found[-1] < settings.most_rounds:
        found.append(min(2 * found[-1], settings.most_rounds))
    return tuple(found)
