"""ONNX Runtime's quantizers, one function a method, and one list. Each takes a graph in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.graphs.exported import GRAPH_FILE, write_graph
from edgewright_compiler.graphs.half_floats import in_half_floats
from edgewright_compiler.graphs.histogram_ranges import write_ranges
from edgewright_compiler.graphs.nncf_quantizer import quantize_by_nncf
from edgewright_compiler.graphs.wide_activations import wide_overrides
from edgewright_runtime.package_files import folder_bytes
from edgewright_targets import Recipe

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

# A file within the scratch folder.
_MADE = "quantized.onnx"
# ONNX Runtime's word for kernels that round activations to int8 block by block inside the product. Without them 8 bits
# are unpacked to float first, and slower than float weights.
_INT8_KERNELS = 4
# What one file of protobuf holds.
_PROTOBUF_LIMIT = 2**31 - 1


class QuantizationError(Exception):
    """This graph cannot get this precision; the text says why, for people."""


def is_float8(recipe: Recipe) -> bool:
    """Whether a recipe has weights or activations in float8."""
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
        reduce_range=recipe.reduce_range,
        extra_options={"WeightSymmetric": recipe.weight_symmetric},
    )
    return onnx_ir.load(scratch / _MADE)


def _static(source: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> onnx_ir.Model:
    import onnx_ir
    from onnxruntime.quantization import QuantFormat, quantize_static

    if recipe.float_type != "float32":
        source = write_graph(_cast(source, recipe, feeds, scratch), scratch / "cast").parent
    ranges = None if recipe.calibration == "minmax" else write_ranges(source / GRAPH_FILE, recipe, feeds, scratch)
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
        calibration_cache_path=ranges,
        reduce_range=recipe.reduce_range,
        extra_options={
            "ActivationSymmetric": recipe.activation_symmetric,
            "WeightSymmetric": recipe.weight_symmetric,
            "QuantizeBias": recipe.quantize_bias,
            "AddQDQPairToWeight": is_float8(recipe),
            # TensorRT takes pairs before a layer. One behind it would round what a layer in float16 takes, and stand
            # between a convolution and its activation.
            "OpTypesToExcludeOutputQuantization": list(recipe.operators) if recipe.float_type == "float16" else [],
        },
    )
    return onnx_ir.load(scratch / _MADE)


def _cast(source: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> onnx_ir.Model:
    del feeds, scratch
    return in_half_floats(source, recipe)


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
    overrides: dict[str, Any] = {}
    if recipe.wide_nodes:
        named = [node for node in onnx_ir.load(graph).graph if node.name in recipe.wide_nodes]
        outputs = {str(value.name) for node in named for value in node.outputs}
        overrides = wide_overrides(onnx_ir.load(prepared), recipe.wide_nodes, outputs)
    config = get_qnn_qdq_config(
        prepared,
        _Reader(feeds),
        calibrate_method=_calibration(recipe),
        activation_type=_quant_type(recipe.activation_type),
        weight_type=_quant_type(recipe.weight_type),
        per_channel=recipe.per_channel,
        # They are whole: ONNX Runtime's fixer would widen the nodes behind them as well.
        init_overrides=overrides,
        add_qtype_converts=False,
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


def _nncf(source: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> onnx_ir.Model:
    """QDQ pairs by NNCF, which serializes graphs with their weights in them."""
    size = folder_bytes(source)
    if size > _PROTOBUF_LIMIT:
        raise QuantizationError(f"NNCF takes graphs of less than 2 GiB; this one has {size / 2**30:.1f} GiB.")
    return quantize_by_nncf(source, recipe, feeds, scratch)


# ONNX Runtime's quantizers: each is given the folder of the prepared graph, and gives the model that it makes, with
# weights in the scratch folder. `float` is not a method here: its graph is the exported one.
METHODS: dict[str, Callable[[Path, Recipe, Sequence[Arrays], Path], onnx_ir.Model]] = {
    "dynamic": _dynamic,
    "static": _static,
    "cast": _cast,
    "qnn": _qnn,
    "nncf": _nncf,
    "weight-only": _weight_only,
}


# Those that find ranges on calibration samples.
CALIBRATED = frozenset({"static", "qnn", "nncf"})


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
