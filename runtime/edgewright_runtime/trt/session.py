"""A TensorRT plan with the part of ONNX Runtime's session interface that an engine uses.

Written against TensorRT's documented interface and not run yet: no GPU was at hand. Nothing relies on it unseen: an
engine that runs here is preferred only after `edgewright finish` compared its answers with the float engine's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import SampleError
from edgewright_runtime.trt import Flavour, load_module, make_log
from edgewright_runtime.trt.cuda import Stream

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray[Any, Any]]

# TensorRT's name of a type -> numpy's, and the word in ONNX Runtime's.
_TYPES = {
    "FLOAT": ("float32", "float"),
    "HALF": ("float16", "float16"),
    "INT64": ("int64", "int64"),
    "INT32": ("int32", "int32"),
    "INT8": ("int8", "int8"),
    "UINT8": ("uint8", "uint8"),
    "BOOL": ("bool", "bool"),
}


class PlanError(Exception):
    """TensorRT refuses a plan, or fails to run it; the text says why."""


@dataclass(frozen=True)
class Port:
    """An input or output as ONNX Runtime describes one: name, type such as `tensor(float)`, shape (None is free)."""

    name: str
    type: str
    shape: tuple[int | None, ...]
    dtype: str
    host: bool


class PlanSession:
    """One plan, ready to run on the first GPU.

    Raises:
        PlanError: TensorRT cannot read the plan here.
        CudaError: There is no GPU, or it has no memory left.
    """

    def __init__(self, flavour: Flavour, plan: Path) -> None:
        module = load_module(flavour)
        self._module = module
        self._log = make_log(module)
        self._stream = Stream()
        try:
            self._open(flavour, plan)
        except BaseException:
            self._stream.close()
            raise

    def _open(self, flavour: Flavour, plan: Path) -> None:
        module = self._module
        self._runtime = module.Runtime(self._log)
        self._engine = self._runtime.deserialize_cuda_engine(plan.read_bytes())
        if self._engine is None:
            raise PlanError(f"{flavour.title} cannot read the plan: {self._log.errors() or 'without a reason'}")
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise PlanError(f"{flavour.title} has no memory to run the plan: {self._log.errors()}")
        names = [self._engine.get_tensor_name(index) for index in range(self._engine.num_io_tensors)]
        ports = {name: self._port(name) for name in names}
        mode = self._engine.get_tensor_mode
        self._inputs = [ports[name] for name in names if mode(name) == module.TensorIOMode.INPUT]
        self._outputs = [ports[name] for name in names if mode(name) == module.TensorIOMode.OUTPUT]

    @property
    def layers(self) -> int:
        """Layers of the engine."""
        return int(self._engine.num_layers)

    def get_inputs(self) -> list[Port]:
        """The inputs of the graph."""
        return self._inputs

    def get_outputs(self) -> list[Port]:
        """The outputs of the graph."""
        return self._outputs

    def run(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
        """Run the graph; the arrays returned are the caller's own.

        Raises:
            SampleError: A shape is outside of what the engine was built for.
            PlanError: TensorRT failed.
        """
        import numpy as np

        names = [port.name for port in self._inputs]
        if set(feeds) != set(names):
            raise SampleError(f"The model takes the inputs {sorted(names)}; found {sorted(feeds)}.")
        self._stream.use()
        # Kept until the stream is done: the copies to the device read them.
        arrays = {port.name: np.asarray(feeds[port.name], dtype=port.dtype, order="C") for port in self._inputs}
        for port in self._inputs:
            self._give(port, arrays[port.name], np.asarray(feeds[port.name]).dtype.name)
        made = {port.name: np.empty(self._shape(port), dtype=port.dtype) for port in self._outputs}
        for port in self._outputs:
            address = (
                made[port.name].ctypes.data if port.host else self._stream.buffer(port.name, made[port.name].nbytes)
            )
            self._checked(self._context.set_tensor_address(port.name, address), port.name)
        self._checked(self._context.execute_async_v3(self._stream.handle), "execution")
        for port in self._outputs:
            if not port.host and made[port.name].nbytes:
                array = made[port.name]
                self._stream.download(array.ctypes.data, self._stream.buffer(port.name, array.nbytes), array.nbytes)
        self._stream.wait()
        return [made[name] for name in outputs]

    def _give(self, port: Port, array: np.ndarray[Any, Any], given: str) -> None:
        if given != port.dtype:
            raise SampleError(f"Input '{port.name}' is {given}; the model takes {port.dtype}.")
        if not self._context.set_input_shape(port.name, array.shape):
            least, _, most = (tuple(shape) for shape in self._engine.get_tensor_profile_shape(port.name, 0))
            raise SampleError(
                f"Input '{port.name}' has the shape {list(array.shape)}; this engine was built for shapes from "
                f"{list(least)} to {list(most)}."
            )
        if port.host:
            address = array.ctypes.data
        else:
            address = self._stream.buffer(port.name, array.nbytes)
            if array.nbytes:
                self._stream.upload(address, array.ctypes.data, array.nbytes)
        self._checked(self._context.set_tensor_address(port.name, address), port.name)

    def _shape(self, port: Port) -> tuple[int, ...]:
        shape = tuple(int(size) for size in self._context.get_tensor_shape(port.name))
        if any(size < 0 for size in shape):
            raise PlanError(f"The shape of the output '{port.name}' depends on values, which is not supported here.")
        return shape

    def _port(self, name: str) -> Port:
        kind = self._engine.get_tensor_dtype(name).name
        if kind not in _TYPES:
            raise PlanError(f"'{name}' is {kind}, which numpy has no type for.")
        dtype, word = _TYPES[kind]
        shape = tuple(int(size) if size >= 0 else None for size in self._engine.get_tensor_shape(name))
        host = self._engine.get_tensor_location(name) == self._module.TensorLocation.HOST
        return Port(name, f"tensor({word})", shape, dtype, host)

    def _checked(self, done: bool, what: str) -> None:  # noqa: FBT001 - TensorRT answers so
        if not done:
            raise PlanError(f"TensorRT failed at {what}: {self._log.errors() or 'without a reason'}")

    def close(self) -> None:
        """Free the engine and its memory on the GPU."""
        # In this order: a context must not outlive its engine, nor an engine its runtime.
        self._context = self._engine = self._runtime = None
        self._stream.close()
