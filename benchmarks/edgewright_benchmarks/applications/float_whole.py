"""An application with the float baseline of each model: what the engines that were chosen are compared with."""

from __future__ import annotations

from collections.abc import Mapping

from edgewright_benchmarks.applications.whole_result import FloatWhole, WholeResult
from edgewright_benchmarks.metrics import metric_words
from edgewright_benchmarks.statistics.bounds import points_at_most, significant
from edgewright_runtime.applications.application import Application, ApplicationPackage
from edgewright_runtime.loading import first_choice
from edgewright_runtime.model import EngineInfo


def float_engines(package: ApplicationPackage, engines: Mapping[str, EngineInfo]) -> dict[str, str] | None:
    """Model -> its float baseline; None where each model that ran is its float baseline.

    Args:
        package: The application.
        engines: Model -> the engine that ran, of those that were needed.
    """
    found = {}
    for name, one in package.models.items():
        target = engines[name].target if name in engines else first_choice(one).target
        found[name] = one.manifest.baselines[target]
    return None if all(found[name] == info.name for name, info in engines.items()) else found


def float_application(application: Application, *, threads: int | None) -> Application | None:
    """The same application with float engines, to be closed; None where all that ran are that.

    Args:
        application: It, after its calls.
        threads: That a call of a model may use.

    Raises:
        EngineUnavailableError: When it is called: the float baseline of a model does not run here.
        MemoryLimitError: The float baseline of a model does not fit into the limit of the application.
    """
    engines = float_engines(application.package, application.engines)
    if engines is None:
        return None
    # Under the same limit of memory: what makes room for one model takes time on both sides.
    return Application(application.package, threads=threads, engines=engines)


def float_sentence(result: WholeResult) -> str:
    """What the chosen engines gain and lose against float, as a sentence; empty where that is not known."""
    if result.float_whole is not None:
        figures = f"{_latency(result.float_whole)}{_loss(result)}"
        return f"Against the float engines of its models, measured in turns: {figures}."
    known = [one for one in result.models if one.engine]
    if known and all(one.engine == one.baseline for one in known):
        return "All models run their float engines, so nothing is lost."
    return ""


def _latency(floats: FloatWhole) -> str:
    ratio = floats.ratio
    low, high = significant(ratio.low), significant(ratio.high)
    return (
        f"{significant(ratio.value)} times the latency ({100 * ratio.confidence:g} % interval {low} to {high}; median "
        f"{significant(1e3 * floats.latency.p50)} ms with float)"
    )


def _loss(result: WholeResult) -> str:
    losses = []
    for figures in result.values:
        drop, name = figures.accuracy.drop, next(iter(figures.accuracy.metrics))
        losses.append(
            f"{100 * drop.value:z.2f} percentage points of {metric_words(name)} of '{figures.value}' are lost, at most "
            f"{points_at_most(drop.high)} with {100 * drop.confidence:g} % confidence"
        )
    return "".join(f"; {one}" for one in losses)
