"""What a build says of the engines that it chose together for the models of an application."""

from __future__ import annotations

from dataclasses import dataclass

from edgewright_benchmarks.interval import Interval


@dataclass(frozen=True, kw_only=True)
class TriedEngines:
    """A combination of the sequence.

    Attributes:
        models: Those that run the engine that their own build chose; the others run their float baseline.
        added: The one of them that the combination before had not.
        drop: Of the metric against float engines throughout; `high` is the bound that is compared with the budget.
        kept: The bound is within the budget.
    """

    models: tuple[str, ...]
    added: str
    drop: Interval
    kept: bool


@dataclass(frozen=True, kw_only=True)
class ChosenEngines:
    """Which models run the engines that their own builds chose, with the evidence.

    Attributes:
        value: The value whose metric the budget is of.
        metric: That metric, as in the file of an application.
        samples: Samples that it was decided on.
        max_drop: The budget as a share.
        tried: All that were tried, in their order; the last one ended the sequence, unless it was kept.
        on_float: Models that run their float baseline instead.
        reason: Why, as a sentence.
        in_the_way: The model whose chosen engine the whole cannot afford; empty where there is none.
    """

    value: str
    metric: str
    samples: int
    max_drop: float
    tried: tuple[TriedEngines, ...]
    on_float: tuple[str, ...]
    reason: str
    in_the_way: str = ""
