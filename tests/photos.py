"""Real photographs, and files of every kind that people call an image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_images


def photos() -> list[Any]:
    """Two photographs of 427 x 640 pixels, uint8, that come with scikit-learn."""
    return list(load_sample_images().images)


# Photographs in colour that scikit-image's wheel has.
_COLOUR = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")


def crops(edge: int) -> list[Any]:
    """Twenty square parts of real photographs, uint8, [edge, edge, 3]: of scikit-learn's and of scikit-image's."""
    folder = Path(skimage.data.__file__).parent
    pictures = photos()
    for name in _COLOUR:
        with Image.open(folder / name) as file:
            pictures.append(np.asarray(file.convert("RGB")))
    found = []
    for picture in pictures:
        height, width = picture.shape[:2]
        for top, left in ((0, 0), (height - edge, width - edge), ((height - edge) // 2, (width - edge) // 2)):
            found.append(np.ascontiguousarray(picture[top : top + edge, left : left + edge]))
    return found[:20]


def write_kinds(folder: Path) -> Iterator[Path]:
    """A photograph in each mode and format that is taken, small enough for a test."""
    photo = Image.fromarray(photos()[0]).resize((160, 107))
    grey = photo.convert("L")
    alpha = photo.copy()
    alpha.putalpha(grey)
    upright = Image.Exif()
    upright[0x0112] = 6  # orientation: lies on its right side
    saved: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "rgb.jpg": (photo, {"quality": 90}),
        "turned.jpg": (photo, {"exif": upright}),
        "cmyk.jpg": (photo.convert("CMYK"), {}),
        "grey.png": (grey, {}),
        "black.png": (grey.convert("1"), {}),
        "alpha.png": (alpha, {}),
        "grey-alpha.png": (alpha.convert("LA"), {}),
        "palette.png": (photo.quantize(32), {"transparency": bytes(range(32))}),
        "animated.gif": (photo.quantize(32), {"save_all": True, "append_images": [grey.quantize(8)]}),
        "animated.webp": (photo, {"save_all": True, "append_images": [photo.rotate(90)], "lossless": True}),
        "photo.bmp": (photo, {}),
        "photo.tiff": (photo, {}),
        "photo.ppm": (photo, {}),
    }
    for name, (image, options) in saved.items():
        image.save(folder / name, **options)
        yield folder / name


def write_deep(folder: Path) -> Path:
    """A picture of 16 bits a channel."""
    path = folder / "deep.png"
    Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16).save(path)
    return path
