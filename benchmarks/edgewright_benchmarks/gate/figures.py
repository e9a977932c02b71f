"""Figures that a rule can name: their units, and where a result has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Final

from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.metrics import DECIBEL, SHARE, metric_facts
from edgewright_benchmarks.scenario_result import FIGURE_NAMES, RATES, Scenario
from edgewright_benchmarks.statistics.bounds import significant
from edgewright_benchmarks.statistics.percentiles import PERCENTILES


@dataclass(frozen=True)
class FigureUnit:
    """How values of a figure are written and read.

    Attributes:
        shown: The unit that values are shown in.
        factors: Each unit that a rule may write to what one of it is in the unit of results; an empty name where a
            number alone has a meaning.
    """

    shown: str
    factors: Mapping[str, float]

    def text(self, value: float, *, signed: bool = False) -> str:
        """A value for people: `0.87 ms`, signed `+0.05 ms`."""
        sign = "+" if signed and value > 0 else ""
        number = value / self.factors[self.shown]
        digits = "0" if number == 0 else significant(number)
        return f"{sign}{digits} {self.shown}".rstrip()


SECONDS: Final = FigureUnit("ms", {"s": 1.0, "ms": 1e-3, "us": 1e-6})
RATE: Final = FigureUnit("/s", {"/s": 1.0, "": 1.0})
BYTES: Final = FigureUnit("MB", {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9})
JOULES: Final = FigureUnit("mJ", {"J": 1.0, "mJ": 1e-3, "uJ": 1e-6})
POINTS: Final = FigureUnit("points", {"points": 0.01, "": 0.01})
DECIBELS: Final = FigureUnit("dB", {"dB": 1.0, "": 1.0})
PLAIN: Final = FigureUnit("", {"": 1.0})


@dataclass(frozen=True)
class Figure:
    """A figure that results have.

    Attributes:
        name: In rules.
        title: For people.
        unit: Of its values.
        counted: What more of makes it surer: rounds, loads, cold starts, runs or samples; empty where nothing does.
        timed: It depends on the machine and on how it was measured.
        higher_is_better: Which direction is better.
        searched: Its interval is what a search left open, and not a spread of readings.
    """

    name: str
    title: str
    unit: FigureUnit
    counted: str = ""
    _: KW_ONLY
    timed: bool = False
    higher_is_better: bool = False
    searched: bool = False

    @property
    def is_metric(self) -> bool:
        """It is a figure of accuracy."""
        return self.counted == "samples"

    @property
    def of_calls(self) -> bool:
        """It is computed from the timed calls of the rounds; other figures have readings of their own."""
        return self.name.startswith("latency.") or self.name == "throughput"


_FIGURES: Final = (
    *(Figure(f"latency.{key}", f"Latency {key}", SECONDS, "rounds", timed=True) for key in PERCENTILES),
    Figure("throughput", "Throughput", RATE, "rounds", timed=True, higher_is_better=True),
    Figure("load", "Load time", SECONDS, "loads", timed=True),
    Figure("cold_start", "Cold start", SECONDS, "cold starts", timed=True),
    Figure("energy", "Energy of a call", JOULES, "rounds", timed=True),
    Figure("memory", "Peak memory", BYTES, timed=True),
    Figure("size", "Size", BYTES),
)


_TITLES: Final[dict[Scenario, str]] = {
    "single-stream": "Single stream p90",
    "multi-stream": "Multi-stream p99",
    "offline": "Offline rate",
    "server": "Server rate",
}
_SCENARIOS: Final[dict[str, Scenario]] = {figure: scenario for scenario, figure in FIGURE_NAMES.items()}
_COUNT: Final = r"([2-9]|[1-9][0-9]{1,5})"
_SCENARIO: Final = re.compile(rf"([a-z-]+\.[a-z0-9]+)(?:\.batch{_COUNT})?(?:\.streams{_COUNT})?")


def scenario_point(name: str) -> tuple[Scenario, int, int] | None:
    """Scenario, batch and streams of a figure such as `offline.rate.batch4.streams2`; None for other names."""
    found = _SCENARIO.fullmatch(name)
    scenario = _SCENARIOS.get(found[1]) if found else None
    # One sample at a time: there is no sweep of it.
    if found is None or scenario is None or (scenario == "single-stream" and name != found[1]):
        return None
    return scenario, int(found[2] or 1), int(found[3] or 1)


def scenario_figure(name: str) -> Figure | None:
    """What an engine keeps up with, such as `offline.rate.batch4.streams2`, as a figure; None for other names.

    >>> from edgewright_benchmarks.gate.figures import scenario_figure
    >>> scenario_figure("offline.rate.batch4.streams2").title
    'Offline rate, batch 4, 2 streams'
    """
    point = scenario_point(name)
    if point is None:
        return None
    scenario, batch, streams = point
    parts = [f"batch {batch}"] * (batch > 1) + [f"{streams} streams"] * (streams > 1)
    rate, searched = scenario in RATES, scenario == "server"
    return Figure(
        name,
        ", ".join([_TITLES[scenario], *parts]),
        RATE if rate else SECONDS,
        "" if searched else "runs",
        timed=True,
        higher_is_better=rate,
        searched=searched,
    )


# Those that any result may have, whatever its task.
FIGURES: Final = {
    figure.name: figure for figure in (*_FIGURES, *filter(None, map(scenario_figure, FIGURE_NAMES.values())))
}


# Of a prompt: each has one way to be written.
_LENGTH: Final = re.compile("[1-9][0-9]{0,5}")
# Figures that there are once for each length of a prompt, which stands behind the dot.
_BY_LENGTH: Final = {
    "first_token": ("First token after {} tokens", SECONDS, False),
    "tokens_per_second": ("Tokens a second after {} tokens", RATE, True),
}


def text_figure(name: str) -> Figure | None:
    """How fast texts come, such as `first_token.64`, as a figure; None for other names.

    >>> from edgewright_benchmarks.gate.figures import text_figure
    >>> text_figure("tokens_per_second.64").title
    'Tokens a second after 64 tokens'
    """
    kind, _, length = name.partition(".")
    if kind not in _BY_LENGTH or _LENGTH.fullmatch(length) is None:
        return None
    title, unit, higher = _BY_LENGTH[kind]
    return Figure(name, title.format(length), unit, "rounds", timed=True, higher_is_better=higher)


def asked_figure(name: str) -> Figure | None:
    """A figure that a bench measures where it is asked to, whose name says how; None for other names."""
    return text_figure(name) or scenario_figure(name)


def figure_named(name: str) -> Figure:
    """The figure of this name; one that nobody knows is a metric."""
    return FIGURES.get(name) or asked_figure(name) or metric_figure(name)


def metric_figure(name: str) -> Figure:
    """A metric as a figure.

    >>> from edgewright_benchmarks.gate.figures import metric_figure
    >>> metric_figure("accuracy").unit.text(-0.005, signed=True)
    '-0.500 points'
    """
    facts = metric_facts(name)
    unit = POINTS if facts.unit == SHARE else DECIBELS if facts.unit == DECIBEL else PLAIN
    return Figure(name, facts.title, unit, "samples", higher_is_better=facts.higher_is_better)


def known_figures(engines: Iterable[EngineResult]) -> dict[str, Figure]:
    """All figures of these results, by name.

    Those that every result may have, how fast their texts come, their scenarios, and their metrics.
    """
    found = list(engines)
    lengths = sorted({speed.prompt_tokens for engine in found for speed in engine.text_speed})
    speeds = [f"{kind}.{length}" for kind in _BY_LENGTH for length in lengths]
    loaded = [one.figure_name for engine in found for one in engine.scenarios]
    metrics = [name for engine in found if engine.accuracy is not None for name in engine.accuracy.metrics]
    return {**FIGURES, **{name: figure_named(name) for name in (*speeds, *loaded, *metrics)}}
