"""Inputs and outputs of ONNX files that are not tensors: maps of classes are cut off, others are refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_targets import InputError
from edgewright_targets.errors import first_few

if TYPE_CHECKING:
    import onnx

_FLOAT = 1
_WORDS = {
    "sequence_type": "a sequence",
    "map_type": "a map",
    "optional_type": "an optional value",
    "sparse_tensor_type": "a sparse tensor",
    "opaque_type": "of a type of its own",
}


@dataclass(frozen=True)
class CutMap:
    """An output that was a map for each sample, as scikit-learn's converters end a classifier.

    Attributes:
        output: Its name; now it is the scores themselves, [samples, classes].
        classes: What each column is the score of.
    """

    output: str
    classes: tuple[int | str, ...]

    @property
    def note(self) -> str:
        """What became of it, as a sentence."""
        return (
            f"'{self.output}' is used as the scores. A ZipMap operator, which turned each row into a map, was "
            f"removed. The columns are the classes {first_few(self.classes)}."
        )

    def array(self, rows: Any) -> np.ndarray[Any, Any]:
        """The scores in what the file as it is gives: a list of maps."""
        scores = [[row[name] for name in self.classes] for row in rows]
        return np.array(scores, np.float32).reshape(len(rows), len(self.classes))


def cut_maps(proto: onnx.ModelProto) -> tuple[CutMap, ...]:
    """Let outputs that a ZipMap makes be the scores that it is given."""
    graph = proto.graph
    read = {name for node in graph.node for name in node.input}
    outputs = {value.name: value for value in graph.output}
    found = []
    for node in graph.node:
        if node.op_type != "ZipMap" or node.output[0] not in outputs or node.output[0] in read:
            continue
        given = {attribute.name: attribute for attribute in node.attribute}
        classes: list[int | str] = []
        if "classlabels_strings" in given:
            classes += [text.decode(errors="replace") for text in given["classlabels_strings"].strings]
        if "classlabels_int64s" in given:
            classes += given["classlabels_int64s"].ints
        found.append(CutMap(node.output[0], tuple(classes)))
        node.op_type, node.domain = "Identity", ""
        del node.attribute[:]
        kind = outputs[node.output[0]].type
        kind.Clear()
        kind.tensor_type.elem_type = _FLOAT
        kind.tensor_type.shape.dim.add()
        kind.tensor_type.shape.dim.add().dim_value = len(classes)
    return tuple(found)


def refuse_others(path: Path, proto: onnx.ModelProto) -> None:
    """Raise if an input or an output is not a tensor.

    Raises:
        InputError: One is a sequence, a map or the like; names it.
    """
    for title, values in (("output", proto.graph.output), ("input", proto.graph.input)):
        odd = {value.name: value.type.WhichOneof("value") for value in values}
        odd = {name: kind for name, kind in odd.items() if kind in _WORDS}
        if not odd:
            continue
        others = [f"'{value.name}'" for value in values if value.name not in odd]
        listing = first_few([f"'{name}' is {_WORDS[kind]}" for name, kind in odd.items()])
        rest = f" Beside it there is {first_few(others)}." if others else ""
        raise InputError(
            f"'{path}': the {title} {listing}, but the inputs and outputs of a package are tensors.",
            hint=f"Export the model without it, or with its parts as separate tensors.{rest}",
        )
