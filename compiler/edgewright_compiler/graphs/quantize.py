"""Graphs to lower precision, by recipe, with ONNX Runtime's own quantizers. One function a method, and one list."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.disk import disk_reason
from edgewright_compiler.graphs.end_layers import end_layers
from edgewright_compiler.graphs.exported import copy_graph, save_graph
from edgewright_compiler.graphs.float8 import int8_to_float8
from edgewright_compiler.graphs.float_types import bound_infinities, cast_floats
from edgewright_compiler.graphs.fused_attention import fuse_attention
from edgewright_compiler.graphs.opset import CHANNEL_SCALES, FLOAT8, WIDE_INTEGERS, OpsetError, raise_opset
from edgewright_compiler.graphs.plain_graph import inline_functions, name_nodes
from edgewright_compiler.graphs.quantized_already import quantized_already
from edgewright_compiler.graphs.tied_weights import untie_weights
from edgewright_targets import Recipe

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

# Ranges settle within some dozens of samples; the rest of a calibration file only costs time.
CALIBRATION_SAMPLES = 128
# Constants that mean infinity take this value: e^-20 is 2e-9, far below a step of 8-bit softmax.
_MASKED = 20.0

# ONNX Runtime's own default for logs: warnings and errors.
_USUAL_SEVERITY = 2


class QuantizationError(Exception):
    """This graph cannot get this precision; the text says why, for people."""


def quantize(folder: Path, recipe: Recipe, feeds: Sequence[Arrays], destination: Path) -> None:
    """Write a graph in the precision of `recipe` into `destination`.

    Args:
        folder: Of the float graph.
        recipe: The method and its settings.
        feeds: What the graph is given for calibration samples; used by static methods.
        destination: A folder; gets `model.onnx` and `weights/`.

    Raises:
        QuantizationError: The graph or the feeds do not allow it.
    """
    import onnx_ir

    with tempfile.TemporaryDirectory(dir=destination) as scratch:
        graph = copy_graph(folder, Path(scratch) / "float")
        model, recipe = _prepared(graph, recipe)
        made = Path(scratch) / "quantized.onnx"
        try:
            with _quiet():
                if recipe.fused_attention:
                    graph = fuse_attention(graph)
                if least := _least_opset(recipe):
                    graph = raise_opset(graph, model, least)
                METHODS[recipe.method](graph, recipe, feeds, made)
        except QuantizationError:
            raise
        except OpsetError as error:
            raise QuantizationError(str(error)) from error
        except Exception as error:
            if disk_reason(error) is not None:
                # A full disk says nothing about the graph.
                raise
            raise QuantizationError(f"ONNX Runtime's quantizer failed: {type(error).__name__}: {error}") from error
        save_graph(onnx_ir.load(made), destination)


def _prepared(graph: Path, recipe: Recipe) -> tuple[onnx_ir.Model, Recipe]:
    """The graph as quantizers need it, in its file where it had to be changed; and the recipe with all names for it.

    Raises:
        QuantizationError: It is quantized already, or has functions that cannot be inlined.
    """
    import onnx_ir

    model = onnx_ir.load(graph)
    try:
        inlined = inline_functions(model)
    except ValueError as error:
        raise QuantizationError(f"Its functions cannot be inlined: {error}") from error
    found = quantized_already(model)
    if found:
        raise QuantizationError(f"The graph is quantized already ({found}).")
    renamed, untied = name_nodes(model), untie_weights(model)
    excluded = [*recipe.excluded_nodes, *(name for old in recipe.excluded_nodes for name in renamed.get(old, ()))]
    if recipe.float_ends:
        excluded += end_layers(model)
    if inlined or renamed or untied:
        onnx_ir.save(model, graph, external_data="prepared.bin")
    return model, dataclasses.replace(recipe, excluded_nodes=tuple(excluded))


def _dynamic(graph: Path, recipe: Recipe, feeds: Sequence[Arrays], made: Path) -> None:
    del feeds
    from onnxruntime.quantization import quantize_dynamic

    quantize_dynamic(
        graph,
        made,
        op_types_to_quantize=list(recipe.operators) or None,
        per_channel=recipe.per_channel,
        weight_type=_quant_type(recipe.weight_type),
        nodes_to_exclude=list(recipe.excluded_nodes),
        use_external_data_format=True,
        extra_options={"WeightSymmetric": recipe.weight_symmetric},
    )


def _static(graph: Path, recipe: Recipe, feeds: Sequence[Arrays], made: Path) -> None:
    from onnxruntime.quantization import QuantFormat, quantize_static

    if not feeds:
        raise QuantizationError("Static quantization needs calibration data; pass it with --calibration.")
    if recipe.float_type != "float32":
        if recipe.float_type == "bfloat16":
            raise QuantizationError("Ranges cannot be calibrated in bfloat16: ONNX Runtime's CPU cannot run the graph.")
        graph = cast_floats(graph, recipe.float_type, graph.with_name("cast.onnx"))
    float8 = "float8e4m3fn" in (recipe.activation_type, recipe.weight_type)
    quantize_static(
        graph,
        made,
        _Reader(feeds),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=list(recipe.operators) or None,
        per_channel=recipe.per_channel,
        activation_type=_quant_type(recipe.activation_type),
        weight_type=_quant_type(recipe.weight_type),
        nodes_to_exclude=list(recipe.excluded_nodes),
        # A file of protobuf holds no more than 2 GB; whatever the size, the weights are written apart.
        use_external_data_format=True,
        calibrate_method=_calibration(recipe),
        extra_options={
            "ActivationSymmetric": recipe.activation_symmetric,
            "WeightSymmetric": recipe.weight_symmetric,
            "QuantizeBias": recipe.quantize_bias,
            "AddQDQPairToWeight": float8,
        },
    )
    if float8:
        int8_to_float8(made)


def _cast(graph: Path, recipe: Recipe, feeds: Sequence[Arrays], made: Path) -> None:
    del feeds
    cast_floats(graph, recipe.float_type, made)


def _qnn(graph: Path, recipe: Recipe, feeds: Sequence[Arrays], made: Path) -> None:
    """QDQ pairs around every operator, of the types that the Hexagon NPU takes; the shapes must be fixed before."""
    import onnxruntime.quantization as ort
    from onnxruntime.quantization.execution_providers.qnn import get_qnn_qdq_config, qnn_preprocess_model

    if not feeds:
        raise QuantizationError("Quantization for the NPU needs calibration data; pass it with --calibration.")
    _bound_infinities(graph)
    prepared = made.with_name("prepared.onnx")
    if not qnn_preprocess_model(
        graph,
        prepared,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        external_data_location=f"{prepared.stem}.bin",
    ):
        prepared = graph
    config = get_qnn_qdq_config(
        prepared,
        _Reader(feeds),
        calibrate_method=_calibration(recipe),
        activation_type=_quant_type(recipe.activation_type),
        weight_type=_quant_type(recipe.weight_type),
        per_channel=recipe.per_channel,
        activation_symmetric=recipe.activation_symmetric,
        weight_symmetric=recipe.weight_symmetric,
        op_types_to_quantize=list(recipe.operators) or None,
        nodes_to_exclude=list(recipe.excluded_nodes) or None,
    )
    config.use_external_data_format = True
    ort.quantize(prepared, made, config)


def _bound_infinities(graph: Path) -> None:
    """Exporters mask attention with the lowest float there is, which would stretch the range of scores beyond use."""
    import onnx_ir

    model = onnx_ir.load(graph)
    bound_infinities(model, _MASKED)
    onnx_ir.save(model, graph, external_data="bounded.bin")


def _weight_only(graph: Path, recipe: Recipe, feeds: Sequence[Arrays], made: Path) -> None:
    del feeds
    from edgewright_compiler.graphs.weight_only import quantize_weights

    if not quantize_weights(graph, recipe, made):
        raise QuantizationError("The graph has no matrix product with a constant weight, so there is nothing to store.")


# `float` is no method here: its graph is the exported one.
METHODS: dict[str, Callable[[Path, Recipe, Sequence[Any], Path], None]] = {
    "dynamic": _dynamic,
    "static": _static,
    "cast": _cast,
    "qnn": _qnn,
    "weight-only": _weight_only,
}


# Those that find ranges on calibration samples.
CALIBRATED = frozenset({"static", "qnn"})


def _least_opset(recipe: Recipe) -> int:
    """The opset from which on QDQ pairs are as a recipe wants them; 0 where any will do."""
    if recipe.method not in CALIBRATED:
        return 0
    kinds = (recipe.activation_type, recipe.weight_type)
    if "uint16" in kinds:
        return WIDE_INTEGERS
    if "float8e4m3fn" in kinds:
        return FLOAT8
    return CHANNEL_SCALES if recipe.per_channel else 0


class _Reader:
    """The calibration interface of `onnxruntime.quantization`."""

    def __init__(self, feeds: Sequence[Arrays]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Arrays | None:
        return next(self._feeds, None)


def _quant_type(name: str) -> Any:
    from onnxruntime.quantization import QuantType

    types = {
        "uint8": QuantType.QUInt8,
        "int8": QuantType.QInt8,
        "uint16": QuantType.QUInt16,
        # Ranges of float8 are found as those of int8 and scaled afterwards; see `float8`.
        "float8e4m3fn": QuantType.QInt8,
    }
    return types[name]


def _calibration(recipe: Recipe) -> Any:
    from onnxruntime.quantization import CalibrationMethod

    methods = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }
    return methods[recipe.calibration]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantizer's advice to its own developers off the user's terminal; errors are raised all the same."""
    import onnxruntime

    root = logging.getLogger()
    level, disabled = root.level, root.manager.disable
    # Not by the level alone: a quantizer that is imported here sets it to its own.
    logging.disable(logging.WARNING)
    # Its sessions log by the default: 3 is errors alone.
    onnxruntime.set_default_logger_severity(3)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        onnxruntime.set_default_logger_severity(_USUAL_SEVERITY)
        root.setLevel(level)
        logging.disable(disabled)
