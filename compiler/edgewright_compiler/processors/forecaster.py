"""Where forecasters come from: checkpoints of transformers, ONNX files and torch modules, with their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint, checkpoint_beside, read_json
from edgewright_compiler.graphs.read_graph import read_graph
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.series import (
    SETTINGS_FILE,
    ForecastSettings,
    SeriesForm,
    SeriesProcessor,
    forecast_of,
)
from edgewright_runtime.samples import SERIES_INPUT
from edgewright_targets import InputError
from edgewright_targets.errors import first_few
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    import onnx_ir


def _settings_in(folder: Path) -> ForecastSettings:
    path = folder / SETTINGS_FILE
    return read_record(ForecastSettings, read_json(path) if path.is_file() else {}, f"'{path}'")


# What a number of a model is called in forecast.json, and in words.
_NUMBERS = {
    "context": "how many values the model takes",
    "horizon": "how many values the model forecasts",
    "columns": "how many columns the model takes",
}


def _whole(where: str, name: str, *found: object) -> int:
    """The first of these that is a number of values, or of columns.

    Raises:
        InputError: None is.
    """
    for value in found:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    example = "'columns': ['load', 'wind']" if name == "columns" else f"'{name}': 24"
    raise InputError(
        f"'{where}': nothing says {_NUMBERS[name]}.",
        hint=f"Write it into {SETTINGS_FILE} beside the model; a function returns it third: {{{example}}}.",
    )


def _processor_of(checkpoint: Checkpoint) -> SeriesProcessor:
    settings, config, where = _settings_in(checkpoint.folder), checkpoint.config, checkpoint.name
    given = config.get("prediction_channel_indices")
    chosen = [place for place in given if isinstance(place, int)] if isinstance(given, list) else []
    form = SeriesForm(
        context=_whole(where, "context", config.get("context_length")),
        count=_whole(where, "columns", config.get("num_input_channels", 1)),
        horizon=_whole(where, "horizon", config.get("prediction_length")),
        # As the model does it: in the order of the columns.
        targets=tuple(sorted(chosen)) or None,
    )
    return SeriesProcessor(settings, form, where)


def _beside(path: Path, task: str) -> SeriesProcessor:
    beside = checkpoint_beside(path)
    settings, config = _settings_in(beside.folder), beside.config
    graph = read_graph(path).graph
    inputs = [value for value in graph.inputs if value.name not in graph.initializers]
    if len(inputs) != 1:
        raise InputError(
            f"'{path}': for {task} a graph takes one input; this one has {first_few(str(one.name) for one in inputs)}."
        )
    output = forecast_of([str(value.name) for value in graph.outputs])
    given = _sizes(inputs[0], path, task)
    gives = _sizes(next(value for value in graph.outputs if value.name == output), path, task)
    columns = 1 if given[1] == 0 else given[1] or len(settings.columns) or config.get("num_input_channels")
    form = SeriesForm(
        context=_whole(str(path), "context", given[0], settings.context, config.get("context_length")),
        count=_whole(str(path), "columns", columns),
        horizon=_whole(str(path), "horizon", gives[0], settings.horizon, config.get("prediction_length")),
        flat=given[1] == 0,
    )
    return _checked(settings, form, gives[1], str(path))


def _checked(settings: ForecastSettings, form: SeriesForm, gives: int | None, where: str) -> SeriesProcessor:
    """The processor, unless a graph gives another number of columns than the settings say."""
    processor = SeriesProcessor(settings, form, where)
    wanted = len(processor.windows.targets)
    if gives is not None and gives != wanted and not (gives == 0 and wanted == 1):
        raise InputError(
            f"'{where}' gives {gives or 1} columns; {wanted} are forecast by the settings.",
            hint=f'Name what it takes and gives in {SETTINGS_FILE} beside it: {{"columns": [...], "targets": [...]}}.',
        )
    return processor


def _sizes(value: onnx_ir.Value, path: Path, task: str) -> tuple[int | None, int | None]:
    """How many values and columns an array of a graph has: None where they may differ, 0 where there is no axis."""
    shape = list(value.shape) if value.shape is not None else []
    name = value.dtype.name if value.dtype is not None else "unknown"
    if name != "FLOAT" or len(shape) not in (2, 3):
        raise InputError(
            f"'{path}': '{value.name}' is {name} {[str(one) for one in shape]}; for {task} it is float32 of the shape "
            "[samples, values, columns].",
            hint="Build it without --task: it then takes named arrays.",
        )
    known = [size if isinstance(size, int) and size > 0 else None for size in shape[1:]]
    return known[0], 0 if len(known) == 1 else known[1]


def _from_settings(settings: Mapping[str, object] | None, feeds: Mapping[str, object], where: str) -> SeriesProcessor:
    if settings is None:
        raise InputError(
            f"'{where}': its task needs to know how many values the module forecasts.",
            hint="Return it third, for example: return model, inputs, {'horizon': 24, 'columns': ['load', 'wind']}",
        )
    known = read_record(ForecastSettings, settings, f"'{where}'")
    tensors: list[Any] = list(feeds.values())
    if len(tensors) != 1 or tensors[0].ndim not in (2, 3) or not tensors[0].is_floating_point():
        raise InputError(f"'{where}': a module that takes a series has one input, float [samples, values, columns].")
    (_, context, *columns) = tensors[0].shape
    form = SeriesForm(
        context=context,
        count=columns[0] if columns else 1,
        horizon=_whole(where, "horizon", known.horizon),
        flat=not columns,
    )
    return SeriesProcessor(replace(known, context=None, horizon=None), form, where)


def _check(folder: Path) -> None:
    _settings_in(folder)


SERIES = ProcessorKind(
    input_name=SERIES_INPUT,
    tools=("numpy",),
    check=_check,
    from_checkpoint=_processor_of,
    beside=_beside,
    files=(SETTINGS_FILE, "config.json"),
    from_settings=_from_settings,
    windows=lambda checkpoint: _processor_of(checkpoint).windows,
)
