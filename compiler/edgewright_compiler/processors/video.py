"""Video processors of transformers (VideoMAE and kin) as declared steps: frames spread evenly, then steps of images."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.image import IMAGE, INPUT, ImageProcessor, images_beside
from edgewright_runtime.errors import VideoWarning
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

CONFIG_FILE = "config.json"


class VideoProcessor(ImageProcessor):
    """The processor of a checkpoint that takes a number of frames.

    Raises:
        InputError: As `ImageProcessor`, or the configuration has no number of frames.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        frames = checkpoint.config.get("num_frames")
        if not isinstance(frames, int) or frames < 1:
            raise InputError(f"'{checkpoint.name}': its configuration has no number of frames (num_frames).")
        self._load = StepSpec("load_video", {"frames": frames})
        self._read = make_free_step(self._load)

    def _settle(self, processor: Any) -> Any:
        """The processor as that of one frame."""
        return _OneFrame(processor)

    def example(self) -> dict[str, Any]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        pixels = super().example()[INPUT]
        return {INPUT: pixels[:, None].repeat(1, self._load.options["frames"], 1, 1, 1)}

    def feeds(self, sample: Any) -> Arrays:
        """The pixels of a video: the step chooses its frames, and the source's image processor takes them."""
        with warnings.catch_warnings():
            # Whoever runs the package hears of it.
            warnings.simplefilter("ignore", VideoWarning)
            frames = self._read({"video": sample})["frames"]
        made = self._processor.whole(list(frames), return_tensors="np")
        return {INPUT: made[INPUT].astype("float32", copy=False)}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        if len(inputs) != 1:
            raise InputError(f"'{self._name}': a video model has one input; this one has {', '.join(inputs)}.")
        # A frame is decoded where it is loaded.
        each = [{"step": step.step, "options": step.options} for step in self._steps[1:]]
        return (self._load, StepSpec("for_frames", {"steps": each, "output": inputs[0]}))


class _OneFrame:
    """A processor of videos on one frame, so that its steps are compared as those of images are."""

    def __init__(self, processor: Any) -> None:
        self.whole = processor

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def __call__(self, image: Any, **options: Any) -> dict[str, object]:
        """What it makes of a video of one frame, as that of an image."""
        return {INPUT: self.whole([image], **options)[INPUT][:, 0]}


def _beside(path: Path, task: str) -> VideoProcessor:
    beside = images_beside(path, task)
    if not beside.config:
        raise InputError(f"'{path}': the task {task} needs {CONFIG_FILE} beside the file.")
    return VideoProcessor(beside)


VIDEO = ProcessorKind(
    input_name="video",
    tools=("pillow", "av"),
    check=IMAGE.check,
    from_checkpoint=VideoProcessor,
    beside=_beside,
    files=IMAGE.files,
)
