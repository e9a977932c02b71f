"""Tiny forecasters, and series that repeat themselves with noise, made in code."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SEED = 7
COLUMNS = ("load", "wind")
CONTEXT, HORIZON, SEASON = 32, 6, 12


def series(rows: int = 240, *, columns: int = 2, seed: int = _SEED) -> Floats:
    """A trend, a season of 12 and noise; shape (rows, columns), each column on a scale of its own."""
    random = np.random.default_rng(seed)
    steps = np.arange(rows)[:, None]
    places = np.arange(columns)
    waves = np.sin(2 * np.pi * (steps / SEASON + places / 3))
    found: Floats = (waves + 0.01 * steps + 0.1 * random.normal(size=(rows, columns))) * 10.0**places + 5
    return found


def write_series(path: Path, values: Floats, columns: Sequence[str] = COLUMNS) -> Path:
    """A table with a row for each step of time, and a column that no model takes."""
    lines = [",".join(("month", *columns))]
    lines += [",".join((f"month {row}", *(repr(float(one)) for one in numbers))) for row, numbers in enumerate(values)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_settings(folder: Path, **settings: object) -> None:
    """What the graph does not say, beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "forecast.json").write_text(json.dumps(settings), encoding="utf-8")


def write_checkpoint(folder: Path, family: str, **settings: Any) -> Path:
    """A forecaster of one of `FAMILIES`, as `save_pretrained` writes it, of random weights."""
    import torch
    import transformers

    torch.manual_seed(_SEED)
    name, own = FAMILIES[family]
    config = getattr(transformers, f"{name}Config")(**own, **settings)
    getattr(transformers, f"{name}ForPrediction")(config).eval().save_pretrained(folder)
    return folder


def fitted(values: Floats, season: int = SEASON) -> tuple[Floats, Floats]:
    """The linear map from a context to what comes, by least squares over all windows; both in units of `values`.

    Args:
        values: Of one column, scaled; shape (rows,).
        season: Unused values of the context are those before two seasons.

    Returns:
        Weights [context, horizon] and shifts [horizon].
    """
    starts = range(len(values) - CONTEXT - HORIZON + 1)
    past = np.stack([np.append(values[start : start + CONTEXT], 1.0) for start in starts])
    past[:, : CONTEXT - 2 * season] = 0
    future = np.stack([values[start + CONTEXT : start + CONTEXT + HORIZON] for start in starts])
    found = np.linalg.lstsq(past, future, rcond=None)[0]
    return found[:-1], found[-1]


def network(values: Floats) -> Any:
    """The fitted maps of all columns as a torch module: [samples, context, columns] to [samples, horizon, columns]."""
    import torch

    maps = [fitted(column) for column in values.T]

    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = torch.nn.Parameter(torch.tensor(np.stack([one for one, _ in maps]), dtype=torch.float32))
            self.shifts = torch.nn.Parameter(torch.tensor(np.stack([one for _, one in maps]), dtype=torch.float32))

        def forward(self, past_values: Any) -> Any:
            # [columns, samples, context] @ [columns, context, horizon]
            made = past_values.permute(2, 0, 1) @ self.weights + self.shifts[:, None]
            return made.permute(1, 2, 0)

    return Linear().eval()


def write_graph(folder: Path, values: Floats, *, settings: bool = True) -> Path:
    """An ONNX file of a linear forecaster that is fitted to `values`, scaled; how they are scaled lies beside it."""
    import torch

    mean, std = values.mean(axis=0), values.std(axis=0)
    folder.mkdir(parents=True, exist_ok=True)
    if settings:
        names = list(COLUMNS[: values.shape[1]])
        write_settings(folder, columns=names, season=SEASON, mean=mean.tolist(), std=std.tolist())
    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network((values - mean) / std),
            (torch.zeros(1, CONTEXT, values.shape[1]),),
            folder / "model.onnx",
            input_names=["history"],
            output_names=["forecast"],
            dynamic_axes={"history": {0: "samples"}, "forecast": {0: "samples"}},
            dynamo=False,
        )
    return folder / "model.onnx"


_SIZES = {"context_length": CONTEXT, "prediction_length": HORIZON, "num_input_channels": 2, "patch_length": 8}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "patchtst": (
        "PatchTST",
        _SIZES
        | {"patch_stride": 8, "d_model": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 32}
        | {"do_mask_input": False},
    ),
    "patchtsmixer": ("PatchTSMixer", _SIZES | {"patch_stride": 8, "d_model": 8, "num_layers": 2}),
}
