"""A graph that OpenVINO compiled, with the part of ONNX Runtime's session interface that an engine uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edgewright_runtime.errors import SampleError
from edgewright_runtime.onnx_ports import OnnxPort, graph_ports, operators
from edgewright_runtime.ov import OpenVinoError, load_module, words

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

# Types of ONNX Runtime's names that numpy has as well -> numpy's.
_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int16)": "int16",
    "tensor(int8)": "int8",
    "tensor(uint64)": "uint64",
    "tensor(uint32)": "uint32",
    "tensor(uint16)": "uint16",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}
# OpenVINO computes these in 32 bits, without a word where a number does not fit.
_NARROWED = {"int64", "uint64", "uint32"}
_RANGE = 2**31


class _Place(NamedTuple):
    """Where an output is left, as ONNX Runtime describes it."""

    name: str = "Cpu"
    device_id: int = 0


class _Node(NamedTuple):
    op_type: str


class _Assignment(NamedTuple):
    ep_name: str
    nodes: tuple[_Node, ...]

    def get_nodes(self) -> tuple[_Node, ...]:
        return self.nodes


class Value:
    """An output, as `OrtValue` has it."""

    def __init__(self, array: Array) -> None:
        self._array = array

    def numpy(self) -> Array:
        """The array itself, not a copy."""
        return self._array


class Binding:
    """Inputs and outputs by name, as `IOBinding` has them; outputs are made anew by each run."""

    def __init__(self) -> None:
        self.inputs: dict[str, Array] = {}
        self.names: dict[str, None] = {}
        self.made: list[Array] = []

    def bind_cpu_input(self, name: str, value: Array) -> None:
        """Give an input an array, which is read when the graph runs."""
        self.inputs[name] = value

    def bind_ortvalue_input(self, name: str, value: Any) -> None:
        """The same with what a run made, or with an `OrtValue` in the processor's memory."""
        self.inputs[name] = value.numpy()

    def bind_output(self, name: str, device: str = "cpu", number: int = 0) -> None:
        """Ask for an output."""
        del device, number
        self.names[name] = None

    def get_outputs(self) -> list[Value]:
        """What the last run made, in the order in which outputs were asked for."""
        return [Value(array) for array in self.made]


class OpenVinoSession:
    """One compiled graph.

    Args:
        compiled: OpenVINO's compiled model.
        graph: The ONNX file that it comes from. Names, types and free sizes are read there: OpenVINO changes some.
        provider: Name of the provider, for what says which nodes run where.
        memory: What the compiled model reads its weights from; it must live as long as that.

    Raises:
        OpenVinoError: The graph has inputs or outputs that it cannot have here.
    """

    def __init__(self, compiled: Any, graph: Path, provider: str, memory: Any = None) -> None:
        self._openvino = load_module()
        self._compiled, self._graph, self._provider = compiled, graph, provider
        self._memory = memory
        try:
            self._inputs, self._outputs = (tuple(map(_with_sizes, ports)) for ports in graph_ports(graph))
        except (OSError, ValueError) as error:
            raise OpenVinoError(f"The inputs of the graph cannot be read: {error}.") from error
        odd = [port.name for port in (*self._inputs, *self._outputs) if port.type not in _TYPES]
        if odd:
            raise OpenVinoError(f"These inputs and outputs are not arrays that numpy has: {', '.join(odd[:5])}.")
        self._fed = _places(self._inputs, compiled.inputs, "input")
        self._made = _places(self._outputs, compiled.outputs, "output")
        self._taken = [entry.element_type for entry in compiled.inputs]
        # By place and not by name: one value may have several names.
        self._empty = {place: _type_and_shape(compiled.outputs[place]) for place in set(self._made.values())}
        # A request runs once at a time: each call takes one, and gives it back.
        self._requests: list[Any] = []

    def get_inputs(self) -> tuple[OnnxPort, ...]:
        """The inputs of the graph."""
        return self._inputs

    def get_outputs(self) -> tuple[OnnxPort, ...]:
        """The outputs of the graph."""
        return self._outputs

    def get_output_memory_infos(self) -> list[_Place]:
        """Where each output is left: in the processor's memory."""
        return [_Place()] * len(self._outputs)

    def get_provider_graph_assignment_info(self) -> list[_Assignment]:
        """All operators of the file: OpenVINO runs all or refuses the graph."""
        return [_Assignment(self._provider, tuple(map(_Node, sorted(operators(self._graph)))))]

    @property
    def nodes(self) -> int:
        """Nodes of the compiled graph."""
        return len(self._compiled.get_runtime_model().get_ops())

    def io_binding(self) -> Binding:
        """A new binding of inputs and outputs."""
        return Binding()

    def run_with_iobinding(self, binding: Binding) -> None:
        """Run the graph over what is bound.

        Raises:
            SampleError: A number is too large.
            OpenVinoError: OpenVINO failed, or the inputs are others.
        """
        binding.made = self.run(tuple(binding.names), binding.inputs)

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        """Run the graph; the arrays returned are the caller's own.

        Raises:
            SampleError: A number is too large.
            OpenVinoError: OpenVINO failed, or the inputs are others.
        """
        import numpy as np

        openvino = self._openvino
        # Held until the graph ran: OpenVINO only points to them.
        arrays = self._checked(feeds)
        try:
            request = self._requests.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            for name, array in arrays.items():
                place = self._fed[name]
                # Of an array without elements OpenVINO does not take the memory.
                given = (
                    openvino.Tensor(array, shared_memory=True)
                    if array.size
                    else openvino.Tensor(self._taken[place], openvino.Shape(array.shape))
                )
                request.set_input_tensor(place, given)
            # Anew for each run: what a run before gave away stays what it was.
            made = {}
            for place, (element, shape) in self._empty.items():
                made[place] = openvino.Tensor(element, openvino.Shape(shape))
                request.set_output_tensor(place, made[place])
            request.infer()
        except RuntimeError as error:
            raise OpenVinoError(words(error)) from error
        self._requests.append(request)
        return [np.asarray(made[self._made[name]].data) for name in outputs]

    def _checked(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        import numpy as np

        if len(feeds) != len(self._inputs):
            raise OpenVinoError(f"It takes {len(self._inputs)} inputs; found {len(feeds)}.")
        arrays = {}
        for port in self._inputs:
            if port.name not in feeds:
                raise OpenVinoError(f"The input '{port.name}' is missing.")
            array = np.asarray(feeds[port.name])
            wanted = _TYPES[port.type]
            # OpenVINO would convert it.
            if array.dtype.name != wanted:
                raise OpenVinoError(f"The input '{port.name}' is {array.dtype}; the graph takes {wanted}.")
            if wanted in _NARROWED and array.size and not -_RANGE <= int(array.min()) <= int(array.max()) < _RANGE:
                raise SampleError(
                    f"Input '{port.name}' has a number beyond 32 bits, which OpenVINO computes in.",
                    hint="Take another engine of the package.",
                )
            arrays[port.name] = np.ascontiguousarray(array) if array.ndim else array
        return arrays


def _with_sizes(port: OnnxPort) -> OnnxPort:
    """The port with sizes that an exporter wrote as names, such as "16", as numbers.

    An empty cache takes its shape from them. ONNX Runtime joins an array of [1, 0, 0, 0] to one of [1, 2, 7, 16],
    OpenVINO does not.
    """
    sizes = (int(size) if isinstance(size, str) and size.isdecimal() else size for size in port.shape)
    return port._replace(shape=tuple(sizes))


def _type_and_shape(output: Any) -> tuple[Any, list[int]]:
    """OpenVINO's type of an output, and its shape with 0 for free sizes: OpenVINO makes room when it runs."""
    return output.element_type, [size.get_length() if size.is_static else 0 for size in output.partial_shape]


def _places(ports: Sequence[OnnxPort], found: Sequence[Any], what: str) -> dict[str, int]:
    """Name in the file to place in OpenVINO's list: a value of several names has all of them there."""
    names = [set(one.names) for one in found]
    places = {port.name: next((at for at, has in enumerate(names) if port.name in has), None) for port in ports}
    missing = [name for name, place in places.items() if place is None]
    if missing:
        raise OpenVinoError(f"OpenVINO's graph lacks the {what} '{missing[0]}'.")
    return {name: place for name, place in places.items() if place is not None}
