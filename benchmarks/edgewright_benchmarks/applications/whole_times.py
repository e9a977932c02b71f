"""Applications take turns: in a round each is timed on the same samples while the others idle."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgewright_benchmarks.applications.whole_result import WholeLatency
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.rounds import samples_alike
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.percentiles import latency_draws
from edgewright_runtime.applications.application import Application
from edgewright_runtime.samples import size_of


@dataclass
class WholeTimes:
    """What was read of an application.

    Attributes:
        rounds: Seconds of calls, one list a round.
        steps: Step -> its seconds in the calls in which it ran.
    """

    rounds: list[tuple[float, ...]] = field(default_factory=list)
    steps: Mapping[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def call(self, application: Application, samples: Sequence[Any]) -> None:
        """Add a round."""
        seconds = []
        for sample in samples:
            start = time.perf_counter()
            run = application.run(sample)
            seconds.append(time.perf_counter() - start)
            for name, took in run.seconds.items():
                if run.calls.get(name):
                    self.steps[name].append(took)
        self.rounds.append(tuple(seconds))

    def latency(self, confidence: float) -> WholeLatency:
        """The times with their percentiles and intervals."""
        draws = latency_draws(self.rounds)
        return WholeLatency(
            rounds=tuple(self.rounds),
            mean=float(np.mean([value for one in self.rounds for value in one])),
            **{name: draws.values[name] for name in ("p50", "p90", "p95", "p99", "throughput")},
            intervals=draws.intervals(confidence),
        )


def time_in_turns(
    applications: Sequence[Application], samples: Sequence[Any], calls: int, settings: MeterSettings, progress: Progress
) -> list[WholeTimes]:
    """The times of applications on the same samples, none of which fails.

    Args:
        applications: In a new order each round, so that none always runs after the same neighbour.
        samples: As `read_whole_data` gives them.
        calls: Of each application in a round.
        settings: Rounds, and the seed of what is drawn.
        progress: Told how far it is.
    """
    random = np.random.default_rng(settings.seed)
    by_size = np.argsort([size_of(sample) for sample in samples], kind="stable")
    found = [WholeTimes() for _ in applications]
    bar = progress.bar("timing in rounds", settings.rounds * len(applications))
    for _ in range(settings.rounds):
        taken = [samples[index] for index in samples_alike(by_size, calls, random)]
        for place in random.permutation(len(applications)).tolist():
            found[place].call(applications[place], taken)
            bar.update()
    bar.close()
    return found
