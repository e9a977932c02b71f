"""Inputs, outputs and operators of an ONNX file, read from its bytes: a device has no library for ONNX files.

Only what describes them is read; nodes and weights are skipped by their lengths. The numbers of fields are those of
`onnx.proto`, which never change.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# ModelProto; GraphProto; NodeProto and TensorProto; ValueInfoProto; TypeProto, its Tensor, and TensorShapeProto.
_GRAPH = 7
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12
_OPERATOR, _TENSOR_NAME = 4, 8
_NAME, _TYPE = 1, 2
_TENSOR, _ELEMENT, _SHAPE, _DIMENSION, _VALUE, _SYMBOL = 1, 1, 2, 1, 1, 2
# Kinds of fields on the wire, and the bytes of those of one size.
_VARINT, _BYTES = 0, 2
_SIZES = {1: 8, 5: 4}

# TensorProto.DataType -> the word in ONNX Runtime's names of types.
_ELEMENTS = {
    1: "float",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "double",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}


class OnnxPort(NamedTuple):
    """An input or output as ONNX Runtime describes one.

    Attributes:
        name: As in the file.
        type: Such as `tensor(float)`; empty where it is not a tensor.
        shape: A size, the name of a free one, or None for a free one without a name.
    """

    name: str
    type: str
    shape: tuple[int | str | None, ...]


def graph_ports(path: Path) -> tuple[tuple[OnnxPort, ...], tuple[OnnxPort, ...]]:
    """The inputs and the outputs of the graph in an ONNX file, without inputs that have a value in it.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not an ONNX file, or cut off.
    """
    found: dict[int, list[OnnxPort]] = {_INPUT: [], _OUTPUT: []}
    weights = set[str]()
    for number, value in _fields(_graph(path)):
        if number in found:
            found[number].append(_port(_bytes(value)))
        elif number == _INITIALIZER:
            weights.update(_text(name) for field, name in _fields(_bytes(value)) if field == _TENSOR_NAME)
    return tuple(port for port in found[_INPUT] if port.name not in weights), tuple(found[_OUTPUT])


def operators(path: Path) -> set[str]:
    """The types of the operators in the top graph of an ONNX file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not an ONNX file, or cut off.
    """
    nodes = (_bytes(value) for number, value in _fields(_graph(path)) if number == _NODE)
    return {_text(value) for node in nodes for field, value in _fields(node) if field == _OPERATOR}


def _graph(path: Path) -> memoryview:
    with path.open("rb") as file:
        # Closed when the last part of it is gone.
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    found = next((_bytes(value) for number, value in _fields(view) if number == _GRAPH), None)
    if found is None:
        raise ValueError("it has no graph")
    return found


def _port(message: memoryview) -> OnnxPort:
    name, kind, shape = "", "", []
    for number, value in _fields(message):
        if number == _NAME:
            name = _text(value)
        elif number == _TYPE:
            for tensor in (_bytes(one) for field, one in _fields(_bytes(value)) if field == _TENSOR):
                for field, one in _fields(tensor):
                    if field == _ELEMENT:
                        kind = f"tensor({_ELEMENTS.get(one, 'unknown')})" if isinstance(one, int) else ""
                    elif field == _SHAPE:
                        shape = [_size(_bytes(size)) for place, size in _fields(_bytes(one)) if place == _DIMENSION]
    return OnnxPort(name, kind, tuple(shape))


def _size(message: memoryview) -> int | str | None:
    for number, value in _fields(message):
        if number == _VALUE and isinstance(value, int):
            return value
        if number == _SYMBOL:
            return _text(value) or None
    return None


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message is expected")  # noqa: TRY004 - of what is in a file
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_bytes(value)).decode()


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field; those that are neither numbers nor bytes are skipped."""
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, place = _varint(message, place)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
        if size > end - place:
            raise ValueError("it is cut off")
        if kind == _BYTES:
            yield key >> 3, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    # 64 bits in groups of 7.
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("it is cut off")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number without an end")
