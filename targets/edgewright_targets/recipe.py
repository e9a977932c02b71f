"""How a graph gets its precision. Apart from targets, because a package says it too and a device reads no target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from edgewright_targets.record import added_in

# The precision of a graph that was quantized before it came here.
AS_IT_IS = "as-is"

# Patterns of nodes that can be rewritten, in the order in which they are.
Pattern = Literal["constants", "batch-norm", "layouts", "layer-norm", "rotary", "attention", "packed-attention", "gelu"]

# Nodes that no quantizer takes blindly, by what they are: `edgewright_compiler.graphs.float_groups` finds them.
FloatGroup = Literal["recurrent", "durations", "decoding", "grids"]
FLOAT_GROUPS: Final[tuple[FloatGroup, ...]] = get_args(FloatGroup)
# Those that 16-bit floats hurt as well: they count, or say where, and float16 has whole numbers up to 2,048 only.
_COUNTED: Final[frozenset[FloatGroup]] = frozenset({"durations", "decoding", "grids"})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a graph gets its precision: a value, so it can be hashed, compared and printed.

    Attributes:
        method: `float` leaves the graph as it is, `dynamic` quantizes weights and finds activation ranges at run
            time, `static` inserts QDQ pairs with calibrated ranges, `qnn` does that as the Snapdragon NPU wants it,
            `nncf` does it by NNCF, which corrects biases as well, `weight-only` stores weights of matrix products in
            blocks of few bits and leaves activations float, `cast` only changes the type of floats.
        activation_type: Type of quantized activations.
        weight_type: Type of quantized weights.
        per_channel: One scale for each output channel of a weight.
        activation_symmetric: Zero point of activations fixed at zero. `nncf` calls this its preset `performance`, and
            the other one `mixed`.
        weight_symmetric: Zero point of weights fixed at zero.
        quantize_bias: Quantize biases to int32 as well.
        calibration: How ranges are found from the calibration samples.
        operators: Operator types to quantize; empty means those the method supports.
        excluded_nodes: Names of nodes that stay in float.
        float_ends: The first and the last layers stay in float: those that no other comes before, or after.
        weight_bits: Bits of a weight of `weight-only`.
        block_size: So many weights of `weight-only` share a scale: a power of two from 16 on.
        float_type: Type of what stays float, for the methods `cast` and `static`. Inputs and outputs of the graph keep
            theirs.
        wide_nodes: Of `qnn`, with 8 bits: names of nodes whose activations have 16 bits.
        reduce_range: Weights have 7 bits, so that sums of products do not saturate on x86-64 without VNNI.
        percentile: For the calibration `percentile`: so many percent of the values lie within the range.
        calibration_samples: Ranges are found on so many of the calibration samples; 0 is all that the build reads.
        smooth_quant: For `nncf`: how much of the range of activations moves into the weights of matrix products,
            from 0 (nothing) to 1.
        bias_correction: For `nncf`: how biases make up for what quantization adds to a layer's mean. `full` takes
            longer than `fast`, because it runs the graph again for each layer.
        model_type: For `nncf`: whether attention is quantized by the scheme for it. `found` looks for attention in
            the graph.
        rewrites: Patterns of nodes that become one operator, before anything else. Only ONNX Runtime's own provider has
            these operators.
        float_groups: Groups of nodes that stay in float because of what they are. `recurrent`: layers that take their
            own output; `durations`: what predicts how often something is repeated; `decoding`: boxes and choices after
            the last layers; `grids`: positions where values are looked up. `qnn` leaves nothing in float.
    """

    method: Literal["float", "dynamic", "static", "qnn", "nncf", "weight-only", "cast"] = "float"
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
    weight_bits: Literal[4, 8] = 8
    block_size: int = 32
    float_type: Literal["float32", "float16", "bfloat16"] = "float32"
    wide_nodes: tuple[str, ...] = field(default=(), metadata=added_in(3))
    reduce_range: bool = field(default=False, metadata=added_in(3))
    percentile: float = field(default=99.999, metadata=added_in(3))
    calibration_samples: int = field(default=0, metadata=added_in(3))
    smooth_quant: float = field(default=0.0, metadata=added_in(3))
    bias_correction: Literal["fast", "full", "off"] = field(default="fast", metadata=added_in(3))
    model_type: Literal["found", "transformer", "other"] = field(default="found", metadata=added_in(3))
    rewrites: tuple[Pattern, ...] = field(default=(), metadata=added_in(3))
    float_groups: tuple[FloatGroup, ...] = field(default=FLOAT_GROUPS, metadata=added_in(4))

    @property
    def multiplies_integers(self) -> bool:
        """Whether graphs made by it multiply bytes, whose sums may saturate on some processors."""
        return self.method in ("static", "dynamic", "nncf")

    @property
    def kept_groups(self) -> tuple[FloatGroup, ...]:
        """Of `float_groups`, those that this method leaves in float32.

        >>> Recipe(method="cast", float_type="float16").kept_groups
        ('durations', 'decoding', 'grids')
        """
        if self.method in ("float", "qnn"):
            return ()
        return self.wide_groups if self.method == "cast" else self.float_groups

    @property
    def wide_groups(self) -> tuple[FloatGroup, ...]:
        """Of `float_groups`, those that stay in float32 where other floats get 16 bits."""
        return tuple(group for group in self.float_groups if group in _COUNTED)
