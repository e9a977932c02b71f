"""Bar: an image classifier, from a file to a label, takes at most 1.1 times the same steps by hand.

By hand is what a person writes with Pillow and numpy around the same session: open, resize, crop, normalise, softmax.
Both sides call one session in turn on the same photographs, as in `call_overhead.py`. The package must be an image
classifier:

    python benchmarks/bars/image_call.py --package demo/fashion.ortpackage
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.datasets
from PIL import Image, ImageOps

from _bars import Figure, figure, main
from _package import running_engine
from call_overhead import in_one_session
from edgewright_runtime import Package
from edgewright_targets import InputError

LIMIT = 1.1
ROUNDS = 20
# JPEG files of 427 x 640 pixels that come with scikit-learn.
PHOTOS = sorted(str(path) for path in (Path(sklearn.datasets.__file__).parent / "images").glob("*.jpg"))


class ImageByHand:
    """Open, resize, crop, normalise, session, softmax; the session is given by the bar."""

    session: Any

    def __init__(self, path: str) -> None:
        package = Package.open(path)
        steps = {step.step: step.options for step in package.manifest.pipeline.steps}
        if "decode_image" not in steps or "classify" not in steps:
            raise InputError(f"'{path}' is not an image classifier: its steps are {', '.join(steps)}.")
        self.mode = steps["decode_image"]["mode"]
        self.resize = steps.get("resize_image")
        self.crop = steps.get("crop_image")
        normal = steps["normalize_image"]
        self.scale = np.float32(normal.get("scale", 1))
        (pair,) = normal["normalize"]
        self.mean = np.array(pair["mean"], dtype=np.float32)
        self.deviation = np.array(pair["std"], dtype=np.float32)
        self.input = normal["output"]
        self.logits = steps["classify"]["logits"]
        self.labels = package.manifest.labels

    def __call__(self, path: str) -> tuple[str, float]:
        """The best label of a file and its probability."""
        image = ImageOps.exif_transpose(Image.open(path)).convert(self.mode)
        if self.resize:
            filter_ = Image.Resampling[self.resize["filter"].upper()]
            image = image.resize(self._size(image.width, image.height), filter_)
        if self.crop:
            left, top = (image.width - self.crop["width"]) // 2, (image.height - self.crop["height"]) // 2
            image = image.crop((left, top, left + self.crop["width"], top + self.crop["height"]))
        pixels = np.atleast_3d(np.asarray(image)).astype(np.float32) * self.scale
        pixels = (pixels - self.mean) / self.deviation
        batch = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
        logits = self.session.run([self.logits], {self.input: batch})[0][0]
        exponents = np.exp(logits - logits.max())
        scores = exponents / exponents.sum()
        best = int(scores.argmax())
        return self.labels[best], float(scores[best])

    def _size(self, width: int, height: int) -> tuple[int, int]:
        assert self.resize is not None
        if edge := self.resize.get("shortest_edge"):
            return (edge, int(edge * height / width)) if width <= height else (int(edge * width / height), edge)
        return self.resize["width"], self.resize["height"]


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figure of this bar."""
    by_hand = ImageByHand(options.package)
    running = running_engine(Package.open(options.package))
    calls = in_one_session(options.package, by_hand, PHOTOS, options.rounds or ROUNDS)
    return [figure("image call", "model(file) / by hand: one session, call by call", *calls, LIMIT, running.name)]


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
