"""Inputs and outputs of a model. The top graph alone has them: what goes into the body of a loop, the loop gives."""

from __future__ import annotations

from collections.abc import Collection

import onnx_ir
from onnx_ir.passes import InPlacePass, PassResult
from onnx_ir.passes.common import RemoveInitializersFromInputsPass, RemoveUnusedNodesPass

from edgewright_compiler.graphs.passes.contract import every_node

# From this version of the file format on, weights need not be inputs.
_WEIGHTS_APART = 4
# Numbers of channels that pictures have.
_CHANNELS = (1, 3)


class DropConstantInputs(InPlacePass):
    """Take weights out of the inputs, and what nothing reads out of the graph.

    Before IR version 4 every weight had to be an input, with a value to fall back on.
    """

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Take them out."""
        modified = RemoveInitializersFromInputsPass()(model).modified
        if modified:
            # In the version of the file they would still have to be inputs.
            model.ir_version = max(model.ir_version or 0, _WEIGHTS_APART)
            # Weights that nothing reads are of that time as well; ONNX Runtime warns about each.
            RemoveUnusedNodesPass()(model)
        return PassResult(model, modified)


class MakeInputs(InPlacePass):
    """Make plain inputs of initializers: what quantizes or compiles a graph takes others for weights.

    Args:
        names: Of the initializers.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Make inputs of them, in the order of their names."""
        graph = model.graph
        found = [name for name in self._names if name in graph.initializers]
        for name in found:
            value = graph.initializers.pop(name)
            value.const_value = None
            graph.inputs.append(value)
        return PassResult(model, bool(found))


class FreePictureSizes(InPlacePass):
    """Forget the fixed sizes of the one input of a model, of pictures, and all that was inferred from them.

    Some exporters write the sizes of their example: a graph of convolutions takes others all the same. Whether this one
    does is shown when it is run.
    """

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Forget them."""
        (pictures,) = model.graph.inputs
        if pictures.shape is None or not any(isinstance(size, int) for size in _free_axes(pictures.shape)):
            return PassResult(model, modified=False)
        pictures.shape = onnx_ir.Shape(["batch", pictures.shape[1], "height", "width"])
        for value in model.graph.outputs:
            if value.shape is not None:
                axes = [size if axis == 1 else f"{value.name}_{axis}" for axis, size in enumerate(value.shape)]
                value.shape = onnx_ir.Shape(axes)
        given = set(model.graph.outputs)
        for node in every_node(model):
            for value in node.outputs:
                if value not in given:
                    value.shape = None
        return PassResult(model, modified=True)


class ChannelsFirst(InPlacePass):
    """Let a model take pictures as [batch, channels, height, width] whose inputs are [batch, height, width, channels].

    TensorFlow's are. Converters put a transposition behind such an input, which ONNX Runtime takes out together with
    this one.

    Attributes:
        names: Of the inputs that were changed.
    """

    def __init__(self) -> None:
        self.names: list[str] = []

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Put a transposition behind each."""
        graph = model.graph
        for place, pictures in enumerate(list(graph.inputs)):
            shape = pictures.shape
            if shape is None or len(shape) != 4 or shape[3] not in _CHANNELS or shape[1] in _CHANNELS:
                continue
            given = onnx_ir.Value(
                name=pictures.name,
                shape=onnx_ir.Shape([shape[0], shape[3], shape[1], shape[2]]),
                type=pictures.type,
            )
            turn = onnx_ir.node("Transpose", [given], {"perm": [0, 2, 3, 1]}, name=f"{given.name}_channels_last")
            turned = turn.outputs[0]
            turned.name, turned.shape, turned.type = f"{given.name}_channels_last", shape, pictures.type
            pictures.replace_all_uses_with(turned)
            graph.inputs[place] = given
            if len(graph):
                graph.insert_before(graph[0], turn)
            self.names.append(str(given.name))
        return PassResult(model, bool(self.names))


def _free_axes(shape: onnx_ir.Shape) -> list[int | onnx_ir.SymbolicDim]:
    return [shape[0], *list(shape)[2:]]


class KeepOutputs(InPlacePass):
    """Drop outputs of other names, and what only they need; all stay where not every name is an output.

    Args:
        names: Of the outputs that stay, in the order that they get.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Drop them."""
        outputs = model.graph.outputs
        given = {value.name: value for value in outputs}
        kept = [given[name] for name in self._names if name in given]
        if len(kept) != len(self._names) or kept == list(outputs):
            return PassResult(model, modified=False)
        outputs.clear()
        outputs.extend(kept)
        RemoveUnusedNodesPass()(model)
        return PassResult(model, modified=True)


class GiveValues(InPlacePass):
    """Make outputs of values of the top graph, beside those that it has. Values of graphs inside cannot be given.

    Args:
        names: Of the values.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Give them, in the order in which they are computed."""
        given = set(model.graph.outputs)
        values = [value for node in model.graph for value in node.outputs if value.name in self._names]
        more = [value for value in values if value not in given]
        model.graph.outputs.extend(more)
        return PassResult(model, bool(more))


class PartNames(InPlacePass):
    """Rename outputs that are called as an input, as the exporter does where a module gives its input back."""

    def call(self, model: onnx_ir.Model) -> PassResult:
        """Rename them."""
        taken = {value.name for value in model.graph.inputs}
        modified = False
        for value in model.graph.outputs:
            while value.name in taken:
                value.name = f"{value.name}_output"
                modified = True
            taken.add(value.name)
        return PassResult(model, modified)
