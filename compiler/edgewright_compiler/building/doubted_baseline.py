"""A float model that is wrong on the data itself: the build stops, or goes on where that is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewright_benchmarks.accuracy import Scoring
from edgewright_benchmarks.judging.baseline_doubt import NOT_RIGHT, baseline_doubt
from edgewright_benchmarks.tasks import find_task
from edgewright_targets import CheckFailedError

if TYPE_CHECKING:
    from edgewright_benchmarks.measuring.readings import Readings
    from edgewright_compiler.building.job import Job


def refuse_doubted(job: Job, baseline: Readings) -> None:
    """Stop as soon as the baseline has answered, before anything else is measured.

    Raises:
        CheckFailedError: It is wrong on labelled data, which was not accepted.
    """
    truth = job.evaluation.labels
    if truth is None or job.options.accept_baseline:
        return
    accuracy = Scoring(job.metric, truth, baseline.predictions).of_baseline()
    doubt_warnings(job, baseline_doubt(accuracy, baseline.predictions, truth))


def doubt_warnings(job: Job, doubt: str) -> tuple[str, ...]:
    """That the float model is wrong on the data, for the evidence of a build that accepts it; often nothing.

    Raises:
        CheckFailedError: It was not accepted.
    """
    if not doubt:
        return ()
    message = f"{NOT_RIGHT} on {job.evaluation.name}. {doubt}"
    suspects = f"Check {find_task(job.source.task).suspects}."
    if job.options.accept_baseline:
        return (f"{message} It was accepted with --accept-baseline. {suspects}",)
    raise CheckFailedError(
        message, hint=f"Nothing was built. {suspects} If the model is as intended, pass --accept-baseline to continue."
    )
