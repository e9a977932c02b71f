"""Image processors of depth models: pictures keep their proportions, and a model says what its numbers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from edgewright_compiler.processors._image_steps import fixed_size
from edgewright_compiler.processors.image import IMAGE, INPUT, ImageProcessor, from_settings, images_beside
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from edgewright_compiler.checkpoints.checkpoint import Checkpoint
    from edgewright_compiler.processors import Processor

# As the configuration of Depth Anything calls it.
KIND = "depth_estimation_type"
_KINDS = ("metric", "relative")
# Architectures whose configuration does not say it, and whose outputs are metres.
_METRIC = ("glpn", "zoedepth")
_OUTPUT = "predicted_depth"
# Pictures of an export where any size will do have edges of at least so many pixels.
_EXAMPLE_SIZE = (96, 160)


class DepthProcessor(ImageProcessor):
    """The image processor of a depth model.

    Raises:
        InputError: It cannot be loaded, has a step that cannot be reproduced, or its kind of depth is unknown.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self._kind = _kind_of(checkpoint.config, checkpoint.name)

    def _input_size(self) -> tuple[int, int] | None:
        if any(step.step == "scale_image" for step in self._steps):
            return None
        return fixed_size(self._steps, self._name)

    def example(self) -> dict[str, Any]:
        """Where sizes differ one picture: such pictures are answered one at a time."""
        import torch

        if self._size is not None:
            return super().example()
        (multiple,) = (int(step.options["multiple_of"]) for step in self._steps if step.step == "scale_image")
        edges = (-(-edge // multiple) * multiple for edge in _EXAMPLE_SIZE)
        return {INPUT: torch.zeros(1, self._channels, *edges)}

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        import torch

        if self._size is not None:
            return super().axes(feeds)
        edges = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
        return dict.fromkeys(feeds, edges)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The step from the graph's output to the prediction."""
        depth = _OUTPUT if _OUTPUT in outputs else outputs[0]
        return (StepSpec("read_depth", {"depth": depth, "kind": self._kind}),)


def _kind_of(config: Mapping[str, object], where: str) -> Literal["metric", "relative"]:
    """What the numbers of a model are; `relative` where nothing says it, as they are aligned before they are judged."""
    given = config.get(KIND, "metric" if config.get("model_type") in _METRIC else "relative")
    if given == "metric":
        return "metric"
    if given == "relative":
        return "relative"
    raise InputError(f"'{where}': its {KIND} is {given!r}.", hint=f"Supported: {', '.join(_KINDS)}.")


def _beside(path: Path, task: str) -> Processor:
    return DepthProcessor(images_beside(path, task))


def _from_settings(settings: Mapping[str, object] | None, feeds: Mapping[str, object], where: str) -> Processor:
    """That of a torch module, whose settings may also say what its numbers are."""
    plain = None if settings is None else {name: value for name, value in settings.items() if name != KIND}

    class Settled(DepthProcessor):
        def __init__(self, checkpoint: Checkpoint) -> None:
            said = {} if settings is None or KIND not in settings else {KIND: settings[KIND]}
            super().__init__(replace(checkpoint, config={**checkpoint.config, **said}))

    return from_settings(plain, feeds, where, Settled)


DEPTH = replace(IMAGE, from_checkpoint=DepthProcessor, beside=_beside, from_settings=_from_settings)
