"""The graph of one component of an active engine."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import InferenceError, PackageError, SampleError
from edgewright_runtime.provider_words import provider_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    Arrays = dict[str, np.ndarray[Any, Any]]

# Operators that look at a whole array to quantize it: a row is another one beside others.
_RANGE_AT_RUN_TIME = "DynamicQuantize"


class Graph:
    """A graph that is ready to run; components of one engine take turns, and never run at the same time.

    Attributes:
        input_names: Names of its inputs.
        output_names: Names of its outputs.
        session: The `onnxruntime.InferenceSession`, for loops that bind inputs and outputs themselves.
    """

    def __init__(self, session: Any) -> None:
        self.session = session
        self._inputs = {entry.name: entry for entry in session.get_inputs()}
        self._outputs = [output.name for output in session.get_outputs()]
        self.input_names: tuple[str, ...] = tuple(self._inputs)
        self.output_names: tuple[str, ...] = tuple(self._outputs)

    def check_loop(self, inputs: Iterable[str], outputs: Iterable[str], title: str) -> None:
        """Raise unless a declared loop names all inputs, and outputs that there are.

        Raises:
            PackageError: It does not; `title` says which graph this is.
        """
        if set(inputs) != set(self.input_names) or not set(outputs) <= set(self.output_names):
            raise PackageError(
                f"{title} has the inputs {', '.join(self.input_names)} and the outputs "
                f"{', '.join(sorted(self.output_names))}, but its loop names others."
            )

    def output_places(self, names: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Device and its number where the provider leaves these outputs, for loops that carry them to the next step."""
        infos = zip(self.output_names, self.session.get_output_memory_infos(), strict=True)
        places = {name: (str(info.name).lower(), int(info.device_id)) for name, info in infos}
        return {name: places[name] for name in names}

    def fixed_length(self, names: Sequence[str]) -> int | None:
        """The length that the graph demands of the last axis of these inputs, or None if it takes any.

        One that takes a single token is run in a loop, for a text of any length.
        """
        sizes = [self._inputs[name].shape[-1] for name in names if name in self._inputs and self._inputs[name].shape]
        return next((size for size in sizes if isinstance(size, int) and size > 1), None)

    @cached_property
    def batchable(self) -> bool:
        """Whether samples may be stacked along axis 0, and each row's outputs stay the same.

        Axis 0 of each input and output must be dynamic, and no operator may quantize dynamically over the batch.
        """
        lengths = {entry.shape[0] if entry.shape else None for entry in self._inputs.values()}
        made = {entry.shape[0] if entry.shape else None for entry in self.session.get_outputs()}
        if not made <= lengths or not all(isinstance(length, str) for length in lengths):
            return False
        assigned = self.session.get_provider_graph_assignment_info()
        return not any(node.op_type.startswith(_RANGE_AT_RUN_TIME) for one in assigned for node in one.get_nodes())

    def infer(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> Arrays:
        """Run the graph; the arrays returned are the caller's own.

        Raises:
            SampleError: The feeds do not have the graph's names, types or shapes.
            InferenceError: The graph failed on feeds that have.
        """
        try:
            values = self.session.run(self._outputs, feeds)
        except SampleError:
            raise
        except Exception as error:
            problem = self._feed_problem(feeds)
            if problem is None:
                raise inference_error(error) from error
            raise SampleError(problem) from error
        return {name: _plain(value) for name, value in zip(self._outputs, values, strict=True)}

    def run(self, binding: Any) -> None:
        """Run the graph over what is bound, for loops that bind inputs and outputs themselves.

        Raises:
            InferenceError: The graph failed.
        """
        try:
            self.session.run_with_iobinding(binding)
        except Exception as error:  # whatever a provider throws
            raise inference_error(error) from error

    def _feed_problem(self, feeds: Mapping[str, np.ndarray[Any, Any]]) -> str | None:
        expected = {name: f"{entry.type} {entry.shape}" for name, entry in self._inputs.items()}
        listing = ", ".join(f"{name}: {form}" for name, form in expected.items())
        if set(feeds) != set(expected):
            return f"The model takes the inputs [{listing}]; found [{', '.join(feeds)}]."
        for name, value in feeds.items():
            entry = self._inputs[name]
            if len(value.shape) != len(entry.shape) or any(
                isinstance(size, int) and size != given for size, given in zip(entry.shape, value.shape, strict=True)
            ):
                return f"Input '{name}' has the shape {list(value.shape)}; the model takes {entry.shape}."
            if _ORT_TYPES.get(str(value.dtype)) != entry.type:
                return f"Input '{name}' is {value.dtype}; the model takes {entry.type}."
        return None


def _plain(value: Any) -> Any:
    """Texts as numpy has them and not as objects, which no file of arrays and no worker takes."""
    return value.astype(str) if getattr(getattr(value, "dtype", None), "kind", "") == "O" else value


def inference_error(error: Exception) -> InferenceError:
    """The error for a graph that failed on feeds of the right names, types and shapes."""
    return InferenceError(
        f"The graph failed when it ran: {provider_words(error)}",
        hint="The input may have values outside the model's range. Check the package with 'edgewright verify'.",
    )


_ORT_TYPES = {
    "float32": "tensor(float)",
    "float64": "tensor(double)",
    "float16": "tensor(float16)",
    "int64": "tensor(int64)",
    "int32": "tensor(int32)",
    "int16": "tensor(int16)",
    "int8": "tensor(int8)",
    "uint64": "tensor(uint64)",
    "uint32": "tensor(uint32)",
    "uint16": "tensor(uint16)",
    "uint8": "tensor(uint8)",
    "bool": "tensor(bool)",
}
