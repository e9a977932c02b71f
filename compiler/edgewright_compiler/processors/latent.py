"""What a generator of pictures is given: latents and noise, drawn from a seed. No source has a processor for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from edgewright_compiler.checkpoints.checkpoint import read_json
from edgewright_compiler.graphs.read_graph import read_graph
from edgewright_compiler.processors import ProcessorKind, batch_axes
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.samples import LATENT_INPUT
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError, nearest

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# Beside an .onnx file, or returned by a function beside its module: the settings below.
SETTINGS_FILE = "generator_config.json"
_DISTRIBUTIONS = ("normal", "uniform")
_DEFAULTS: dict[str, object] = {"distribution": "normal", "range": [-1.0, 1.0]}
# Seeds to measure on for want of data. With fewer than 270 no drop can be shown to be below 1 %.
_EXAMPLES = 300


class LatentProcessor:
    """From a seed to the inputs of a generator.

    Args:
        shapes: Name of an input to its shape, for one picture; all inputs are float32.
        settings: `distribution` of the inputs, and `range`: the values that are black and white.
        where: What messages call the source.

    Raises:
        InputError: A setting is unknown or cannot be.
    """

    def __init__(self, shapes: Mapping[str, Sequence[int]], settings: Mapping[str, Any], where: str) -> None:
        for key in settings:
            if key not in _DEFAULTS:
                raise InputError(f"'{where}': unknown setting '{key}' of a generator.", hint=nearest(key, _DEFAULTS))
        known = {**_DEFAULTS, **settings}
        if known["distribution"] not in _DISTRIBUTIONS:
            raise InputError(f"'{where}': the distribution is {known['distribution']!r}; expected normal or uniform.")
        try:
            self.low, self.high = (float(value) for value in known["range"])
        except (TypeError, ValueError):
            self.low, self.high = 0.0, 0.0
        if not self.low < self.high:
            raise InputError(
                f"'{where}': the range is {known['range']!r}; expected two numbers, the values of black and white."
            )
        inputs = [{"name": name, "shape": [int(size) for size in shape]} for name, shape in shapes.items()]
        self._draw = StepSpec("draw_latent", {"inputs": inputs, "distribution": known["distribution"]})
        self._step = make_free_step(self._draw)

    def example(self) -> dict[str, Any]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        import torch

        return {name: torch.from_numpy(value.repeat(2, axis=0)) for name, value in self.feeds(0).items()}

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        return batch_axes(feeds)

    def feeds(self, sample: Any) -> Arrays:
        """The latent of a seed, made by the step: a source has no way of its own from a seed to a latent."""
        return {**self._step({LATENT_INPUT: sample})}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        own = self._draw.options["inputs"]
        if len(inputs) != len(own):
            names = ", ".join(entry["name"] for entry in own)
            raise InputError(f"The graph has the inputs {', '.join(inputs)}; its source has {names}.")
        # By position: an exporter may call an input something else.
        named = [{**entry, "name": name} for name, entry in zip(inputs, own, strict=True)]
        return (StepSpec("draw_latent", {**self._draw.options, "inputs": named}),)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from the graph's outputs to the prediction."""
        return (StepSpec("to_picture", {"output": outputs[0], "low": self.low, "high": self.high}),)

    def keep(self, folder: Path) -> None:
        """Nothing: the steps need no files."""


def _from_settings(settings: Mapping[str, object] | None, feeds: Mapping[str, Any], where: str) -> LatentProcessor:
    for name, value in feeds.items():
        if not value.is_floating_point() or not value.ndim:
            raise InputError(
                f"'{where}': the input '{name}' is {str(value.dtype).removeprefix('torch.')} {list(value.shape)}; "
                "the inputs of a generator are float tensors with the batch as first axis.",
                hint="Fix other inputs in the module: forward(self, latent).",
            )
    return LatentProcessor({name: (1, *value.shape[1:]) for name, value in feeds.items()}, settings or {}, where)


def _no_checkpoint(folder: Path) -> NoReturn:
    raise InputError(
        f"'{folder}': image generators cannot be built from a checkpoint of transformers.",
        hint="Build it from an .onnx file, or from package.module:function that returns the torch module.",
    )


def _beside(path: Path, task: str) -> LatentProcessor:
    graph = read_graph(path).graph
    import onnx_ir

    shapes: dict[str, tuple[int, ...]] = {}
    for value in graph.inputs:
        dims = list(value.shape) if value.shape is not None else []
        fixed = [size for size in dims[1:] if isinstance(size, int) and size > 0]
        if value.dtype != onnx_ir.DataType.FLOAT or not dims or len(fixed) != len(dims) - 1:
            raise InputError(
                f"'{path}': the input '{value.name}' is {value.dtype} {[str(size) for size in dims]}; for {task} all "
                "inputs must be float32 with fixed sizes except the first axis."
            )
        shapes[str(value.name)] = (1, *fixed)
    file = path.parent / SETTINGS_FILE
    return LatentProcessor(shapes, read_json(file) if file.is_file() else {}, str(path))


LATENT = ProcessorKind(
    input_name=LATENT_INPUT,
    tools=("numpy",),
    check=_no_checkpoint,
    from_checkpoint=lambda checkpoint: _no_checkpoint(checkpoint.folder),
    beside=_beside,
    files=(SETTINGS_FILE,),
    from_settings=_from_settings,
    examples=tuple(range(_EXAMPLES)),
)
