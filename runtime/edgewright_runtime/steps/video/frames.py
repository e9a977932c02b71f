"""Videos to frames, and frames to a graph's input: PyAV reads files, the steps of images do the rest."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError, VideoWarning
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps.values import NamedValues, Values
from edgewright_targets.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from PIL.Image import Image

    from edgewright_runtime.wire import Arrays


# Containers that people keep videos in. Not all that FFmpeg knows: playlists make it open other files.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,gif,asf,mpegvideo,h264,hevc,y4m,yuv4mpegpipe"
# Steps that a frame may go through.
_OF_FRAMES = ("resize_image", "crop_image", "normalize_image")
# Name of the frames where a sample is not a file; also in `.npz` files.
FRAMES = "frames"
_ARRAYS_LIMIT_BYTES = 2**31
_MOST_FRAMES = 4096


class LoadVideo:
    """`video` to `frames`, a number of pictures spread evenly over it.

    A video is a file (path or bytes), a folder of pictures in the order of their names, an `.npz` file or an array of
    frames, uint8 of the shape [frames, height, width, 3], or `{"frames": ...}` with a list of pictures. Frame i of n is
    number floor(i * total / n): the frames that the video processors of transformers choose. Where there are fewer than
    n, frames are repeated and that is said with `VideoWarning`.

    Args:
        frames: How many the model takes.
    """

    def __init__(self, *, frames: int) -> None:
        from edgewright_runtime.steps import make_free_step

        if not 0 < frames <= _MOST_FRAMES:
            raise ValueError(f"frames is {frames}")
        self._frames = frames
        self._decode = make_free_step(StepSpec("decode_image", {"mode": "RGB"}))

    def __call__(self, values: NamedValues) -> dict[str, list[Image]]:
        """Add `frames`, Pillow images in colour.

        Raises:
            SampleError: This is not a video, it has no frames, or they cannot be read.
        """
        given = values["video"]
        name = "The video" if not isinstance(given, (str, Path)) else f"'{given}'"
        if isinstance(given, (str, Path)) and Path(given).is_dir():
            given = {FRAMES: sorted(file for file in Path(given).iterdir() if file.name[0] != "." and file.is_file())}
        elif isinstance(given, (str, Path)) and Path(given).suffix == ".npz":
            given = self._arrays(Path(given), name)
        elif isinstance(given, bytes) and given.startswith(b"PK"):
            given = self._arrays(io.BytesIO(given), name)
        if isinstance(given, dict) and FRAMES in given:
            given = given[FRAMES]
        if isinstance(given, (list, tuple, np.ndarray)):
            return {FRAMES: self._pictures(given, name)}
        if not isinstance(given, (str, Path, bytes)):
            raise SampleError(f"The model takes a video: a file, a folder or frames; found {type(given).__name__}.")
        return {FRAMES: list(self._decoded(given, name))}

    def _chosen(self, total: int, name: str) -> list[int]:
        if not total:
            raise SampleError(f"{name} has no frames.")
        if total < self._frames:
            text = f"{name} has {total} frames, but the model takes {self._frames}: frames were repeated."
            warnings.warn(text, VideoWarning, stacklevel=6)
        return [index * total // self._frames for index in range(self._frames)]

    def _pictures(self, given: Any, name: str) -> list[Any]:
        return [self._decode({"image": given[index]})["image"] for index in self._chosen(len(given), name)]

    def _arrays(self, path: Any, name: str) -> Any:
        from edgewright_runtime.arrays import ArraysError, read_arrays

        try:
            arrays = read_arrays(path, limit_bytes=_ARRAYS_LIMIT_BYTES)
        except ArraysError as error:
            raise SampleError(error.message, hint=error.hint) from error
        found = arrays.get(FRAMES, next(iter(arrays.values())) if len(arrays) == 1 else None)
        if found is None or found.ndim != 4:
            raise SampleError(f"{name} has no array '{FRAMES}' of the shape [frames, height, width, 3].")
        return found

    def _decoded(self, given: str | Path | bytes, name: str) -> Iterator[Any]:
        """The chosen frames of a file; it is decoded up to the last of them."""
        try:
            import av
        except ImportError as error:
            raise MissingDependencyError(
                "This package takes videos, but the library 'av' is not installed.",
                hint="Install it with: pip install av",
            ) from error
        try:
            data = given if isinstance(given, bytes) else Path(given).read_bytes()
        except OSError as error:
            raise SampleError(f"The video {name} does not exist or cannot be read.") from error
        try:
            total = _count(av, data)
            wanted = self._chosen(total, name)
            last = None
            found = 0
            with _opened(av, data) as container:
                for index, frame in enumerate(container.decode(video=0)):
                    while found < len(wanted) and wanted[found] <= index:
                        last = frame.to_image()
                        yield last
                        found += 1
                    if found == len(wanted):
                        return
        except av.error.FFmpegError as error:
            raise SampleError(f"{name} is not a video, or it cannot be read: {error.strerror}.") from error
        if last is None:
            raise SampleError(f"{name} has no frames.")
        # Its last packets hold no frames of their own.
        for _ in range(len(wanted) - found):
            yield last


def _opened(av: Any, data: bytes) -> Any:
    return av.open(io.BytesIO(data), options={"format_whitelist": _FORMATS})


def _count(av: Any, data: bytes) -> int:
    """Frames in a file: packets of its first video, which takes no decoding; 0 where there is none."""
    with _opened(av, data) as container:
        if not container.streams.video:
            return 0
        return sum(packet.size > 0 for packet in container.demux(video=0))


class ForFrames:
    """Steps of images for each frame, and all of them together.

    Args:
        steps: As a pipeline has them; the last one makes an array.
        output: Name of the array: the graph's input.
    """

    def __init__(
        self,
        *,
        steps: Sequence[Mapping[str, Any]],
        output: str,
    ) -> None:
        from edgewright_runtime.steps import make_free_step

        specs = [StepSpec(str(step["step"]), dict(step.get("options", {}))) for step in steps]
        if unknown := [spec.step for spec in specs if spec.step not in _OF_FRAMES]:
            raise ValueError(f"'{unknown[0]}' is not a step of a frame")
        if not specs or specs[-1].step != "normalize_image":
            raise ValueError("the last step of a frame makes no array")
        self._steps = [make_free_step(spec) for spec in specs]
        self._made = str(specs[-1].options["output"])
        self._output = output

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the array, float32 [1, frames, channels, height, width]."""
        made = []
        for frame in values[FRAMES]:
            named = Values(image=frame)
            for step in self._steps:
                named |= step(named)
            made.append(named[self._made])
        return {self._output: np.concatenate(made)[None]}
