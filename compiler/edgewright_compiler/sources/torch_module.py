"""`package.module:function`, a function of the user's that returns a torch module and example inputs."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.cache import digest_of
from edgewright_compiler.component import Component, save_graph, write_component
from edgewright_compiler.sources import SourceOptions
from edgewright_compiler.sources.failures import export_failures, needs
from edgewright_compiler.sources.text import arrays_pipeline
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


class TorchSource:
    """A torch module made by the user's own code; its inputs and outputs are named arrays.

    Raises:
        InputError: The function cannot be found, fails, or returns something else.
    """

    kind = "torch"
    tools: tuple[str, ...] = ("torch", "onnx", "onnx-ir", "onnxscript")

    def __init__(self, module: str, function: str, options: SourceOptions) -> None:
        self.name = function
        self._spec = f"{module}:{function}"
        if options.task not in (None, "arrays"):
            raise InputError(f"'{self._spec}': a torch module takes named arrays; the task '{options.task}' does not.")
        self.labels: tuple[str, ...] = options.labels or ()
        self.input_name = "*"
        with needs("compiler"):
            import torch
        self._torch = torch
        self._module, self._feeds = self._call(module, function)

    def _call(self, module: str, function: str) -> tuple[Any, dict[str, Any]]:
        # The user's project is where the command is run, as with `python -m`.
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
        try:
            make = getattr(importlib.import_module(module), function)
        except (ImportError, AttributeError) as error:
            raise InputError(f"'{self._spec}' cannot be imported: {error}.") from error
        self._torch.manual_seed(0)
        made = make()
        if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], self._torch.nn.Module)):
            raise InputError(
                f"'{self._spec}' must return a torch module and its example inputs; it returned {type(made).__name__}.",
                hint="For example: return MyModel().eval(), {'pixels': torch.zeros(1, 3, 224, 224)}",
            )
        net, inputs = made
        if isinstance(inputs, self._torch.Tensor):
            inputs = (inputs,)
        if not isinstance(inputs, Mapping):
            names = list(inspect.signature(net.forward).parameters)
            inputs = dict(zip(names, inputs, strict=False))
        if not inputs or not all(isinstance(value, self._torch.Tensor) for value in inputs.values()):
            raise InputError(f"'{self._spec}': the example inputs must be tensors, by name or in order.")
        return net.eval(), dict(inputs)

    def digest(self) -> str:
        """Digest of weights, example inputs and the code of the module's class."""
        import hashlib

        state = hashlib.sha256()
        for name, tensor in sorted(self._module.state_dict().items()):
            state.update(name.encode() + str(tensor.dtype).encode())
            state.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        code = {}
        for part in {type(module) for module in self._module.modules()}:
            if not part.__module__.startswith("torch."):
                code[f"{part.__module__}.{part.__qualname__}"] = _source_of(part)
        shapes = {name: [list(value.shape), str(value.dtype)] for name, value in self._feeds.items()}
        parts = {"state": state.hexdigest(), "code": code, "structure": str(self._module)}
        return digest_of({**parts, "feeds": shapes, "labels": self.labels, "spec": self._spec})

    def export(self, folder: Path) -> None:
        """Export with torch's exporter; the first axis of every input is free where the module allows it."""
        torch = self._torch
        shapes = {name: {0: torch.export.Dim.AUTO} if value.ndim else None for name, value in self._feeds.items()}
        with export_failures(f"'{self._spec}'"):
            program = torch.onnx.export(
                self._module,
                (),
                kwargs=self._feeds,
                input_names=list(self._feeds),
                dynamic_shapes=shapes,
                dynamo=True,
                verbose=False,
            )
        model = program.model
        save_graph(model, folder)
        inputs = tuple(str(value.name) for value in model.graph.inputs)
        outputs = tuple(str(value.name) for value in model.graph.outputs)
        write_component(folder, Component("arrays", self.labels, arrays_pipeline(), inputs, outputs))
        self._outputs = outputs

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the torch module answers; outputs in order, under `0`, `1`, ... for `compare` to match by order."""
        torch = self._torch
        found = []
        with torch.no_grad():
            for sample in samples:
                feeds = {name: torch.from_numpy(value) for name, value in sample.items()}
                found.append({str(i): value.numpy() for i, value in enumerate(_tensors(torch, self._module(**feeds)))})
        return found

    def example(self) -> list[Any]:
        """The example inputs themselves."""
        return [{name: value.detach().cpu().numpy() for name, value in self._feeds.items()}]


def _tensors(torch: Any, value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return [value.detach().cpu()]
    parts = value.values() if isinstance(value, Mapping) else value
    return [tensor for part in parts for tensor in _tensors(torch, part)]


def _source_of(kind: type[Any]) -> str:
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return kind.__qualname__
