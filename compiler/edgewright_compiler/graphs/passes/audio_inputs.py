"""Inputs of a model of recordings, under the name that transformers gives the sound, whatever its maker called it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_SOUND, _LENGTHS, _MASK, _RATE = "sound", "lengths", "mask", "rate"
_FLOAT, _INT64 = onnx_ir.DataType.FLOAT, onnx_ir.DataType.INT64
_FLOATS = (_FLOAT, onnx_ir.DataType.FLOAT16, onnx_ir.DataType.DOUBLE)
_INTEGERS = (onnx_ir.DataType.INT32, _INT64)
_OF_MASKS = (*_INTEGERS, *_FLOATS, onnx_ir.DataType.BOOL)


@dataclass(frozen=True, kw_only=True)
class GivenSound:
    """An input as the file has it.

    Attributes:
        name: Its name there.
        role: The sound itself, how long it is, which of it counts, or samples a second.
        kind: Its type, as numpy calls it.
        rank: How many axes it has.
        source: What the sound is called in the package.
        rate: Samples a second.
    """

    name: str
    role: str
    kind: str
    rank: int
    source: str
    rate: int

    def of(self, feeds: dict[str, Array]) -> Array:
        """Its value, from the sound that transformers' name has: [1, samples], or [1, ...] of a spectrum."""
        sound = feeds[self.source]
        if self.role == _SOUND:
            channel = (1,) if self.rank == sound.ndim + 1 else ()
            return sound.reshape(sound.shape[0], *channel, *sound.shape[1:]).astype(self.kind)
        if self.role == _MASK:
            return np.ones(sound.shape, self.kind)
        number = self.rate if self.role == _RATE else sound.shape[1]
        return np.full([1] * self.rank, number, self.kind)


class AudioInputs(InPlacePass):
    """Let a model of recordings take its sound alone, float32 under one name.

    Inputs are told apart by their names and types. The one of numbers with a point that is left has the sound,
    [batch, samples], perhaps with an axis of one channel between, or a spectrum. How many samples there are, and a
    mask of them, are made of its shape; samples a second are a constant. Where an input is none of these, nothing is
    changed.

    Args:
        name: What the sound is called afterwards.
        rank: How many axes it has.
        rate: Samples a second.

    Attributes:
        given: The inputs before, where any was changed.
    """

    def __init__(self, name: str, rank: int, rate: int) -> None:
        self._name, self._rank, self._rate = name, rank, rate
        self.given: tuple[GivenSound, ...] = ()

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Rename the sound, and make the others."""
        graph = model.graph
        roles = [(value, self._role(value)) for value in graph.inputs]
        sounds = [value for value, role in roles if role == _SOUND]
        plain = [(value.name, value.dtype, _rank(value)) for value in graph.inputs] == [
            (self._name, _FLOAT, self._rank)
        ]
        if len(sounds) != 1 or plain or len({role for _, role in roles} - {""}) != len(roles):
            return PassResult(model, modified=False)
        self.given = tuple(
            GivenSound(
                name=str(value.name),
                role=role,
                kind=str(_dtype(value).numpy()),
                rank=self._rank if _rank(value) is None else len(value.shape or ()),
                source=self._name,
                rate=self._rate,
            )
            for value, role in roles
        )
        # The name may be that of a value inside.
        for inside in [made for node in graph for made in node.outputs if made.name == self._name]:
            inside.name = f"{self._name}_inside"
        nodes: list[onnx_ir.Node] = []
        shape = sounds[0].shape
        if shape is not None and len(shape) == self._rank + 1:
            shape = onnx_ir.Shape([shape[0], *list(shape)[2:]])
        sound = onnx_ir.Value(name=self._name, shape=shape, type=onnx_ir.TensorType(_FLOAT))
        graph.inputs.clear()
        graph.inputs.append(sound)
        for (value, role), given in zip(roles, self.given, strict=True):
            made = _made(sound, given, self._rank, nodes)
            if _dtype(value) != (_FLOAT if role == _SOUND else _INT64):
                made = _added("Cast", [made], nodes, given, to=int(_dtype(value)))
            value.replace_all_uses_with(made)
        if nodes:
            graph.insert_before(graph[0], nodes)
        return PassResult(model, modified=True)

    def _role(self, value: onnx_ir.Value) -> str:
        """What an input is; empty where its name and type do not tell it."""
        name, kind, rank = str(value.name).lower(), _dtype(value), _rank(value)
        if rank in (0, 1):
            if kind in _INTEGERS and "len" in name:
                return _LENGTHS
            return _RATE if kind in _INTEGERS and ("rate" in name or name == "sr") else ""
        if "mask" in name:
            # A mask of padding is the other way round in some libraries, and nothing tells it.
            return _MASK if kind in _OF_MASKS and rank == 2 and self._rank == 2 and "pad" not in name else ""
        channel = self._rank == 2 and rank == 3 and value.shape is not None and value.shape[1] == 1
        return _SOUND if kind in _FLOATS and (rank in (self._rank, None) or channel) else ""


def _made(sound: onnx_ir.Value, given: GivenSound, rank: int, nodes: list[onnx_ir.Node]) -> onnx_ir.Value:
    """What the file takes, from the sound: float32 as it is, all else int64."""
    if given.role == _SOUND:
        if given.rank == rank:
            return sound
        # A channel of its own. Not by Unsqueeze, whose axes are an attribute in older opsets.
        return _added("Reshape", [sound, _number([0, 1, -1], nodes, given)], nodes, given)
    if given.role == _RATE:
        return _number(given.rate if given.rank == 0 else [given.rate], nodes, given)
    shape = _added("Shape", [sound], nodes, given)
    if given.role == _MASK:
        one = onnx_ir.tensor(np.ones(1, np.int64))
        return _added("ConstantOfShape", [shape], nodes, given, value=one)
    count = _added("Gather", [shape, _number(1 if given.rank == 0 else [1], nodes, given)], nodes, given, axis=0)
    if given.rank == 0:
        return count
    rows = _added("Gather", [shape, _number([0], nodes, given)], nodes, given, axis=0)
    return _added("Expand", [count, rows], nodes, given)


def _number(value: int | list[int], nodes: list[onnx_ir.Node], given: GivenSound) -> onnx_ir.Value:
    return _added("Constant", [], nodes, given, value=onnx_ir.tensor(np.array(value, np.int64)))


def _added(
    kind: str,
    inputs: list[onnx_ir.Value],
    nodes: list[onnx_ir.Node],
    given: GivenSound,
    **attributes: int | onnx_ir.TensorProtocol,
) -> onnx_ir.Value:
    node = onnx_ir.node(kind, inputs, attributes, name=f"{given.name}_made_{len(nodes)}")
    node.outputs[0].name = str(node.name)
    nodes.append(node)
    return node.outputs[0]


def _dtype(value: onnx_ir.Value) -> onnx_ir.DataType:
    return value.dtype or onnx_ir.DataType.UNDEFINED


def _rank(value: onnx_ir.Value) -> int | None:
    return None if value.shape is None else len(value.shape)
