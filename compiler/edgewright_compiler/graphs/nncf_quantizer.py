"""NNCF's quantizer for ONNX graphs: QDQ pairs placed for OpenVINO, smoothed activations, corrected biases.

NNCF sends usage data to its maker where the library `openvino-telemetry` is installed, prints a log and a progress bar,
and makes its own class that of all loggers of the process. None of that happens here.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from edgewright_compiler.graphs.exported import GRAPH_FILE
from edgewright_targets import Recipe
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    import onnx
    import onnx_ir

    from edgewright_runtime.wire import Arrays

_MADE = "nncf.onnx"
_TELEMETRY = "openvino_telemetry"
_SEED = 0


def quantize_by_nncf(source: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> onnx_ir.Model:
    """The graph in the folder `source` with the QDQ pairs of NNCF.

    Raises:
        MissingDependencyError: NNCF is not installed.
    """
    import numpy as np
    import onnx
    import onnx_ir

    nncf = _imported()
    model = onnx.load(source / GRAPH_FILE)
    presets = nncf.QuantizationPreset
    random = np.random.get_state()
    np.random.seed(_SEED)
    try:
        with _silent():
            made = nncf.quantize(
                model,
                nncf.Dataset(list(feeds)),
                preset=presets.PERFORMANCE if recipe.activation_symmetric else presets.MIXED,
                subset_size=len(feeds),
                fast_bias_correction=recipe.bias_correction == "fast",
                model_type=nncf.ModelType.TRANSFORMER if _is_transformer(model, recipe) else None,
                ignored_scope=_ignored(nncf, model, recipe),
                advanced_parameters=_advanced(nncf, recipe),
            )
    finally:
        np.random.set_state(random)
    onnx.save(made, scratch / _MADE, save_as_external_data=True, location=f"{_MADE}.data")
    return onnx_ir.load(scratch / _MADE)


def _is_transformer(model: onnx.ModelProto, recipe: Recipe) -> bool:
    """Whether attention is quantized by the scheme for it: by itself where a softmax is multiplied."""
    if recipe.model_type != "found":
        return recipe.model_type == "transformer"
    factors = {name for node in model.graph.node if node.op_type == "MatMul" for name in node.input}
    return any(
        node.op_type == "Attention" or (node.op_type == "Softmax" and node.output[0] in factors)
        for node in model.graph.node
    )


def _ignored(nncf: Any, model: onnx.ModelProto, recipe: Recipe) -> Any:
    """The nodes that stay in float: those that the recipe excludes, and those of types that it does not name."""
    names = {node.name for node in model.graph.node if recipe.operators and node.op_type not in recipe.operators}
    names |= {node.name for node in model.graph.node if node.name in recipe.excluded_nodes}
    return nncf.IgnoredScope(names=sorted(names))


def _advanced(nncf: Any, recipe: Recipe) -> Any:
    """Settings that NNCF calls advanced."""
    from nncf.quantization.advanced_parameters import (
        AdvancedQuantizationParameters,
        AdvancedSmoothQuantParameters,
        QuantizationParameters,
    )

    return AdvancedQuantizationParameters(
        overflow_fix=nncf.OverflowFix.ENABLE if recipe.reduce_range else nncf.OverflowFix.DISABLE,
        disable_bias_correction=recipe.bias_correction == "off",
        # NNCF would give each channel before a depthwise convolution a scale of its own. ONNX Runtime has no integer
        # kernel for that: EfficientNet-lite0 took 2.9 times as long as in float, and with one scale for all half.
        activations_quantization_params=QuantizationParameters(per_channel=False),
        weights_quantization_params=QuantizationParameters(per_channel=recipe.per_channel),
        smooth_quant_alphas=AdvancedSmoothQuantParameters(matmul=recipe.smooth_quant or -1),
    )


def _imported() -> Any:
    """NNCF, imported as if the library that sends its usage data were not installed."""
    loggers = logging.getLoggerClass()
    sending = {name: module for name, module in sys.modules.items() if name.split(".")[0] == _TELEMETRY}
    # A module that is None cannot be imported.
    sys.modules.update(dict.fromkeys({_TELEMETRY, *sending}))  # type: ignore[arg-type]
    try:
        with needs("nncf"):
            import nncf
            import nncf.onnx.quantization.quantize_model
    finally:
        del sys.modules[_TELEMETRY]
        sys.modules.update(sending)
        logging.setLoggerClass(loggers)
    return nncf


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Nothing is printed, and nothing is sent even where the process had imported NNCF before."""
    from nncf.common.logging import nncf_logger
    from nncf.telemetry import decorator

    with (
        mock.patch.object(decorator, "telemetry"),
        mock.patch.object(nncf_logger, "handlers", []),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        yield
