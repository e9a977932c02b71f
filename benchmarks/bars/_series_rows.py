"""Series: forecasters, whose own forecasts are the answers to compare with."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fitted_forecasters
import tiny_forecasters
from _row import SAMPLES, Made, Row

_CLASSES = {"patchtst": "PatchTSTForPrediction", "patchtsmixer": "PatchTSMixerForPrediction"}


def _tiny(family: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        source = tiny_forecasters.write_checkpoint(folder / "source", family)
        tiny_forecasters.write_settings(source, columns=tiny_forecasters.COLUMNS, season=tiny_forecasters.SEASON)
        values = tiny_forecasters.series()
        data = tiny_forecasters.write_series(folder / "series.csv", values)
        ends = (tiny_forecasters.CONTEXT + 7 * index for index in range(SAMPLES))
        named = [dict(zip(tiny_forecasters.COLUMNS, values[:end].T.tolist(), strict=True)) for end in ends]
        return Made(spec=str(source), data=data, samples=named)

    return make


def _co2(folder: Path) -> Made:
    found = fitted_forecasters.write_co2(folder)
    ends = (fitted_forecasters.CONTEXT + 29 * index for index in range(SAMPLES))
    return Made(
        spec=str(found.folder), data=found.after, samples=[{"co2": found.values[:end].tolist()} for end in ends]
    )


def _forecast(family: str) -> Callable[[Made], list[Any]]:
    def theirs(made: Made) -> list[Any]:
        import torch

        transformers: Any = importlib.import_module("transformers")
        model = getattr(transformers, _CLASSES[family]).from_pretrained(made.spec).eval()
        answers = []
        for sample in made.samples:
            columns = torch.tensor(list(sample.values()), dtype=torch.float32)
            with torch.no_grad():
                found = model(past_values=columns.T[None, -model.config.context_length :]).prediction_outputs[0]
            answers.append(dict(zip(sample, found.T.tolist(), strict=True)))
        return answers

    return theirs


ROWS = (
    *(
        Row(
            name=family,
            task="time-series-forecasting",
            weights="random weights",
            make=_tiny(family),
            theirs=_forecast(family),
            compared="forecast",
        )
        for family in _CLASSES
    ),
    Row(
        name="co2",
        task="time-series-forecasting",
        weights="PatchTST, trained on weeks before",
        make=_co2,
        theirs=_forecast("patchtst"),
        compared="forecast",
    ),
)
