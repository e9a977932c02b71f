"""Patterns of nodes as the one operator that ONNX Runtime's own provider has for them, by the rewriter of onnxscript.

Exported, attention is two products with a softmax between them, and its scores, a number for each pair of positions,
are written to memory and read again. `MultiHeadAttention` goes over them in blocks and computes the same in floats.
ONNX Runtime itself finds less when it loads such a graph: of a BERT that torch exported it fused no attention.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

from edgewright_compiler.graphs.passes.contract import EditError, every_node, refuse_functions
from edgewright_compiler.graphs.passes.masked_rows import select_behind_attention
from edgewright_targets.recipe import Pattern

# Of the operators that stand between two rewritings, and that no session knows.
_BETWEEN = "ai.onnxruntime._fusion"

# Rewrites a model in place; gives how many patterns it found.
_Rewriter = Callable[[onnx_ir.Model], int]


def _of_fusions(*names: str) -> Callable[[], list[_Rewriter]]:
    """Functions of onnxscript's fusions for ONNX Runtime, as `module.function`; imported where they are used."""

    def load() -> list[_Rewriter]:
        import importlib

        found = []
        for name in names:
            module, function = name.split(".")
            found.append(getattr(importlib.import_module(f"onnxscript.rewriter.ort_fusions.{module}"), function))
        return found

    return load


def _attention(*names: str) -> Callable[[], list[_Rewriter]]:
    """The same for attention, in a form that they know."""
    return lambda: [select_behind_attention, *_of_fusions(*names)()]


def _of_rules(*names: str) -> Callable[[], list[_Rewriter]]:
    """Rewrite rules of onnxscript that hold for any runtime."""

    def load() -> list[_Rewriter]:
        from onnxscript.rewriter import RewriteRuleSet
        from onnxscript.rewriter.rules import common

        rules = RewriteRuleSet([getattr(common, name) for name in names])
        return [rules.apply_to_model]

    return load


def _constants() -> list[_Rewriter]:
    """Nothing beyond the preparation of all of them, which folds what follows from constants."""
    return []


def _layouts() -> list[_Rewriter]:
    from edgewright_compiler.graphs.passes.layouts import move_transposes

    return [move_transposes]


# A word of recipes to what rewrites; they are applied in this order, whatever the order in a recipe.
_REWRITES: dict[Pattern, Callable[[], list[_Rewriter]]] = {
    "constants": _constants,
    "batch-norm": _of_rules(
        "fuse_batchnorm_into_conv_rule",
        "fuse_batchnorm_into_conv_transpose_rule",
        "fuse_batchnorm_into_gemm_rule",
        "affine_conv_fusion_rule",
        "conv_affine_fusion_rule",
        "fuse_pad_into_conv_rule",
    ),
    "layouts": _layouts,
    "layer-norm": _of_fusions(
        "rms_normalization.fuse_rms_normalization",
        "skip_normalization.fuse_skip_layer_normalization",
        "skip_normalization.fuse_skip_rms_normalization",
    ),
    "rotary": _of_fusions(
        "rotary_embedding.fuse_rotary_embedding",
        "cos_sin_cache.fuse_cos_sin_cache",
        "rotary_embedding.fuse_partial_rotary_embedding",
    ),
    "attention": _attention(
        "sdpa.fuse_sdpa",
        "mha.fuse_mha1",
        "mha.fuse_mha2",
        "mha_scale.fuse_mha_scale",
        "mha_bias.fuse_mha_bias",
        "sdpa_via_mha.replace_sdpa_by_mha",
    ),
    "packed-attention": _of_fusions("attention.fuse_attention"),
    "gelu": _of_fusions("erfgelu.fuse_erfgelu", "gelu.fuse_gelu", "bias_gelu.fuse_bias_gelu"),
}
# Rewritten as they are: the preparation of the others would leave nothing of them.
_AS_EXPORTED = ("batch-norm",)
REWRITES: tuple[Pattern, ...] = tuple(_REWRITES)


class Rewrite(InPlacePass):
    """Rewrite the patterns of one word; the graph stays as it is where there are none, or not all can be rewritten.

    Args:
        word: One of `REWRITES`.

    Raises:
        EditError: The rewriter fails.
    """

    def __init__(self, word: Pattern) -> None:
        self._word = word

    def requires(self, model: onnx_ir.Model) -> None:
        """No functions: the rewriter adds operators of another domain, and they import it apart."""
        refuse_functions(model, f"The rewriting of {self._word}")

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Rewrite a copy, whose weights are the same tensors, and take it."""
        trial, before = model.clone(), _count(model)
        try:
            if self._word not in _AS_EXPORTED:
                _prepare(trial)
            rewriters = _REWRITES[self._word]()
            found = sum(rewriter(trial) for rewriter in rewriters) if rewriters else before - _count(trial)
            if found:
                _clean(trial)
        except Exception as error:  # what the rewriter throws has no common base
            raise EditError(f"Its {self._word} cannot be rewritten: {error}") from error
        if not found or any(node.domain == _BETWEEN for node in every_node(trial)):
            return PassResult(model, modified=False)
        model.graph = trial.graph
        return PassResult(model, modified=True)


def _count(model: onnx_ir.Model) -> int:
    return sum(1 for _ in every_node(model))


def _prepare(model: onnx_ir.Model) -> None:
    """Bring a graph to the form in which the rewriter knows its patterns: shapes known, constants folded."""
    from onnx_ir.passes import common
    from onnxscript import optimizer
    from onnxscript.rewriter.ort_fusions import shape_optimization

    common.ShapeInferencePass()(model)
    optimizer.optimize(model)
    shape_optimization.rules.apply_to_model(model)
    optimizer.optimize(model)
    common.CommonSubexpressionEliminationPass()(model)


def _clean(model: onnx_ir.Model) -> None:
    """Remove what nothing reads any longer."""
    from onnx_ir.passes import common

    common.RemoveUnusedNodesPass()(model)
    common.RemoveUnusedOpsetsPass()(model)


def rewriting(words: Collection[str]) -> tuple[Rewrite, ...]:
    """The passes of these words, in the order in which they are applied."""
    return tuple(Rewrite(word) for word in REWRITES if word in words)
