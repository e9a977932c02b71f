"""Make videos of shapes that move: one folder for each direction in train, validation and test.

Example:
    python make_data.py --out data
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

# Direction -> what a shape moves in a frame, down and across.
DIRECTIONS = {"down": (1, 0), "left": (0, -1), "right": (0, 1), "up": (-1, 0)}
EDGE = 48
FRAMES = 16


def motion(label: str, chance: np.random.Generator) -> Any:
    """A light shape that moves over dark ground with noise; uint8 [frames, height, width, 3]."""
    size = int(chance.integers(9, 18))
    pace = chance.uniform(0.8, 1.6)
    colour = tuple(int(value) for value in chance.integers(150, 256, 3))
    outline = ("rectangle", "ellipse")[chance.integers(2)]
    down, across = (pace * step for step in DIRECTIONS[label])
    # Where it is in the middle of the video, so that its place says nothing about where it goes.
    top, left = chance.uniform(12, EDGE - 12 - size, 2)
    ground = chance.integers(0, 110, (6, 6, 3)).astype(np.uint8)
    still = Image.fromarray(ground).resize((EDGE, EDGE), Image.Resampling.BICUBIC)
    made = []
    for index in range(FRAMES):
        frame = still.copy()
        y, x = top + down * (index - FRAMES / 2), left + across * (index - FRAMES / 2)
        getattr(ImageDraw.Draw(frame), outline)((x, y, x + size, y + size), fill=colour)
        made.append(np.asarray(frame).astype(float) + chance.normal(0, 6, (EDGE, EDGE, 3)))
    return np.clip(np.stack(made), 0, 255).astype(np.uint8)


def write(path: Path, frames: Any) -> None:
    """An MP4 file."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=12)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = EDGE, EDGE, "yuv420p", 400_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def main() -> None:
    """Write everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train", type=int, default=1200, help="videos to train on (default: %(default)s)")
    parser.add_argument("--test", type=int, default=1600, help="to choose on, and to test on (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.out.is_dir():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for number, split in enumerate(("train", "validation", "test")):
        chance = np.random.default_rng(number)
        count = arguments.train if split == "train" else arguments.test
        for label in DIRECTIONS:
            (unfinished / split / label).mkdir(parents=True)
        for index in range(count):
            label = list(DIRECTIONS)[index % len(DIRECTIONS)]
            write(unfinished / split / label / f"{index:05}.mp4", motion(label, chance))
    # Renamed at the end: what is there is whole.
    unfinished.rename(arguments.out)


if __name__ == "__main__":
    main()
