"""How far outputs are from float on samples that prove nothing: it orders the engines that are tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edgewright_benchmarks.accuracy.agreement import similarity
from edgewright_benchmarks.devices.engine_worker import EngineWorker
from edgewright_benchmarks.measuring.readings import Readings, recording
from edgewright_benchmarks.measuring.turns import running_engines
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.confidence import LEAST_CONFIDENCE
from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_runtime.likeness import Likeness

# Of the samples that decide, a part as large as this is answered more: it costs little, and an order needs few.
_PART = 8
_FEWEST, _MOST = 8, 64


@dataclass(frozen=True)
class Guide:
    """What orders engines.

    Attributes:
        baseline: Name of the float engine.
        samples: Calibration samples; none of them may be one that decides.
        alike: How outputs are compared where they are boxes.
    """

    baseline: str
    samples: Sequence[Any]
    alike: Likeness = field(default_factory=Likeness)

    def difference(self, predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> float:
        """The difference of the outputs of an engine from the baseline's: 0 is none, 1 as large as the outputs.

        The root mean square of the difference over that of the outputs, for outputs of about the same size (see
        `similarity`); of boxes the share of them that is not the same. It only orders engines, and is not an accuracy.
        """
        pairs = list(zip(predictions, baseline, strict=True))
        if self.alike.boxes is not None:
            apart = [min(1.0, self.alike.difference(one.outputs, other.outputs)) for one, other in pairs]
            return float(np.mean(apart))
        unlike = 1 - float(np.mean([similarity(one, other) for one, other in pairs]))
        return min(1.0, float(np.sqrt(2 * max(0.0, unlike))))


def guide_count(samples: int) -> int:
    """How many calibration samples order engines where so many decide.

    >>> guide_count(40), guide_count(200), guide_count(5000)
    (8, 25, 64)
    """
    return min(max(samples // _PART, _FEWEST), _MOST)


def read_guides(
    workers: Mapping[str, EngineWorker], readings: dict[str, Readings], guide: Guide, progress: Progress
) -> None:
    """Add the guide to the readings of engines that are fast enough; see `Guide.difference`."""
    running = running_engines(readings)
    if guide.baseline not in running:
        return
    seconds = readings[guide.baseline].seconds
    # Readings do not know the confidence that they are judged with, so it is the least that may be asked.
    ratios = {name: latency_ratio(readings[name].seconds, seconds, confidence=LEAST_CONFIDENCE) for name in running}
    fast = [name for name in running if name != guide.baseline and ratios[name].high <= 1]
    if not fast:
        return
    expected: list[Prediction] = []
    bar = progress.bar("comparing with float", len(guide.samples) * (1 + len(fast)))
    for name in [guide.baseline, *fast]:
        twin = readings[name].same_as
        with recording(readings, name):
            if twin and (twin == guide.baseline or readings[twin].guide is not None):
                found = readings[twin].guide or 0.0
            else:
                workers[name].keep(guide.samples)
                made = workers[name].answer(range(len(guide.samples)))
                expected = expected or made
                found = guide.difference(made, expected)
            if name != guide.baseline:
                readings[name] = replace(readings[name], guide=found)
        bar.update(len(guide.samples))
    bar.close()
