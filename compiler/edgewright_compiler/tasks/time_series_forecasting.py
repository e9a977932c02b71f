"""The next values of a series: the forecasters of transformers that always answer alike, ONNX files, torch modules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_compiler.processors.forecaster import SERIES
from edgewright_compiler.tasks._single_graph import SingleGraph
from edgewright_compiler.tasks._task import Task
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_compiler.checkpoints.checkpoint import Checkpoint

# Class of transformers to the field of its answer that is the forecast.
_FORECASTERS = {
    "PatchTSTForPrediction": "prediction_outputs",
    "PatchTSMixerForPrediction": "prediction_outputs",
}
# What the others do.
_DRAW = ("Autoformer", "Informer", "TimeSeriesTransformer")


def _class_of(config: dict[str, object], folder: Path) -> str:
    """The class that loads a checkpoint.

    Raises:
        InputError: It is not one of those that are built.
    """
    names = config.get("architectures")
    found = [str(name) for name in names] if isinstance(names, list) else []
    known = next((name for name in found if name in _FORECASTERS), None)
    if known is not None:
        return known
    drawn = any(name.startswith(_DRAW) for name in found)
    raise InputError(
        f"'{folder}': {', '.join(found) or 'a model of no named class'} cannot be built as a forecaster"
        f"{': it draws its forecasts from a distribution' if drawn else ''}.",
        hint=f"Supported: {', '.join(_FORECASTERS)}.",
    )


def _check(config: dict[str, object], folder: Path) -> None:
    name = _class_of(config, folder)
    loss = config.get("loss", "mse")
    if name.startswith("Patch") and loss != "mse":
        raise InputError(
            f"'{folder}': it was trained with the loss '{loss}', so it gives a distribution and not one forecast.",
            hint="Train it with loss='mse', or export the mean of its distribution to an .onnx file.",
        )


class Forecaster(SingleGraph):
    """A forecaster with its own class of transformers; there is no automatic one for most."""

    def __init__(self, task: Task, checkpoint: Checkpoint) -> None:
        name = _class_of(checkpoint.config, checkpoint.folder)
        super().__init__(replace(task, model=name, outputs=(_FORECASTERS[name],)), checkpoint)


TASK = Task(
    name="time-series-forecasting",
    heads=("ForPrediction",),
    model="PatchTSTForPrediction",
    outputs=("prediction_outputs",),
    processor=SERIES,
    output_name="forecast",
    check=_check,
    open=Forecaster,
)
