"""Weights of matrix products in blocks of few bits, activations in float: for generators, which wait for memory.

A generator reads all its weights for each token, so fewer bytes are fewer milliseconds. The products become
`MatMulNBits`, an operator of ONNX Runtime's own; embeddings and what is not a product stay as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgewright_targets import Recipe

# ONNX Runtime's word for kernels that round activations to int8 block by block inside the product. Without them 8 bits
# are unpacked to float first, and slower than float weights.
_INT8_KERNELS = 4


def quantize_weights(graph: Path, recipe: Recipe, made: Path) -> int:
    """Write the graph at `graph` with its weights in `recipe.weight_bits` to `made`; gives the number of products.

    `graph` is changed: products with an addition (Gemm) are written as two operators, for the quantizer knows one.
    """
    import onnx
    import onnx_ir
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    model = onnx_ir.load(graph)
    split_gemms(model)
    onnx_ir.save(model, graph, external_data="split.bin")
    quantizer = MatMulNBitsQuantizer(
        onnx.load(graph),
        bits=recipe.weight_bits,
        block_size=recipe.block_size,
        is_symmetric=recipe.weight_symmetric,
        accuracy_level=_INT8_KERNELS,
        nodes_to_exclude=list(recipe.excluded_nodes),
        op_types_to_quantize=("MatMul",),
    )
    quantizer.process()
    quantized: Any = quantizer.model
    quantized.save_model_to_file(str(made), use_external_data_format=True)
    return sum(node.op_type == "MatMulNBits" for node in quantized.model.graph.node)


def split_gemms(model: Any) -> None:
    """Write products of an activation with a constant weight and an added bias as MatMul and Add."""
    import numpy as np
    import onnx_ir
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    graph = model.graph
    for node in list(graph):
        if node.op_type != "Gemm" or not _plain(node):
            continue
        first, weight, *bias = node.inputs
        if weight is None or weight.const_value is None or not weight.is_initializer():
            continue
        if _attribute(node, "transB", 0):
            turned = np.ascontiguousarray(weight.const_value.numpy().T)
            name = f"{weight.name}_turned"
            weight = graph.initializers.get(name) or onnx_ir.Value(
                name=name, const_value=onnx_ir.tensor(turned, name=name)
            )
            graph.initializers[name] = weight
        last = node.outputs[0]
        product = onnx_ir.node("MatMul", [first, weight], name=node.name)
        made = [product]
        if bias and bias[0] is not None:
            made.append(onnx_ir.node("Add", [product.outputs[0], bias[0]]))
        result = made[-1].outputs[0]
        result.shape, result.type = last.shape, last.type
        onnx_ir.convenience.replace_nodes_and_values(graph, node, [node], made, [last], [result])
    RemoveUnusedNodesPass()(model)


def _plain(node: Any) -> bool:
    scales = (_attribute(node, "alpha", 1.0), _attribute(node, "beta", 1.0))
    return scales == (1.0, 1.0) and not _attribute(node, "transA", 0)


def _attribute(node: Any, name: str, default: float) -> float:
    found = node.attributes.get(name)
    return default if found is None else float(found.value)
