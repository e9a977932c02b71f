"""Inputs of a model of texts, under the names that transformers gives them, whatever their maker called them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_IDS, _MASK, _TYPES = "input_ids", "attention_mask", "token_type_ids"
_STANDARD = (_IDS, _MASK, _TYPES)
# Tokens in each text: no input of transformers' models, but what recurrent ones are often told.
_LENGTHS = "lengths"
_INT64 = onnx_ir.DataType.INT64
_INTEGERS = (onnx_ir.DataType.INT32, _INT64)
_OF_MASKS = (*_INTEGERS, onnx_ir.DataType.FLOAT, onnx_ir.DataType.BOOL)


@dataclass(frozen=True)
class GivenInput:
    """An input as the file has it.

    Attributes:
        name: Its name there.
        role: What it is: a name of transformers, or `lengths`.
        kind: Its type, as numpy calls it.
        scalar: It is a single number.
    """

    name: str
    role: str
    kind: str
    scalar: bool = False

    def of(self, feeds: dict[str, Array]) -> Array:
        """Its value, from the arrays that transformers' names have."""
        if self.role != _LENGTHS:
            return feeds[self.role].astype(self.kind)
        lengths: Array = feeds[_MASK].sum(axis=None if self.scalar else 1, keepdims=False).astype(self.kind)
        return lengths


class TextInputs(InPlacePass):
    """Let a model of texts take `input_ids`, `attention_mask` and `token_type_ids`, int64 [batch, tokens].

    Inputs are told apart by their names: a mask, types or segments, lengths, and the one that is left has the tokens.
    A number of tokens is counted in the mask. Where an input is none of these, nothing is changed.

    Attributes:
        given: The inputs before, where any was changed.
    """

    def __init__(self) -> None:
        self.given: tuple[GivenInput, ...] = ()

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Rename the inputs."""
        graph = model.graph
        roles = _roles(list(graph.inputs))
        plain = all(role == value.name and value.dtype == _INT64 for value, role in roles)
        if not roles or plain:
            return PassResult(model, modified=False)
        self.given = tuple(
            GivenInput(str(value.name), role, str(_dtype(value).numpy()), scalar=_rank(value) == 0)
            for value, role in roles
        )
        ids = next(value for value, role in roles if role == _IDS)
        graph.inputs.clear()
        # The names of transformers may be those of values inside.
        taken = {str(made.name): made for node in graph for made in node.outputs}
        for name in _STANDARD:
            if name in taken:
                taken[name].name = f"{name}_inside"
        made = {}
        for role in dict.fromkeys((*(role for _, role in roles if role != _LENGTHS), *_masked(roles))):
            made[role] = onnx_ir.Value(name=role, shape=ids.shape, type=onnx_ir.TensorType(_INT64))
            graph.inputs.append(made[role])
        nodes: list[onnx_ir.Node] = []
        for value, role in roles:
            source = _counted(made[_MASK], nodes, scalar=_rank(value) == 0) if role == _LENGTHS else made[role]
            if _dtype(value) != _INT64:
                cast = onnx_ir.node("Cast", [source], {"to": int(_dtype(value))}, name=f"{value.name}_as_given")
                nodes.append(cast)
                source = cast.outputs[0]
                source.name = f"{value.name}_as_given"
            value.replace_all_uses_with(source)
        if nodes:
            graph.insert_before(graph[0], nodes)
        return PassResult(model, modified=True)


def _masked(roles: list[tuple[onnx_ir.Value, str]]) -> tuple[str, ...]:
    return (_MASK,) if any(role == _LENGTHS for _, role in roles) else ()


def _counted(mask: onnx_ir.Value, nodes: list[onnx_ir.Node], *, scalar: bool) -> onnx_ir.Value:
    """Tokens of each text, [batch], or one number of all."""
    import numpy as np

    axes = onnx_ir.node("Constant", [], {"value": onnx_ir.tensor(np.array([0, 1] if scalar else [1]))})
    count = onnx_ir.node("ReduceSum", [mask, axes.outputs[0]], {"keepdims": 0}, name="count_tokens")
    axes.outputs[0].name, count.outputs[0].name = "count_tokens_axes", "count_tokens"
    nodes += [axes, count]
    return count.outputs[0]


def _roles(inputs: list[onnx_ir.Value]) -> list[tuple[onnx_ir.Value, str]]:
    """Each input with what it is; none where one of them is nothing of a text."""
    found: dict[str, onnx_ir.Value] = {}
    left = []
    for value in inputs:
        role = _role(value)
        if role in found:
            return []
        if role:
            found[role] = value
        else:
            left.append(value)
    if _IDS not in found and len(left) == 1 and _dtype(left[0]) in _INTEGERS and _rank(left[0]) in (2, None):
        found[_IDS] = left.pop()
    if left or _IDS not in found:
        return []
    by_value = {id(value): role for role, value in found.items()}
    return [(value, by_value[id(value)]) for value in inputs]


def _role(value: onnx_ir.Value) -> str:
    """What an input is by its name and type; empty where those do not tell it."""
    name, kind, rank = str(value.name).lower(), _dtype(value), _rank(value)
    if name in _STANDARD:
        return name if kind in _OF_MASKS else ""
    if "pad" in name or "pos" in name:
        # A mask of padding is the other way round in some libraries, and nothing tells it.
        return ""
    if "len" in name and rank in (0, 1, None) and kind in _INTEGERS:
        return _LENGTHS
    if rank not in (2, None):
        return ""
    if "mask" in name and kind in _OF_MASKS:
        return _MASK
    return _TYPES if ("type" in name or "seg" in name) and kind in _INTEGERS else ""


def _dtype(value: onnx_ir.Value) -> onnx_ir.DataType:
    return value.dtype or onnx_ir.DataType.UNDEFINED


def _rank(value: onnx_ir.Value) -> int | None:
    return None if value.shape is None else len(value.shape)
