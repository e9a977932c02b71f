"""How a graph gets its precision. Apart from targets, because a package says it too and a device reads no target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# The precision of a graph that was quantized before it came here.
AS_IT_IS = "as-is"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a graph gets its precision: a value, so it can be hashed, compared and printed.

    Attributes:
        method: `float` leaves the graph as it is, `dynamic` quantizes weights and finds activation ranges at run
            time, `static` inserts QDQ pairs with calibrated ranges, `qnn` does that as the Snapdragon NPU wants it,
            `weight-only` stores weights of matrix products in blocks of few bits and leaves activations float,
            `cast` only changes the type of floats.
        activation_type: Type of quantized activations.
        weight_type: Type of quantized weights.
        per_channel: One scale for each output channel of a weight.
        activation_symmetric: Zero point of activations fixed at zero.
        weight_symmetric: Zero point of weights fixed at zero.
        quantize_bias: Quantize biases to int32 as well.
        calibration: How ranges are found from the calibration samples.
        operators: Operator types to quantize; empty means those the method supports.
        excluded_nodes: Names of nodes that stay in float.
        float_ends: The first and the last layers stay in float: those that no other comes before, or after.
        fused_attention: Attention becomes one operator, which ONNX Runtime's own provider has and others do not.
        weight_bits: Bits of a weight of `weight-only`.
        block_size: So many weights of `weight-only` share a scale: a power of two from 16 on.
        float_type: Type of what stays float, for the methods `cast` and `static`. Inputs and outputs of the graph keep
            theirs.
    """

    method: Literal["float", "dynamic", "static", "qnn", "weight-only", "cast"] = "float"
    activation_type: Literal["uint8", "int8", "uint16", "float8e4m3fn"] = "uint8"
    weight_type: Literal["uint8", "int8", "float8e4m3fn"] = "int8"
    per_channel: bool = True
    activation_symmetric: bool = False
    weight_symmetric: bool = True
    quantize_bias: bool = False
    calibration: Literal["minmax", "entropy", "percentile"] = "minmax"
    operators: tuple[str, ...] = ()
    excluded_nodes: tuple[str, ...] = ()
    float_ends: bool = False
    fused_attention: bool = False
    weight_bits: Literal[4, 8] = 8
    block_size: int = 32
    float_type: Literal["float32", "float16", "bfloat16"] = "float32"

    @property
    def multiplies_integers(self) -> bool:
        """Whether graphs made by it multiply bytes, whose sums may saturate on some processors."""
        return self.method in ("static", "dynamic")
