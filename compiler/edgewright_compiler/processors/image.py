"""Image processors of transformers, as declared steps. A step that cannot be reproduced is refused by its name."""

from __future__ import annotations

import io
import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import OFFLINE, Checkpoint, checkpoint_beside, read_json
from edgewright_compiler.processors import ProcessorKind, batch_axes
from edgewright_compiler.processors._image_steps import fixed_size, image_steps, kind_of, refuse_unlike
from edgewright_compiler.processors._known_settings import known_settings, refuse_unknown_settings
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

PROCESSOR_FILE = "preprocessor_config.json"
# Where processors of several parts have it, under this name.
_JOINED_FILE, _JOINED_KEY = "processor_config.json", "image_processor"
INPUT = "pixel_values"
# Nearest and Lanczos, as Pillow numbers them.
_FILTERS_OF_THEIR_OWN = (0, 1)


class ImageProcessor:
    """The image processor of a checkpoint, in the form that works with Pillow.

    transformers has another form, on torchvision. Which one a model was trained with is seldom written down; the one
    with Pillow is what a device can do exactly. The other one's bilinear and bicubic filters differ by at most one
    level of 256, in fewer than one of a hundred pixels of two photographs (torchvision 0.29); its nearest and Lanczos
    filters by more, so these are refused where a checkpoint says that it wants the other form.

    Raises:
        InputError: It cannot be loaded, or has a step that cannot be reproduced.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        with needs("image"):
            import PIL.Image  # noqa: F401 - transformers would say it in another way
        with needs("compiler"):
            from transformers import AutoImageProcessor
        loader: Any = AutoImageProcessor
        self._name = checkpoint.name
        settings = _settings(checkpoint.folder)
        kind = str(settings.get("image_processor_type", ""))
        self._processor = self._settle(
            checkpoint.loaded(lambda: loader.from_pretrained(checkpoint.folder, backend="pil", **OFFLINE), kind)
        )
        if kind.endswith("Fast") and self._processor.resample in _FILTERS_OF_THEIR_OWN and self._processor.do_resize:
            raise InputError(
                f"'{checkpoint.name}': the step 'resize' of its image processor {kind} uses a filter of torchvision "
                "that cannot be reproduced.",
                hint="Bilinear (2) and bicubic (3) are supported: set 'resample' in preprocessor_config.json if the "
                "model allows it.",
            )
        known = known_settings(getattr(self._processor, "whole", self._processor))
        refuse_unknown_settings(settings, known, kind or kind_of(self._processor).__name__, checkpoint.name)
        self._channels = int(checkpoint.config.get("num_channels", 3))
        self._steps = image_steps(self._processor, self._channels, checkpoint.name)
        self._size = self._input_size()
        refuse_unlike(self._processor, self._steps, self._channels, checkpoint.name)

    def _settle(self, processor: Any) -> Any:
        """The processor as that of one image."""
        return processor

    def _input_size(self) -> tuple[int, int] | None:
        """Height and width of every image that the steps make; None where they differ and the model takes that."""
        return fixed_size(self._steps, self._name)

    def example(self) -> dict[str, Any]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        import torch

        assert self._size is not None, "only a processor that says otherwise lets sizes differ"
        return {INPUT: torch.zeros(2, self._channels, *self._size)}

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        return batch_axes(feeds)

    def feeds(self, sample: Any) -> Arrays:
        """The graph's inputs for one sample, as the source's own code computes them."""
        made = self._processor(self._opened(sample), return_tensors="np")
        return {INPUT: made[INPUT].astype("float32", copy=False)}

    def _opened(self, sample: Any) -> Any:
        """The picture of a sample, as transformers opens it."""
        from PIL import Image, ImageOps
        from transformers.image_utils import load_image

        if hasattr(sample, "dtype"):
            image: Any = Image.fromarray(sample)
        else:
            image = Image.open(io.BytesIO(sample if isinstance(sample, bytes) else Path(sample).read_bytes()))
        with warnings.catch_warnings():
            # Pillow has advice about palettes with transparency, for who calls it.
            warnings.simplefilter("ignore", UserWarning)
            # transformers opens images in colour only; for grey ones this is the same in one channel.
            return load_image(image) if self._channels == 3 else ImageOps.exif_transpose(image).convert("L")

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        if len(inputs) != 1:
            raise InputError(f"'{self._name}': an image model has one input; this one has {', '.join(inputs)}.")
        last = self._steps[-1]
        return (*self._steps[:-1], StepSpec(last.step, {**last.options, "output": inputs[0]}))

    def keep(self, folder: Path) -> None:
        """Nothing: the steps need no files."""


def _settings(folder: Path) -> dict[str, object]:
    joined = folder / _JOINED_FILE
    if not (folder / PROCESSOR_FILE).is_file() and joined.is_file():
        found = read_json(joined).get(_JOINED_KEY)
        return found if isinstance(found, dict) else {}
    return read_json(folder / PROCESSOR_FILE) if (folder / PROCESSOR_FILE).is_file() else {}


def _check(folder: Path) -> None:
    if not _settings(folder) and not (folder / PROCESSOR_FILE).is_file():
        raise InputError(
            f"'{folder}' is not a checkpoint: it has no image processor ({PROCESSOR_FILE}).",
            hint="Save it into the same folder: processor.save_pretrained(folder).",
        )


def images_beside(path: Path, task: str) -> Checkpoint:
    """The files beside an ONNX file, with the settings of an image processor.

    Raises:
        InputError: There are no settings.
    """
    beside = checkpoint_beside(path)
    if not _settings(beside.folder):
        raise InputError(
            f"'{path}': the task {task} needs an image processor, and there is no {PROCESSOR_FILE} beside the file."
        )
    return beside


def _beside(path: Path, task: str) -> ImageProcessor:
    return ImageProcessor(images_beside(path, task))


def from_settings(
    settings: Mapping[str, object] | None,
    feeds: Mapping[str, Any],
    where: str,
    kind: type[ImageProcessor] = ImageProcessor,
) -> ImageProcessor:
    """The processor of a torch module of one input, [batch, channels, height, width].

    Raises:
        InputError: There are no settings, or the module takes something else.
    """
    if settings is None:
        raise InputError(
            f"'{where}': its task needs the settings of an image processor.",
            hint="Return them third, for example: return model, inputs, {'image_processor_type': "
            "'ViTImageProcessor', 'size': {'height': 224, 'width': 224}, 'image_mean': ..., 'image_std': ...}",
        )
    shapes = [value.shape for value in feeds.values()]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise InputError(f"'{where}': a module that takes images has one input, [batch, channels, height, width].")
    with tempfile.TemporaryDirectory() as scratch:
        # In the form of a checkpoint, so that there is one way to read it.
        (Path(scratch) / PROCESSOR_FILE).write_text(json.dumps(settings), encoding="utf-8")
        return kind(Checkpoint(Path(scratch), {"num_channels": shapes[0][1]}, (), where))


IMAGE = ProcessorKind(
    input_name="image",
    tools=("pillow",),
    check=_check,
    from_checkpoint=ImageProcessor,
    beside=_beside,
    files=(PROCESSOR_FILE, _JOINED_FILE, "config.json"),
    from_settings=from_settings,
)
