"""Rows without anything to attend to are zero: exporters select so inside attention, where no fusion expects it.

    Reshape(Transpose(Where(empty, 0, scores))) -> Where(empty, 0, Reshape(Transpose(scores)))

The same numbers are selected, behind the attention that a rewriter then knows.
"""

from __future__ import annotations

from typing import Any

import onnx_ir

from edgewright_compiler.graphs.passes.weights import constant


def select_behind_attention(model: onnx_ir.Model) -> int:
    """Move these selections; gives 0, as nothing is fused by it."""
    from onnxscript.rewriter import RewriteRuleSet
    from onnxscript.rewriter.pattern import RewriteRule

    RewriteRuleSet([RewriteRule(_pattern, _moved, _movable)]).apply_to_model(model)
    return 0


def _pattern(op: Any, empty: Any, zero: Any, seen: Any, shape: Any) -> Any:
    selected = op.Where(empty, zero, seen)
    return op.Reshape(op.Transpose(selected, perm=[0, 2, 1, 3]), shape, _outputs=["joined"])


def _moved(op: Any, empty: Any, zero: Any, seen: Any, shape: Any, **_: Any) -> Any:
    joined = op.Reshape(op.Transpose(seen, perm=[0, 2, 1, 3]), shape)
    rows = op.Squeeze(empty, op.Constant(value_ints=[1]))
    return op.Where(rows, zero, joined)


def _movable(context: Any, empty: Any, zero: Any, seen: Any, joined: Any, **_: Any) -> bool:  # noqa: ARG001 - onnxscript's
    """Whether whole rows are selected, of heads that are joined: [n, 1, rows, 1] and [n, heads, rows, d]."""
    if any(value.shape is None for value in (empty, seen, joined)) or (found := constant(zero)) is None:
        return False
    if found.tensor.size != 1 or [len(value.shape) for value in (empty, seen, joined)] != [4, 4, 3]:
        return False
    heads, width = seen.shape[1], seen.shape[3]
    known = isinstance(heads, int) and isinstance(width, int) and joined.shape[2] == heads * width
    return bool(known and empty.shape[1] == 1 and empty.shape[3] == 1 and joined.shape[1] == seen.shape[2])
