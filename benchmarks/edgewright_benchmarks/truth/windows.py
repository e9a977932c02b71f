"""How a series is cut into samples: what a model sees, and what it is to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.table.series import GiveForecast, ReadSeries
from edgewright_targets import InputError


@dataclass(frozen=True)
class Windows:
    """The windows of a model: what it is given, and the values behind that it is to say.

    Attributes:
        read: The step that makes the input of the graph of a series.
        forecast: The step that makes the forecast of its output.
    """

    read: ReadSeries
    forecast: GiveForecast

    @property
    def targets(self) -> list[int]:
        """The places of the columns that are forecast."""
        named = self.read.columns or self.forecast.columns
        return [named.index(name) for name in self.forecast.columns]

    @property
    def key(self) -> str:
        """All that decides which samples a file has."""
        read, forecast = self.read, self.forecast
        return repr((read.context, read.count, read.columns, read.season, forecast.horizon, forecast.columns))


def windows_of_steps(steps: Sequence[StepSpec]) -> Windows | None:
    """The windows of a pipeline; None where it does not take a series.

    Raises:
        InputError: Its steps do not fit together, as those of a package that was changed.
    """
    by_name = {spec.step: spec for spec in steps}
    if "read_series" not in by_name or "give_forecast" not in by_name:
        return None
    try:
        read, forecast = (make_free_step(by_name[name]) for name in ("read_series", "give_forecast"))
        assert isinstance(read, ReadSeries), "the table of steps says so"
        assert isinstance(forecast, GiveForecast), "the table of steps says so"
        found = Windows(read, forecast)
        targets = found.targets
    except (TypeError, ValueError, LookupError) as error:
        raise InputError(f"The steps of the pipeline do not fit together: {error}.") from error
    if len(targets) != read.count and not read.columns:
        raise InputError(f"The pipeline forecasts {len(targets)} of {read.count} columns, and nothing names them.")
    return found
