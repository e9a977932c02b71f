"""Engines of all models of an application, chosen together: those of the models' own builds, as far as the whole can.

A package has the engine that its build chose, and its float baseline. Combinations are tested in a fixed sequence, each
with one model more on its chosen engine, the one first that lost least in its own evidence. The first combination that
is not shown to keep the budget ends the sequence, and the last one that was is what ships. So each is tested at the
full confidence, and with that confidence the whole loses no more than the budget. The sequence follows from evidence of
the models alone, and never from the samples that judge the whole; it is that of `several_engines`, where its sources
stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgewright_benchmarks.accuracy import Scoring
from edgewright_benchmarks.applications.bench_whole import Answered, answer_all
from edgewright_benchmarks.applications.chosen_engines import ChosenEngines, TriedEngines
from edgewright_benchmarks.applications.float_whole import float_engines
from edgewright_benchmarks.applications.model_facts import ModelFacts, facts_of_models
from edgewright_benchmarks.applications.value_metrics import VALUE_METRICS, told
from edgewright_benchmarks.applications.whole_data import judged_values
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.metrics import metric_words
from edgewright_benchmarks.progress import Progress
from edgewright_benchmarks.statistics.bounds import points_at_most
from edgewright_benchmarks.statistics.intervals import least_bound, least_samples
from edgewright_runtime.applications.application import Application, ApplicationPackage
from edgewright_runtime.loading import first_choice


@dataclass(frozen=True, kw_only=True)
class WholeBudget:
    """What the whole may lose.

    Attributes:
        max_drop: A share.
        confidence: Of the bound of the drop.
        threads: That a call of a model may use.
    """

    max_drop: float
    confidence: float
    threads: int | None = None


def choose_together(
    package: ApplicationPackage, data: Dataset, budget: WholeBudget, progress: Progress
) -> ChosenEngines | None:
    """Which models run the engine that their own build chose; None where all are float anyway, or nothing judges.

    Args:
        package: The application; a step whose threshold is still to be found runs for all samples.
        data: Labelled data of the whole.
        budget: What may be lost.
        progress: Told how far it is.

    Raises:
        InputError: The application fails on all samples.
        EngineUnavailableError: The float baseline of a model does not run here.
    """
    known = data.labels[0] if data.labels is not None else {}
    judged = {value: metric for value, metric in judged_values(package).items() if value in known}
    if not judged or data.labels is None or _all_float(package):
        return None
    value, metric = next(iter(judged.items()))
    with Application(package, threads=budget.threads) as application:
        full = answer_all(application, data.samples, progress)
        engines, facts = dict(application.engines), facts_of_models(application)
    floats = float_engines(package, engines)
    if floats is None:
        return None
    changed = [one.name for one in sorted(facts, key=_lost) if one.engine and one.engine != floats[one.name]]
    truth = [labels[value] for labels in data.labels]
    answered = _answers(package, floats, data.samples, budget, progress)
    scoring = Scoring(
        VALUE_METRICS[metric].metric,
        truth,
        told(metric, answered.values(value)),
        max_drop=budget.max_drop,
        confidence=budget.confidence,
    )
    tried: list[TriedEngines] = []
    for count in range(1, len(changed) + 1):
        models = changed[:count]
        own = {name: engines[name].name for name in models}
        found = full if count == len(changed) else _answers(package, {**floats, **own}, data.samples, budget, progress)
        drop = scoring.of(told(metric, found.values(value))).drop
        kept = drop.high <= budget.max_drop
        tried.append(TriedEngines(models=tuple(models), added=models[-1], drop=drop, kept=kept))
        if not kept:
            break
    kept_models = tried[-1].models if tried[-1].kept else tried[-1].models[:-1]
    made = ChosenEngines(
        value=value,
        metric=metric,
        samples=len(data.samples),
        max_drop=budget.max_drop,
        tried=tuple(tried),
        on_float=tuple(name for name in changed if name not in kept_models),
        reason="",
        in_the_way="" if tried[-1].kept else tried[-1].added,
    )
    return replace(made, reason=_reason(made, budget.confidence))


def _all_float(package: ApplicationPackage) -> bool:
    """Whether the first engine of each model is its float baseline, so that there is nothing to choose."""
    firsts = [(one, first_choice(one)) for one in package.models.values()]
    return all(one.manifest.baselines[first.target] == first.name for one, first in firsts)


def _lost(facts: ModelFacts) -> float:
    """What a model lost in its own evidence; one that does not say it comes last."""
    return facts.drop.high if facts.drop is not None else float("inf")


def _answers(
    package: ApplicationPackage,
    engines: dict[str, str],
    samples: Sequence[Any],
    budget: WholeBudget,
    progress: Progress,
) -> Answered:
    # A limit of memory is for what ships.
    with Application(replace(package, max_memory=None), threads=budget.threads, engines=engines) as application:
        return answer_all(application, samples, progress)


def _reason(chosen: ChosenEngines, confidence: float) -> str:
    sure, last = f"{100 * confidence:g} %", chosen.tried[-1]
    metric = f"{metric_words(chosen.metric)} of '{chosen.value}'"
    budget = f"{100 * chosen.max_drop:g} are allowed"
    if last.kept:
        return (
            f"All models run the engines that their own builds chose: together they lose at most "
            f"{points_at_most(last.drop.high, chosen.max_drop)} percentage points of {metric} against float "
            f"({sure} bound); {budget}."
        )
    if least_bound(chosen.samples, confidence=confidence) > chosen.max_drop:
        fewest = least_samples(chosen.max_drop, confidence=confidence)
        why = f"{chosen.samples:,} samples are too few to show it; it takes at least {fewest:,}"
    else:
        why = f"measured are {100 * last.drop.value:z.2f}"
    runs = "runs" if len(chosen.on_float) == 1 else "run"
    beside = f" beside those of {', '.join(last.models[:-1])}" if len(last.models) > 1 else ""
    return (
        f"'{chosen.in_the_way}' is in the way of the budget: with the engine that its own build chose{beside}, the "
        f"whole may lose {points_at_most(last.drop.high, chosen.max_drop)} percentage points of {metric} against "
        f"float ({sure} bound; {why}); {budget}. So {', '.join(chosen.on_float)} {runs} in float."
    )
