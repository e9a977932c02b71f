"""Answers as pictures: what `edgewright run --out` writes. What can be shown is a function and a line here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_cli.files import check_writable, write_file
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    from PIL.Image import Image

# Endings that Pillow can write and everybody can look at.
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def opened(sample: Any) -> Image:
    """The picture of a sample, upright and in colour, in the size that boxes and masks of its answer are in."""
    picture = sample["image"] if isinstance(sample, dict) else sample
    image: Image = make_free_step(StepSpec("decode_image", {"mode": "RGB"}))({"image": picture})["image"]
    return image


def _picture(sample: Any, answer: Any) -> Image:
    """The answer itself; several at once side by side, in about as many rows as columns."""
    import numpy as np
    from PIL import Image

    del sample
    if answer.ndim == 2 or (answer.ndim == 3 and answer.shape[2] == 3):
        return Image.fromarray(answer)
    count, height, width = answer.shape[:3]
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * height, columns * width, *answer.shape[3:]), dtype=np.uint8)
    for index, picture in enumerate(answer):
        top, left = height * (index // columns), width * (index % columns)
        sheet[top : top + height, left : left + width] = picture
    return Image.fromarray(sheet)


def _boxes(sample: Any, answer: Any) -> Image:
    from edgewright_cli.draw_boxes import draw_boxes

    return draw_boxes(opened(sample), answer)


def _poses(sample: Any, answer: Any) -> Image:
    from edgewright_cli.draw_poses import draw_poses

    return draw_poses(opened(sample), answer)


def _segmentation(sample: Any, answer: Any) -> Image:
    from edgewright_cli.draw_masks import draw_masks

    return draw_masks(opened(sample), answer)


def _masks(sample: Any, answer: Any) -> Image:
    from edgewright_cli.draw_masks import draw_thing

    return draw_thing(opened(sample), answer)


def _depth(sample: Any, answer: Any) -> Image:
    """Greys from the smallest value, black, to the largest: as the pipeline of transformers draws it."""
    import numpy as np
    from PIL import Image

    del sample
    values = np.nan_to_num(answer["values"])
    reach = float(np.ptp(values)) or 1.0
    return Image.fromarray(((values - values.min()) / reach * 255).astype(np.uint8))


# What a pipeline gives -> the picture of it, from the sample and the answer.
PICTURES: dict[str, Callable[[Any, Any], Image]] = {
    "boxes": _boxes,
    "poses": _poses,
    "depth": _depth,
    "masks": _masks,
    "picture": _picture,
    "segmentation": _segmentation,
}


def check_output(path: str | None, output_name: str, count: int) -> None:
    """Raise unless `count` answers can be written at `path`: arrays and one picture as a file, several as a folder.

    Raises:
        InputError: It cannot be written, has an unknown ending, or no such answer can be shown.
    """
    if path is None:
        return
    if output_name == "*":
        check_writable(path)
        return
    if output_name not in PICTURES:
        gives = "labels" if output_name in ("labels", "scored_labels") else f"its {output_name}"
        drawn = " or ".join(("named arrays", *PICTURES))
        raise InputError(
            f"--output is for models whose output is {drawn}; the output of this one is {gives} (see --json)."
        )
    with needs("image"):
        import PIL  # noqa: F401 - asked for before anything is answered
    if count > 1:
        _check_folder(Path(path))
        return
    check_writable(path)
    if Path(path).suffix.lower() not in ENDINGS:
        raise InputError(f"'{path}' does not end as an image file does. Supported: {', '.join(ENDINGS)}.")


def _check_folder(folder: Path) -> None:
    if folder.is_dir():
        check_writable(str(folder / "picture.png"))
    elif folder.exists() or folder.suffix.lower() in ENDINGS:
        raise InputError(f"'{folder}' is one file, and there are several images to write.", hint="Name a folder.")
    else:
        check_writable(str(folder))


def write_drawings(path: str, output_name: str, answered: Sequence[tuple[str, Any, Any]]) -> None:
    """Write the picture of each answer: one to the file `path`, several into the folder `path`, called as their inputs.

    Args:
        path: Checked by `check_output`.
        output_name: What the pipeline gives.
        answered: Name, sample and answer of each input.
    """
    draw = PICTURES[output_name]
    if len(answered) == 1:
        ((_, sample, answer),) = answered
        picture = draw(sample, answer)
        write_file(path, picture.save)
        return
    Path(path).mkdir(exist_ok=True)
    taken: set[str] = set()
    for index, (name, sample, answer) in enumerate(answered):
        stem = Path(name).stem
        if stem in taken:
            stem = f"{stem}-{index}"
        taken.add(stem)
        picture = draw(sample, answer)
        write_file(str(Path(path) / f"{stem}.png"), picture.save)
