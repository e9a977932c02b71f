"""Photographs of Tux Paint's stamps that show what a class of ImageNet is, for classifiers with weights of ImageNet.

`imagenet_stamps.csv` says which shows what, by the number of the class in ILSVRC 2012, put together by hand: a kangaroo
counts as the wallaby, which has a class.
"""

from __future__ import annotations

import csv
from pathlib import Path

from PIL import Image

from fetched import debian_files
from tables import table

_LIST = Path(__file__).with_suffix(".csv")


def write_stamps(folder: Path) -> Path:
    """Each stamp on a white square, and `stamps.csv` with the columns `path,label`; gives that table.

    Raises:
        CannotFetchError: The stamps cannot be fetched.
    """
    stamps = debian_files("tuxpaint-stamps-default") / "usr" / "share" / "tuxpaint" / "stamps"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    with _LIST.open(encoding="utf-8", newline="") as file:
        for index, (stamp, number) in enumerate(list(csv.reader(file))[1:]):
            with Image.open(stamps / stamp) as opened:
                picture = opened.convert("RGBA")
            edge = max(picture.size)
            square = Image.new("RGBA", (edge, edge), "white")
            square.alpha_composite(picture, ((edge - picture.width) // 2, (edge - picture.height) // 2))
            square.convert("RGB").save(folder / f"{index:03}.png")
            rows.append((f"{index:03}.png", class_name(int(number))))
    return table(folder / "stamps.csv", ("path", "label"), rows)


def class_name(number: int) -> str:
    """How a class is called here, for want of its name."""
    return f"class {number}"
