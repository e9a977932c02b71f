"""The winner of a search timed anew: the fastest of many engines looks faster than it is.

Fresh processes, fresh rounds, other samples in them. What is not shown to be as fast as the float engine there does not
ship, and the next engine is timed.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from edgewright_benchmarks.engine_result import EngineResult, Interval
from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_compiler.building.measured_engines import measured_engines
from edgewright_compiler.building.target_readings import TargetReadings, read_target_readings

if TYPE_CHECKING:
    from edgewright_compiler.building.job import Job
    from edgewright_compiler.building.made_engines import MadeEngines
    from edgewright_compiler.building.stage import Stages
    from edgewright_compiler.search.tries import Tries

# They only warm up and are timed: no accuracy comes from them.
_SAMPLES = 64


def confirm_winner(tries: Tries, stages: Stages) -> None:
    """Time the engine that would ship anew, and the next one where it is not shown to be as fast, into `tries.retimed`.

    Args:
        tries: All engines of the search.
        stages: Keep the readings, so that nothing is timed twice.
    """
    while True:
        choice = tries.choice()
        winner = next(engine for engine in choice.engines if engine.name == choice.chosen)
        if winner.status != "accepted" or winner.latency is None or winner.name in tries.retimed:
            return
        tries.retimed[winner.name] = _ratio_anew(tries.job, tries.made, winner, stages)


def seconds_to_retime(measured: TargetReadings) -> float:
    """About how long such a measurement takes; 0 where no speed is measured.

    Args:
        measured: The measurement of the plain build.
    """
    timed = [one for one in measured.readings.values() if one.rounds]
    taken = [sum(one.loads) + sum(sum(turn.seconds) for turn in (*one.rounds, *one.rounds_beside)) for one in timed]
    return 2 * float(np.mean(taken)) if taken else 0.0


def _ratio_anew(job: Job, made: MadeEngines, winner: EngineResult, stages: Stages) -> Interval:
    """The ratio of the winner's latency to the baseline's in a measurement of these two."""
    baseline = job.engine_name(job.target.baseline)
    wanted = (baseline, winner.name)
    candidates = [one for one in job.target.candidates if job.engine_name(one.name) in wanted]
    # Other rounds of other samples. Whether the float model is right was judged before.
    meter = dataclasses.replace(job.options.meter, seed=job.options.meter.seed + 1, loads=1, samples=None)
    options = dataclasses.replace(job.options, meter=meter, accept_baseline=True)
    data = job.evaluation.part(_SAMPLES, seed=meter.seed)
    alone = dataclasses.replace(job.trying(candidates), evaluation=data, calibration=None, golden=None, options=options)
    engines = tuple(engine for engine in made.engines if engine.draft.name in wanted)
    stages.progress.note(f"Timing {winner.name} anew against the float engine.")
    folder = measured_engines(stages, alone, dataclasses.replace(made, engines=engines, failures={}))
    found = read_target_readings(folder).readings
    if found[winner.name].failure is not None:
        # It ran before, and does not now: an engine that cannot be relied on.
        return Interval(float("inf"), float("inf"), float("inf"), job.options.confidence)
    return latency_ratio(found[winner.name].seconds, found[baseline].seconds, confidence=job.options.confidence)
