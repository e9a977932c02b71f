"""A forecaster that is trained in a minute on a real series: the carbon dioxide in the air over Mauna Loa, by weeks.

The series lies in statsmodels: C. D. Keeling and T. P. Whorf, 1958 to 2001, 2,284 weeks, of which 59 have no value.
"""

from __future__ import annotations

import csv
import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fetched import wheel_files

Floats = NDArray[np.float64]

_SEED = 0
# Two years to a quarter of one; a year has 52 weeks and a day.
CONTEXT, HORIZON, SEASON = 104, 13, 52
# Of the series, what the model is trained on; the last part is for evaluation alone.
_TRAINED = 0.7
_EPOCHS, _BATCH, _RATE = 12, 64, 2e-3


@dataclass(frozen=True)
class Forecaster:
    """A trained forecaster with its data.

    Attributes:
        folder: The checkpoint.
        before: A .csv file of the weeks that it was trained on.
        after: A .csv file of the weeks after these, and of so many before them as a context takes.
        values: The weeks of `after`.
    """

    folder: Path
    before: Path
    after: Path
    values: Floats


def weeks() -> Floats:
    """Parts in a million of each week; weeks without a value lie on the line between their neighbours.

    Raises:
        CannotFetchError: statsmodels cannot be fetched.
    """
    path = wheel_files("statsmodels") / "statsmodels" / "datasets" / "co2" / "co2.csv"
    with path.open(encoding="utf-8", newline="") as file:
        cells = [row["co2"].strip() for row in csv.DictReader(file)]
    values = np.array([float(cell) if cell else np.nan for cell in cells])
    known = np.isfinite(values)
    places = np.arange(len(values))
    whole: Floats = np.interp(places, places[known], values[known])
    return whole


def write_co2(folder: Path) -> Forecaster:
    """A PatchTST, trained on the first 70 % of the weeks. It takes some ten seconds.

    Raises:
        CannotFetchError: The series cannot be fetched.
    """
    values = weeks()
    cut = int(_TRAINED * len(values))
    folder.mkdir(parents=True, exist_ok=True)
    found = Forecaster(
        folder / "source",
        _write(folder / "before.csv", values[:cut]),
        _write(folder / "after.csv", values[cut - CONTEXT :]),
        values[cut - CONTEXT :],
    )
    if not found.folder.is_dir():
        _trained(values[:cut]).save_pretrained(found.folder)
        settings = {"columns": ["co2"], "season": SEASON}
        (found.folder / "forecast.json").write_text(json.dumps(settings), encoding="utf-8")
    return found


def seasonal_naive(values: Floats) -> float:
    """The mean absolute error of forecasts that repeat the year before, over the windows that a build cuts."""
    origins = range(len(values) - HORIZON, CONTEXT - 1, -HORIZON)
    errors = [np.abs(values[at : at + HORIZON] - values[at - SEASON : at - SEASON + HORIZON]) for at in origins]
    return float(np.mean(errors))


def _write(path: Path, values: Floats) -> Path:
    path.write_text("co2\n" + "".join(f"{value!r}\n" for value in values.tolist()), encoding="utf-8")
    return path


def _trained(values: Floats) -> Any:
    torch: Any = importlib.import_module("torch")
    transformers: Any = importlib.import_module("transformers")
    torch.manual_seed(_SEED)
    config = transformers.PatchTSTConfig(
        context_length=CONTEXT,
        prediction_length=HORIZON,
        num_input_channels=1,
        patch_length=13,
        patch_stride=13,
        d_model=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        ffn_dim=64,
        do_mask_input=False,
    )
    model = transformers.PatchTSTForPrediction(config)
    whole = torch.tensor(values, dtype=torch.float32).unfold(0, CONTEXT + HORIZON, 1)[..., None]
    steps = _EPOCHS * -(-len(whole) // _BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=_RATE, total_steps=steps)
    model.train()
    for _ in range(_EPOCHS):
        for chosen in torch.randperm(len(whole)).split(_BATCH):
            windows = whole[chosen]
            loss = model(past_values=windows[:, :CONTEXT], future_values=windows[:, CONTEXT:]).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()
