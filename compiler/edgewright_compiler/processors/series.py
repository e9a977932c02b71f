"""Series for forecasters: how many values of which columns go in and come out, and what a graph does not scale itself.

`forecast.json` beside a source, or what a function returns beside its module, says what a graph does not: see
`ForecastSettings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.truth.windows import Windows, windows_of_steps
from edgewright_compiler.processors import batch_axes
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.samples import SERIES_INPUT
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

if TYPE_CHECKING:
    from pathlib import Path

    from edgewright_runtime.wire import Arrays

SETTINGS_FILE = "forecast.json"
# As the models of transformers call it; graphs call theirs as they like.
INPUT = "past_values"
# Parts of the names of outputs that are forecasts.
_FORECASTS = ("prediction", "forecast", "predict")


@dataclass(frozen=True, kw_only=True)
class ForecastSettings:
    """What is known of a forecaster beside its graph.

    Attributes:
        columns: Names of the columns that it takes, in the order of training.
        targets: Those that it forecasts; by default all.
        season: After so many values the series is like itself: 12 for months of a year.
        mean: Of each column, where training subtracted it and the graph does not.
        std: Of each column, where training divided by it and the graph does not.
        context: How many values it takes, where neither the graph nor config.json says it.
        horizon: How many it forecasts; likewise.
    """

    columns: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    season: int = 1
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    context: int | None = None
    horizon: int | None = None


@dataclass(frozen=True, kw_only=True)
class SeriesForm:
    """What a model takes and gives: so many values of so many columns, and which of these it forecasts (None: all)."""

    context: int
    count: int
    horizon: int
    targets: tuple[int, ...] | None = None
    flat: bool = False


class SeriesProcessor:
    """From a series to the input of a graph, and from its output to the next values.

    Raises:
        InputError: The settings do not fit the model.
    """

    def __init__(self, settings: ForecastSettings, form: SeriesForm, where: str) -> None:
        self._form, self._where = form, where
        columns = settings.columns or tuple(f"channel_{place + 1}" for place in range(form.count))
        if not settings.columns and form.count == 1:
            columns = ("value",)
        targets = _targets(settings, form, columns, where)
        scales = {"mean": settings.mean, "std": settings.std}
        own: dict[str, object] = {
            "context": form.context,
            "count": form.count,
            "season": settings.season,
            "flat": form.flat,
        }
        read = own | {"columns": list(settings.columns)} | {name: list(scale) for name, scale in scales.items()}
        chosen = {name: [scale[place] for place in targets if place < len(scale)] for name, scale in scales.items()}
        give: dict[str, object] = {"horizon": form.horizon, "columns": [columns[place] for place in targets], **chosen}
        self._read = StepSpec("read_series", {"output": INPUT, **read})
        self._give = StepSpec("give_forecast", {"output": "", **give})
        try:
            windows = windows_of_steps((self._read, self._give))
        except InputError as error:
            raise InputError(
                f"'{where}': {error.__cause__ or error.message}.",
                hint=f"Its settings are read from {SETTINGS_FILE} beside it.",
            ) from error
        assert windows is not None, "both steps are there"
        self.windows: Windows = windows

    def example(self) -> dict[str, object]:
        """Torch tensors by input name for the exporter: two series, or one of a model that takes one at a time."""
        import torch

        if self._form.flat:
            return {INPUT: torch.zeros(1, self._form.context)}
        return {INPUT: torch.zeros(2, self._form.context, self._form.count)}

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the number of series, but of a model that takes one at a time."""
        return {name: {} for name in feeds} if self._form.flat else batch_axes(feeds)

    def feeds(self, sample: Any) -> Arrays:
        """The input of a series, made by the step: a forecaster has no way of its own from a series."""
        return {**self.windows.read({SERIES_INPUT: sample})}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The step from a series to the graph's input."""
        if len(inputs) != 1:
            raise InputError(f"'{self._where}': a forecaster takes one input; the graph has {', '.join(inputs)}.")
        return (StepSpec("read_series", {**self._read.options, "output": inputs[0]}),)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The step from the graph's output to the next values."""
        return (StepSpec("give_forecast", {**self._give.options, "output": forecast_of(outputs)}),)

    def keep(self, folder: Path) -> None:
        """Nothing: the steps need no files."""


def _targets(settings: ForecastSettings, form: SeriesForm, columns: Sequence[str], where: str) -> tuple[int, ...]:
    if len(columns) != form.count or len(set(columns)) != len(columns):
        raise InputError(f"'{where}': {SETTINGS_FILE} names {len(set(columns))} columns; the model takes {form.count}.")
    chosen = form.targets if form.targets is not None else tuple(range(form.count))
    if settings.targets:
        if unknown := [name for name in settings.targets if name not in columns]:
            raise InputError(
                f"'{where}': the target {first_few(map(repr, unknown))} is not a column; the columns are "
                f"{first_few(columns)}."
            )
        chosen = tuple(columns.index(name) for name in settings.targets)
    if any(not 0 <= place < form.count for place in chosen):
        raise InputError(f"'{where}': it forecasts columns {list(chosen)}; it takes {form.count}.")
    if len(chosen) != form.count and not settings.columns:
        raise InputError(
            f"'{where}' forecasts {len(chosen)} of {form.count} columns, and nothing names them.",
            hint=f'Write {{"columns": [...], "targets": [...]}} into {SETTINGS_FILE} beside it.',
        )
    return chosen


def forecast_of(outputs: Sequence[str]) -> str:
    """The output that is the forecast: the first that is called so, or the first."""
    return next((name for word in _FORECASTS for name in outputs if word in name.lower()), outputs[0])
