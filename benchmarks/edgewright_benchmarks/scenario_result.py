"""What scenarios found: part of the result of a bench, so without anything heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from edgewright_targets import Rung
from edgewright_targets.record import ADDED_LATER

Scenario = Literal["single-stream", "multi-stream", "offline", "server"]

# What each of them is about; see https://github.com/mlcommons/inference_policies.
SCENARIOS: Final[dict[Scenario, str]] = {
    "single-stream": "one sample after another; the 90th percentile of their latency",
    "multi-stream": "queries of 8 samples, one after another; the 99th percentile of their latency",
    "offline": "all samples at once; samples a second",
    "server": "samples that arrive at random (Poisson); the highest rate at which the 99th percentile keeps the limit",
}
# The figure of each scenario, as rules name it.
FIGURE_NAMES: Final[dict[Scenario, str]] = {
    "single-stream": "single-stream.p90",
    "multi-stream": "multi-stream.p99",
    "offline": "offline.rate",
    "server": "server.rate",
}
# Scenarios whose figure is samples a second; those of the others are seconds.
RATES: Final[tuple[Scenario, ...]] = ("offline", "server")
# Queries that LoadGen's early stopping asks for at the least, of the 90th percentile and of the 99th.
QUERIES: Final[dict[Scenario, int]] = {"single-stream": 64, "multi-stream": 662, "offline": 1, "server": 662}


@dataclass(frozen=True, kw_only=True)
class LoadRun:
    """One run of LoadGen, as its own log says it.

    Attributes:
        log: Name of the folder with its files, below the folder of all logs.
        valid: LoadGen's verdict.
        reason: Why it is not valid, in LoadGen's words; empty where it says nothing.
        early_stopping: Its queries were enough for LoadGen to trust the percentile (with 99 % confidence).
        target_rate: Samples a second that were to arrive; None where the scenario has no rate.
        kept: At least 99 % of queries were within the limit; None where there is no limit.
        queries: How many.
        rate: Samples a second that were answered.
        p50: Seconds of a query, the median; likewise the percentiles below.
        call: Seconds of one call of the engine inside, the median: what LoadGen and the queue add is not in it.
        failed: Calls that failed.
    """

    log: str
    valid: bool
    reason: str
    early_stopping: bool
    target_rate: float | None
    kept: bool | None
    queries: int
    rate: float
    p50: float
    p90: float
    p95: float
    p99: float
    call: float
    failed: int

    def figure(self, scenario: Scenario) -> float:
        """What it says of the figure of its scenario; of a server the rate that was answered."""
        return {"single-stream": self.p90, "multi-stream": self.p99}.get(scenario, self.rate)


@dataclass(frozen=True, kw_only=True)
class ScenarioResult:
    """A scenario of one engine.

    Attributes:
        scenario: Which.
        rung: How its figures were obtained.
        streams: Copies of the engine that wait for samples.
        threads: Threads of each of them.
        batch: Most samples that one call is given.
        together: Samples of one call go through the graph together where their shapes are the same.
        limit: Seconds that the 99th percentile may take; None where nothing was said.
        figure: Seconds or samples a second, see `SCENARIOS`; of several runs their geometric mean. None where no rate
            keeps the limit.
        low: Of several runs the lower end of the interval of 95 % of that mean; of a server the rate itself.
        high: The upper end; of a server the lowest rate that did not keep the limit, where there is one.
        runs: All runs of LoadGen in their order.
        failed_samples: Numbers of samples that failed in any of them, counted from 1.
        loadgen: Its version.
        notes: What to know, as whole sentences.
        seconds: Of one run, at least; 0 in results of before.
    """

    scenario: Scenario
    rung: Rung
    streams: int
    threads: int
    batch: int
    together: bool
    limit: float | None
    figure: float | None
    low: float
    high: float
    runs: tuple[LoadRun, ...]
    failed_samples: tuple[int, ...]
    loadgen: str
    notes: tuple[str, ...]
    seconds: float = field(default=0.0, metadata=ADDED_LATER)

    @property
    def is_rate(self) -> bool:
        """Its figure is samples a second, and greater is better; otherwise it is seconds."""
        return self.scenario in RATES

    @property
    def run_figures(self) -> tuple[float, ...]:
        """What each of its runs says of the figure."""
        return tuple(run.figure(self.scenario) for run in self.runs)

    @property
    def counting(self) -> tuple[LoadRun, ...]:
        """The runs that the figure rests on: of a server those at the rate that was kept."""
        return tuple(run for run in self.runs if run.target_rate in (None, self.figure))

    @property
    def figure_name(self) -> str:
        """Of its figure in rules, such as `offline.rate`, or `offline.rate.batch4.streams2` in a sweep."""
        return ".".join([FIGURE_NAMES[self.scenario], *_several(self.batch, self.streams)])

    @property
    def label(self) -> str:
        """Which scenario and point of a sweep."""
        return point_label(self.scenario, self.batch, self.streams)


def point_label(scenario: Scenario, batch: int, streams: int) -> str:
    """A scenario with a point of a sweep, such as `offline-batch4`."""
    return "-".join([scenario, *_several(batch, streams)])


def _several(batch: int, streams: int) -> list[str]:
    return [f"{kind}{count}" for kind, count in (("batch", batch), ("streams", streams)) if count > 1]
