"""Photographs that come with scikit-learn and scikit-image, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

# In colour, in the wheel of scikit-image. The first has a face.
_NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")


def write_photographs(folder: Path, *, edge: int = 288) -> list[str]:
    """Eight square parts of photographs, of that edge, as a folder of files; gives the files."""
    import skimage.data
    from sklearn.datasets import load_sample_images

    folder.mkdir(parents=True, exist_ok=True)
    pictures = [np.asarray(one) for one in load_sample_images().images]
    for name in _NAMES:
        with Image.open(Path(skimage.data.__file__).parent / name) as file:
            pictures.insert(-2, np.asarray(file.convert("RGB")))
    files = []
    for index, picture in enumerate([*pictures, *pictures[:2]]):
        height, width = picture.shape[:2]
        # The first two again, from their lower right.
        top, left = (height - edge, width - edge) if index >= len(pictures) else (0, (width - edge) // 2)
        files.append(str(folder / f"{index}.png"))
        Image.fromarray(picture[top : top + edge, left : left + edge]).save(files[-1])
    return files
