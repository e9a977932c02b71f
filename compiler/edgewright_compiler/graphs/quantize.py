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
from edgewright_compiler.graphs.exported import GRAPH_FILE, load_graph, save_graph, write_graph
from edgewright_compiler.graphs.quantized_already import quantized_already
from edgewright_targets import Recipe

if TYPE_CHECKING:
    import onnx_ir
    from onnx_ir.passes import PassBase

    from edgewright_runtime.wire import Arrays

# Ranges settle within some dozens of samples; the rest of a calibration file only costs time.
CALIBRATION_SAMPLES = 128
# What constants that mean infinity become. Beside 8-bit ranges: e^-20 is 2e-9, far below a step of 8-bit softmax.
_MASKED = 20.0
# In floats of 16 bits: within float16, stays so when a score is added to it, and is 0 after a softmax.
_MASKED_FLOAT = 3e4
# A folder within the scratch for what ONNX Runtime's quantizer is given, and a file for what it makes.
_INPUT, _MADE = "float", "quantized.onnx"

# ONNX Runtime's word for kernels that round activations to int8 block by block inside the product. Without them 8 bits
# are unpacked to float first, and slower than float weights.
_INT8_KERNELS = 4
# ONNX Runtime's own default for logs: warnings and errors.
_USUAL_SEVERITY = 2


class QuantizationError(Exception):
    """This graph cannot get this precision; the text says why, for people."""


def quantize(folder: Path, recipe: Recipe, feeds: Sequence[Arrays], destination: Path) -> None:
    """Write a graph in the precision of `recipe` into `destination`.

    The graph is read, edited by passes and written once for ONNX Runtime's quantizer; what that makes is edited by
    passes again and written once.

    Args:
        folder: Of the float graph.
        recipe: The method and its settings.
        feeds: What the graph is given for calibration samples; used by static methods.
        destination: A folder; gets `model.onnx` and `weights/`.

    Raises:
        QuantizationError: The graph or the feeds do not allow it.
    """
    from edgewright_compiler.graphs.passes.contract import EditError, edit

    with tempfile.TemporaryDirectory(dir=destination) as place, _quiet():
        scratch = Path(place)
        try:
            # The model is not held while the quantizer runs: its weights would be in memory twice.
            recipe = _write_prepared(load_graph(folder), recipe, feeds, scratch / _INPUT)
            with _own_failures():
                model = METHODS[recipe.method](scratch / _INPUT, recipe, feeds, scratch)
            if after := _passes_after(recipe, scratch / _INPUT):
                edit(model, *after)
        except EditError as error:
            raise QuantizationError(str(error)) from error
        save_graph(model, destination)


def _check_calibrated(recipe: Recipe, feeds: Sequence[Arrays]) -> None:
    if not feeds:
        title = "Quantization for the NPU" if recipe.method == "qnn" else "Static quantization"
        raise QuantizationError(f"{title} needs calibration data; pass it with --calibration.")
    if recipe.float_type == "bfloat16":
        raise QuantizationError("Ranges cannot be calibrated in bfloat16: ONNX Runtime's CPU cannot run the graph.")


def _write_prepared(model: onnx_ir.Model, recipe: Recipe, feeds: Sequence[Arrays], folder: Path) -> Recipe:
    """Write the graph as the quantizer needs it; gives the recipe with the names that its nodes have now.

    Raises:
        QuantizationError: It is quantized already, or there is nothing to calibrate it with.
        EditError: It cannot be edited so.
    """
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    from edgewright_compiler.graphs.passes.contract import edit
    from edgewright_compiler.graphs.passes.plain_graph import InlineFunctions, NameNodes
    from edgewright_compiler.graphs.passes.tied_weights import UntieWeights

    inlined = edit(model, InlineFunctions())
    if found := quantized_already(model):
        raise QuantizationError(f"The graph is already quantized ({found}).")
    if recipe.method in CALIBRATED:
        _check_calibrated(recipe, feeds)
    excluded = [node for node in model.graph.all_nodes() if node.name in recipe.excluded_nodes]
    if edit(model, NameNodes(), UntieWeights()) or inlined or recipe.float_ends:
        # The layer before one that nothing reads is a last layer too.
        edit(model, RemoveUnusedNodesPass())
    names = [*recipe.excluded_nodes, *(str(node.name) for node in excluded)]
    if recipe.float_ends:
        names += end_layers(model)
    if before := _passes_before(recipe):
        edit(model, *before)
    write_graph(model, folder)
    return dataclasses.replace(recipe, excluded_nodes=tuple(dict.fromkeys(names)))


def _passes_before(recipe: Recipe) -> list[PassBase]:
    """What a graph needs before ONNX Runtime's quantizer."""
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    from edgewright_compiler.graphs.passes.float_types import BoundInfinities
    from edgewright_compiler.graphs.passes.fused_attention import FuseAttention
    from edgewright_compiler.graphs.passes.gemms import SplitGemms
    from edgewright_compiler.graphs.passes.opset import RaiseOpset

    passes: list[PassBase] = []
    if recipe.fused_attention:
        passes.append(FuseAttention())
    if least := _least_opset(recipe):
        passes.append(RaiseOpset(least))
    if recipe.method == "qnn":
        # Exporters mask attention with the lowest float there is, which would stretch the range of scores beyond use.
        passes.append(BoundInfinities(_MASKED))
    elif recipe.method == "cast" or (recipe.method == "static" and recipe.float_type != "float32"):
        passes.append(BoundInfinities(_MASKED_FLOAT))
    elif recipe.method == "weight-only":
        passes += [SplitGemms(), RemoveUnusedNodesPass()]
    return passes


def _passes_after(recipe: Recipe, source: Path) -> list[PassBase]:
    """What a graph needs after ONNX Runtime's quantizer, which was given the graph in the folder `source`."""
    from edgewright_compiler.graphs.passes.float8 import Int8ToFloat8
    from edgewright_compiler.graphs.passes.float_types import BrainFloats

    if recipe.method == "static" and _is_float8(recipe):
        return [Int8ToFloat8()]
    if recipe.method == "cast" and recipe.float_type == "bfloat16":
        return [BrainFloats(load_graph(source))]
    return []


def _is_float8(recipe: Recipe) -> bool:
    return "float8e4m3fn" in (recipe.activation_type, recipe.weight_type)


def _dynamic(source: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> onnx_ir.Model:
    del feeds
    import onnx_ir
    from onnxruntime.quantization import quantize_dynamic

    quantize_dynamic(
        source / GRAPH_FILE,
        scratch / _MADE,
        op_types_to_quantize=list(recipe.operators) or None,
        per_channel=recipe.per_channel,
        weight_type=_quant_type(recipe.weight_type),
        nodes_to_exclude=list(recipe.excluded_nodes),
        use_external_data_format=True,
        extra_options={"WeightSymmetric": recipe.weight_symmetric},
    )
    return onnx_ir.load(scratch / _MADE)


def _static(source: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> onnx_ir.Model:
    import onnx_ir
    from onnxruntime.quantization import QuantFormat, quantize_static

    if recipe.float_type != "float32":
        source = write_graph(_cast(source, recipe, feeds, scratch), scratch / "cast").parent
    quantize_static(
        source / GRAPH_FILE,
        scratch / _MADE,
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
            "AddQDQPairToWeight": _is_float8(recipe),
        },
    )
    return onnx_ir.load(scratch / _MADE)


def _cast(source: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> onnx_ir.Model:
    """The graph with floats of 16 bits, chosen by ONNX Runtime's converter; inputs and outputs keep their types."""
    del recipe, feeds, scratch
    import onnx_ir
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model: onnx_ir.Model = onnx_ir.from_proto(convert_float_to_float16(str(source / GRAPH_FILE), keep_io_types=True))
    return model


def _qnn(source: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> onnx_ir.Model:
    """QDQ pairs around every operator, of the types that the Hexagon NPU takes; the shapes must be fixed before."""
    import onnx_ir
    import onnxruntime.quantization as ort
    from onnxruntime.quantization.execution_providers.qnn import get_qnn_qdq_config, qnn_preprocess_model

    graph, prepared = source / GRAPH_FILE, scratch / "prepared.onnx"
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
    ort.quantize(prepared, scratch / _MADE, config)
    return onnx_ir.load(scratch / _MADE)


def _weight_only(source: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> onnx_ir.Model:
    """Weights of matrix products in blocks of few bits, activations in float: for generators, which wait for memory.

    A generator reads all its weights for each token, so fewer bytes are fewer milliseconds. The products become
    `MatMulNBits`, an operator of ONNX Runtime's own; embeddings and what is not a product stay as they are.
    """
    del feeds
    import onnx
    import onnx_ir
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(
        onnx.load(source / GRAPH_FILE),
        bits=recipe.weight_bits,
        block_size=recipe.block_size,
        is_symmetric=recipe.weight_symmetric,
        accuracy_level=_INT8_KERNELS,
        nodes_to_exclude=list(recipe.excluded_nodes),
        op_types_to_quantize=("MatMul",),
    )
    quantizer.process()
    quantized: Any = quantizer.model
    if not any(node.op_type == "MatMulNBits" for node in quantized.model.graph.node):
        raise QuantizationError(
            "The graph has no matrix product with a constant weight, so no weights can be quantized."
        )
    quantized.save_model_to_file(str(scratch / _MADE), use_external_data_format=True)
    return onnx_ir.load(scratch / _MADE)


# ONNX Runtime's quantizers: each is given the folder of the prepared graph, and gives the model that it makes, with
# weights in the scratch folder. `float` is not a method here: its graph is the exported one.
METHODS: dict[str, Callable[[Path, Recipe, Sequence[Arrays], Path], onnx_ir.Model]] = {
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
    from edgewright_compiler.graphs.passes.opset import CHANNEL_SCALES, FLOAT8, WIDE_INTEGERS

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
def _own_failures() -> Iterator[None]:
    """Let what ONNX Runtime's quantizers throw, which has no common base, be about the graph."""
    try:
        yield
    except QuantizationError:
        raise
    except Exception as error:
        if disk_reason(error) is not None:
            # A full disk says nothing about the graph.
            raise
        raise QuantizationError(f"ONNX Runtime's quantizer failed: {type(error).__name__}: {error}") from error


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
