"""`package.module:function`, a function of the user's that returns a torch module and example inputs."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_benchmarks.own_code import file_of, function_of, own_failures, own_module
from edgewright_benchmarks.truth.ground_truth import ArrayNames
from edgewright_compiler.cache import digest_of
from edgewright_compiler.checkpoints.checkpoint_weights import refuse_no_numbers
from edgewright_compiler.failures import export_failures
from edgewright_compiler.graphs.exported import ports_of, save_model
from edgewright_compiler.graphs.inference import Inference
from edgewright_compiler.processors import WindowedProcessor
from edgewright_compiler.sources._source import SourceOptions
from edgewright_compiler.sources.detection_lists import OnePicture, export_lists, takes_lists
from edgewright_compiler.sources.onnx_head import head_of_graph
from edgewright_compiler.tasks import find_task
from edgewright_runtime.gaps import largest_gap, output_size
from edgewright_runtime.manifest import COMPONENT
from edgewright_runtime.package_files import file_digest
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_benchmarks.truth.windows import Windows
    from edgewright_compiler.processors import Processor
    from edgewright_runtime.wire import Arrays

# Difference that is rounding, as a share of an output's size.
_SAME = 1e-3


class TorchSource:
    """A torch module made by the user's own code; its inputs and outputs are named arrays.

    Where the function also returns the settings of a processor, such as those of `preprocessor_config.json` for images,
    the module takes what that processor does, and `task` says what it gives.

    Raises:
        InputError: The function cannot be found, fails, or returns something else.
    """

    kind = "torch"
    graph_itself = False
    quantized = ""

    def __init__(self, module: str, function: str, options: SourceOptions) -> None:
        self.name = function
        self._spec = f"{module}:{function}"
        self._task = find_task(options.task or "arrays")
        self.task = self._task.name
        kind = self._task.processor
        if kind is not None and kind.from_settings is None:
            raise InputError(
                f"'{self._spec}': a torch module takes named arrays; the task '{self.task}' does not.",
                hint="Without --task it is built for named arrays.",
            )
        self.labels: tuple[str, ...] = options.labels or ()
        tools = kind.tools if kind else ()
        self.tools: tuple[str, ...] = ("torch", "onnx", "onnx-ir", "onnxscript", *tools)
        with needs("compiler"):
            import torch
        self._torch = torch
        made, self._feeds, self._settings = self._call(module, function)
        self._lists = takes_lists(made)
        self._module = OnePicture(made).eval() if self._lists else made
        self._processor: Processor | None = None
        if kind is not None and kind.from_settings is not None:
            self._processor = kind.from_settings(self._settings, self._feeds, self._spec)
        self.input_name = self._task.input_of(self._processor)
        if kind is not None and self._task.labelled and not self.labels:
            raise InputError(f"'{self._spec}': the task {self.task} needs labels.", hint="Pass --labels FILE.")

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing is taken otherwise than it is written."""
        return ()

    def _call(self, module: str, function: str) -> tuple[Any, dict[str, Any], dict[str, object] | None]:
        make = function_of(own_module(module, self._spec), function, self._spec)
        self._torch.manual_seed(0)
        with own_failures(f"'{self._spec}'"):
            made = make()
        settings = None
        if isinstance(made, tuple) and len(made) == 3 and isinstance(made[2], dict):
            *made, settings = made
            made = tuple(made)
        if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], self._torch.nn.Module)):
            raise InputError(
                f"'{self._spec}' must return a torch module and its example inputs; it returned {_kind_of(made)}.",
                hint="For example: return MyModel().eval(), {'pixels': torch.zeros(1, 3, 224, 224)}",
            )
        net, inputs = _unwrapped(made[0]), made[1]
        refuse_no_numbers(net, f"'{self._spec}'")
        if settings is not None and self._task.processor is None:
            raise InputError(
                f"'{self._spec}' returns settings of a processor, but no task says what the module's outputs are.",
                hint="Pass --task image-classification and --labels FILE.",
            )
        return net.eval(), self._named(net, inputs), settings

    def _named(self, net: Any, inputs: Any) -> dict[str, object]:
        if isinstance(inputs, self._torch.Tensor):
            inputs = (inputs,)
        if isinstance(inputs, list | tuple):
            names = list(inspect.signature(net.forward).parameters)
            if len(inputs) > len(names):
                raise InputError(
                    f"'{self._spec}': there are {len(inputs)} example inputs, but the module takes {len(names)}: "
                    f"{', '.join(names)}."
                )
            inputs = dict(zip(names, inputs, strict=False))
        if not isinstance(inputs, Mapping) or not inputs:
            raise InputError(
                f"'{self._spec}': the example inputs must be tensors, by name or in order; found {_kind_of(inputs)}."
            )
        for name, value in inputs.items():
            if not isinstance(value, self._torch.Tensor):
                raise InputError(f"'{self._spec}': the example input '{name}' is {_kind_of(value)}, not a tensor.")
            if value.dtype == self._torch.bfloat16:
                raise InputError(
                    f"'{self._spec}': the example input '{name}' is bfloat16, which numpy does not have.",
                    hint="Return the module in float32: return model.float(), inputs.",
                )
        return dict(inputs)

    def digest(self) -> str:
        """Digest of weights, example inputs and the user's code."""
        state = hashlib.sha256()
        for name, tensor in sorted(self._module.state_dict().items()):
            state.update(name.encode() + str(tensor.dtype).encode())
            # As bytes: numpy does not know every type that torch has.
            plain = tensor.detach().cpu().contiguous().reshape(-1).view(self._torch.uint8)
            state.update(plain.numpy().tobytes())
        shapes = {name: [list(value.shape), str(value.dtype)] for name, value in self._feeds.items()}
        parts = {"state": state.hexdigest(), "code": self._code(), "structure": str(self._module)}
        task = {"task": self.task, "processor": self._settings, "labels": self.labels}
        return digest_of({**parts, **task, "feeds": shapes, "spec": self._spec})

    def _code(self) -> dict[str, str]:
        """Digests of the user's modules: a helper that a forward calls decides the graph as much as the forward."""
        kinds = {type(part).__module__ for part in self._module.modules()}
        roots = {name.partition(".")[0] for name in (*kinds, self._spec.partition(":")[0])}
        folders = {Path(path).parent for root in roots if root != "torch" and (path := file_of(root))}
        return {
            name: file_digest(path)
            for name in sorted(sys.modules)
            if (path := file_of(name)) and any(path.is_relative_to(folder) for folder in folders)
            if "site-packages" not in path.parts and path.suffix == ".py"
        }

    def export(self, folder: Path) -> None:
        """Export with torch's exporter; the first axis of every input is free where the module allows it."""
        torch = self._torch
        free = dict.fromkeys(self._axes(), torch.export.Dim.AUTO)
        shapes = {name: free if value.ndim else None for name, value in self._feeds.items()}
        if self._lists:
            self._write(export_lists(self._module, self._feeds, f"'{self._spec}'"), folder)
            return
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
        self._write(program.model, folder)

    def _axes(self) -> tuple[int, ...]:
        # Of a detector that takes pictures of any size, these as well.
        return (0, 2, 3) if getattr(self._processor, "any_size", False) else (0,)

    def _write(self, model: onnx_ir.Model, folder: Path) -> None:
        from edgewright_compiler.graphs.passes.contract import edit
        from edgewright_compiler.graphs.passes.interface import PartNames

        edit(model, PartNames())
        ports = ports_of(model)
        head = head_of_graph(model, {}, names=len(self.labels))
        if self._task.answer_of is not None and head.labels is not None:
            self._task.check_config({"num_labels": head.labels}, Path(self._spec), head)
            two_of_one = self._task.two_of_one and head.is_binary
            if head.labels != len(self.labels) and not two_of_one:
                raise InputError(
                    f"'{self._spec}': there are {len(self.labels)} labels, but the module gives {head.labels} scores.",
                    hint="Pass one label for each score with --labels FILE, in the order of the scores.",
                )
        pipeline = self._task.pipeline(self._processor, ports.inputs, ports.outputs, head)
        save_model(folder, {COMPONENT: model}, pipeline, task=self.task, labels=self.labels)

    def reference(self, samples: Sequence[Any]) -> list[Arrays]:
        """What the torch module answers; outputs in order, under `0`, `1`, ... for `compare` to match by order."""
        with own_failures(f"'{self._spec}': calling the module on the data"):
            return [self._infer(self._taken(sample)) for sample in samples]

    def _taken(self, sample: Any) -> Arrays:
        """What the module takes of a sample."""
        if self._processor is None:
            return {name: sample[name] for name in self._feeds}
        # By position: a processor calls its inputs what it will.
        return dict(zip(self._feeds, self._processor.feeds(sample).values(), strict=True))

    def _infer(self, feeds: Arrays) -> Arrays:
        torch = self._torch
        with torch.no_grad(), warnings.catch_warnings():
            # Of the fast path of an encoder, about torch's own future.
            warnings.filterwarnings("ignore", "The PyTorch API of nested tensors")
            made = self._module(**{name: torch.from_numpy(value) for name, value in feeds.items()})
        return {str(i): value.numpy() for i, value in enumerate(_tensors(torch, made))}

    def arrays(self) -> ArrayNames | None:
        """The example inputs, where no processor makes them."""
        return None if self._processor is not None else ArrayNames(tuple(self._feeds))

    @property
    def windows(self) -> Windows | None:
        """How data of the module is cut, where it takes a series."""
        processor: object = self._processor
        return processor.windows if isinstance(processor, WindowedProcessor) else None

    def inference(self) -> Inference | None:
        """The module; None of a detector that takes lists, which takes one picture at a time."""
        if self._lists:
            return None
        free = {name: self._axes() for name, value in self._feeds.items() if value.ndim}
        return Inference(lambda feeds: self._infer(dict(zip(self._feeds, feeds.values(), strict=True))), free)

    def changed_by(self, sample: Any) -> tuple[str, ...]:
        """The parameters and buffers that a call changes."""
        feeds = self._taken(sample)
        state = dict(itertools.chain(self._module.named_parameters(), self._module.named_buffers()))
        before = {name: value.detach().clone() for name, value in state.items()}
        self._infer(feeds)
        return tuple(name for name, value in state.items() if not self._torch.equal(value, before[name]))

    def told_apart(self, sample: Any, outputs: Arrays) -> str:
        """That it is the fast path of torch's own transformer layers, where the module answers as its graph without."""
        fast = self._torch.backends.mha
        if not fast.get_fastpath_enabled():
            return ""
        fast.set_fastpath_enabled(False)
        try:
            found = self._infer(self._taken(sample))
        finally:
            fast.set_fastpath_enabled(True)
        pairs = zip(outputs.values(), found.values(), strict=False)
        if any(largest_gap(made, plain) > _SAME * output_size(plain) for made, plain in pairs):
            return ""
        return (
            "Its nn.TransformerEncoder has a fast path, which gives zeros for what a mask pads; the graph has none. "
            "Let no answer depend on what is padded (a mean over real tokens alone), or build what the graph computes: "
            "call torch.backends.mha.set_fastpath_enabled(False) before the module is made."
        )

    def example(self) -> list[Any]:
        """The example inputs themselves, where they are what a person has, or what its kind of processor has."""
        if self._task.processor is not None:
            return list(self._task.processor.examples)
        return [{name: value.detach().cpu().numpy() for name, value in self._feeds.items()}]


def _unwrapped(net: Any) -> Any:
    """The module inside what torch puts around one to compile it or to run it on several devices."""
    while True:
        parallel = type(net).__name__ in ("DataParallel", "DistributedDataParallel")
        inner = getattr(net, "module" if parallel else "_orig_mod", None)
        if inner is None:
            return net
        net = inner


def _tensors(torch: Any, value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return [value.detach().cpu()]
    if isinstance(value, Mapping):
        value = list(value.values())
    # Whatever else a module returns beside tensors (None, numbers) is not an output of the graph.
    return [tensor for part in value for tensor in _tensors(torch, part)] if isinstance(value, list | tuple) else []


def _kind_of(value: object) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {', '.join(type(part).__name__ for part in value) or 'nothing'}"
    return type(value).__name__
