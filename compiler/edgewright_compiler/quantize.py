"""Graphs to lower precision, by recipe, with ONNX Runtime's own quantizers. One function a method, and one list."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.component import copy_graph, save_graph
from edgewright_compiler.disk import disk_reason
from edgewright_targets import Recipe

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# Ranges settle within some dozens of samples; the rest of a calibration file only costs time.
CALIBRATION_SAMPLES = 128
# Operators that mark a graph as quantized already; quantizing it again would stack two roundings.
_QUANTIZED_OPERATORS = {
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger", "QLinearMatMul",
    "QLinearConv", "MatMulNBits",
}  # fmt: skip


class QuantizationError(Exception):
    """This graph cannot get this precision; the text says why, for people."""


def quantize(component: Path, recipe: Recipe, feeds: Sequence[Arrays], destination: Path) -> None:
    """Write the graph of the component in the precision of `recipe` into `destination`.

    Args:
        component: Folder of the float component.
        recipe: The method and its settings.
        feeds: What the graph is given for calibration samples; used by static methods.
        destination: A folder; gets `model.onnx` and `weights/`.

    Raises:
        QuantizationError: The graph or the feeds do not allow it.
    """
    import onnx_ir

    with tempfile.TemporaryDirectory(dir=destination) as scratch:
        graph = copy_graph(component, Path(scratch) / "float")
        _refuse_quantized(onnx_ir.load(graph))
        made = Path(scratch) / "quantized.onnx"
        try:
            with _quiet():
                METHODS[recipe.method](graph, recipe, feeds, made)
        except QuantizationError:
            raise
        except Exception as error:
            if disk_reason(error) is not None:
                # A full disk says nothing about the graph.
                raise
            raise QuantizationError(f"ONNX Runtime's quantizer failed: {type(error).__name__}: {error}") from error
        save_graph(onnx_ir.load(made), destination)


def _refuse_quantized(model: Any) -> None:
    found = sorted({node.op_type for node in model.graph.all_nodes()} & _QUANTIZED_OPERATORS)
    if found:
        raise QuantizationError(f"The graph is quantized already (it has {', '.join(found)}).")


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
        extra_options={"WeightSymmetric": recipe.weight_symmetric},
    )


def _static(graph: Path, recipe: Recipe, feeds: Sequence[Arrays], made: Path) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, quantize_static

    if not feeds:
        raise QuantizationError("Static quantization needs calibration data; pass it with --calibration.")
    methods = {
        "minmax": CalibrationMethod.MinMax,
        "entropy": CalibrationMethod.Entropy,
        "percentile": CalibrationMethod.Percentile,
    }
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
        calibrate_method=methods[recipe.calibration],
        extra_options={
            "ActivationSymmetric": recipe.activation_symmetric,
            "WeightSymmetric": recipe.weight_symmetric,
            "QuantizeBias": recipe.quantize_bias,
        },
    )


# `float` is no method here: its graph is the component's own.
METHODS: dict[str, Callable[[Path, Recipe, Sequence[Any], Path], None]] = {"dynamic": _dynamic, "static": _static}


class _Reader:
    """The calibration interface of `onnxruntime.quantization`."""

    def __init__(self, feeds: Sequence[Arrays]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Arrays | None:
        return next(self._feeds, None)


def _quant_type(name: str) -> Any:
    from onnxruntime.quantization import QuantType

    return {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8}[name]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantizer's advice to its own developers off the user's terminal; errors are raised all the same."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
