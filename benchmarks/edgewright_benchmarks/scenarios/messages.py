"""What the process with LoadGen is asked, and what it sends back; see `edgewright_benchmarks.scenarios.process`."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.scenario_result import LoadRun, Scenario


@dataclass(frozen=True)
class OpenStreams:
    """Of `streams`: load an engine of a package so many times, each with so many threads."""

    package: str
    engine: str
    threads: int
    streams: int


@dataclass(frozen=True)
class StreamsOpen:
    """What was loaded.

    Attributes:
        call: Seconds of one call, the median of some samples.
        alone: Why samples of a call go through the graph one by one, as a sentence; empty where they go together.
        loadgen: Version of LoadGen.
    """

    call: float
    alone: str
    loadgen: str


@dataclass(frozen=True, kw_only=True)
class GenerateLoad:
    """Of `load-run`: one run of LoadGen.

    Attributes:
        scenario: Which.
        folder: Where LoadGen writes its files.
        log: What the run calls that folder.
        seconds: At least so long.
        queries: At least so many queries.
        call: Seconds that a sample is expected to take, from which LoadGen makes its queries.
        batch: Most samples of a call.
        rate: Of a server, samples a second.
        limit: Of a server, seconds that the 99th percentile may take.
        seed: Of the order of samples and of the times at which they arrive.
    """

    scenario: Scenario
    folder: str
    log: str
    seconds: float
    queries: int
    call: float
    batch: int
    rate: float | None = None
    limit: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class LoadGenerated:
    """The run, the numbers of samples that failed in it, counted from 0, and why the first of them did."""

    run: LoadRun
    failed: tuple[int, ...]
    first_failure: str
