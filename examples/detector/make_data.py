"""Compose pictures of stamps on backgrounds, with COCO's JSON of the boxes around them: train, validation and test.

The stamps come inside Debian's package of Tux Paint (161 MB), which is fetched with `apt-get download` and unpacked
(nothing is installed), or given with --packages. A stamp is in one split only: a test asks for birds never seen.

Example:
    python make_data.py --out data
"""

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

PACKAGE, VERSION = "tuxpaint-stamps-default", "2022.06.04-1"
DIGEST = "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34"
STAMPS = Path("usr/share/tuxpaint/stamps")
# Class -> the folder of its stamps.
CLASSES = {
    "bird": "animals/birds",
    "flower": "plants/flowers",
    "fruit": "food/fruit",
    "house": "town/houses/cartoon",
    "roadsign": "town/roadsigns",
}
# Share of the stamps of a class.
SPLITS = {"train": 0.7, "validation": 0.15, "test": 0.15}
EDGE = 128
SMALLEST, LARGEST = 28, 64


def tool(name: str) -> str:
    """Where a program of Debian's is; without it nothing can be done here."""
    return shutil.which(name) or sys.exit(f"There is no {name}: the stamps come inside a Debian package.")


def unpack(packages: Path | None, folder: Path) -> Path:
    """The folder of the stamps, from the package in `packages` or fetched.

    Raises:
        SystemExit: It cannot be had, or is another one.
    """
    if packages is None:
        packages = folder
        done = subprocess.run(
            [tool("apt-get"), "download", f"{PACKAGE}={VERSION}"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(
                f"apt-get cannot fetch {PACKAGE} {VERSION}: {done.stderr.strip()}\n"
                "Fetch it on a Debian system and pass its folder with --packages."
            )
    file = next(packages.glob(f"{PACKAGE}_*.deb"), None) or sys.exit(f"There is no {PACKAGE} in {packages}.")
    with file.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != DIGEST:
            sys.exit(f"{file} is not the file that this script was made for (version {VERSION}).")
    subprocess.run([tool("dpkg"), "-x", file, folder / "files"], check=True)
    return folder / "files" / STAMPS


def read_stamps(folder: Path) -> list[Image.Image]:
    """The pictures in a folder that have a shape, cut to it."""
    found = []
    for path in sorted(folder.glob("*.png")):
        if path.stem.endswith(("_mirror", "_flip")):
            continue
        with Image.open(path) as image:
            stamp = image.convert("RGBA")
        box = stamp.getchannel("A").point(lambda alpha: 255 * (alpha > 64)).getbbox()
        # The shape is what the alpha channel says; a full rectangle says nothing.
        if box and np.asarray(stamp.getchannel("A")).mean() < 250:
            found.append(stamp.crop(box))
    return found


def background(chance: np.random.Generator) -> Image.Image:
    """A slope between two colours, with noise: nothing that could be taken for a thing."""
    ends = chance.integers(40, 240, (2, 3))
    slope = np.linspace(0, 1, EDGE)[:, None, None] * np.ones((1, EDGE, 1))
    pixels = ends[0] + slope * (ends[1] - ends[0]) + chance.normal(0, chance.uniform(2, 14), (EDGE, EDGE, 3))
    turned = np.rot90(np.clip(pixels, 0, 255).astype(np.uint8), chance.integers(4))
    return Image.fromarray(np.ascontiguousarray(turned))


def overlap(one: list[int], other: list[int]) -> float:
    """The share of the smaller of two boxes ([x, y, width, height]) that the other one covers."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0) / min(one[2] * one[3], other[2] * other[3])


def compose(
    stamps: dict[str, list[Image.Image]], chance: np.random.Generator
) -> tuple[Image.Image, list[tuple[str, list[int]]]]:
    """A picture with one to four things, none of them hidden, and the box of each."""
    picture = background(chance)
    boxes: list[tuple[str, list[int]]] = []
    for _ in range(chance.integers(1, 5)):
        label = str(chance.choice(list(stamps)))
        stamp = stamps[label][chance.integers(len(stamps[label]))]
        ratio = chance.uniform(SMALLEST, LARGEST) / max(stamp.size)
        size = [max(8, round(side * ratio)) for side in stamp.size]
        small = stamp.resize((size[0], size[1]), Image.Resampling.LANCZOS)
        if chance.random() < 0.5 and label != "roadsign":
            small = small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        place = [int(chance.integers(0, EDGE - side + 1)) for side in size]
        box = [*place, *size]
        if all(overlap(box, other) < 0.2 for _, other in boxes):
            picture.paste(small, (place[0], place[1]), small)
            boxes.append((label, box))
    return picture, boxes


def write_split(folder: Path, count: int, stamps: dict[str, list[Image.Image]], seed: int) -> None:
    """Write `count` pictures and `annotations.json`."""
    chance = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    labels = list(stamps)
    images, annotations = [], []
    for index in range(count):
        picture, boxes = compose(stamps, chance)
        picture.save(folder / "images" / f"{index:05}.png")
        images.append({"id": index, "file_name": f"{index:05}.png", "width": EDGE, "height": EDGE})
        for label, box in boxes:
            entry = {"id": len(annotations) + 1, "image_id": index, "category_id": labels.index(label) + 1}
            annotations.append({**entry, "bbox": box, "area": box[2] * box[3], "iscrowd": 0})
    categories = [{"id": index + 1, "name": label} for index, label in enumerate(labels)]
    data = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(data, indent=1), encoding="utf-8")


def main() -> None:
    """Write the three splits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--packages", type=Path, help="folder with the .deb file (default: it is fetched)")
    parser.add_argument("--stamps", type=Path, help="folder of stamps in place of the package's")
    parser.add_argument("--train", type=int, default=4000, help="pictures to train on (default: %(default)s)")
    parser.add_argument("--test", type=int, default=1600, help="to choose on, and to test on (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.out.exists():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.stamps or unpack(arguments.packages, Path(scratch))
        shuffled = {}
        for label, place in CLASSES.items():
            shuffled[label] = read_stamps(folder / place)
            random.Random(arguments.seed).shuffle(shuffled[label])
    start = dict.fromkeys(CLASSES, 0)
    for index, (split, share) in enumerate(SPLITS.items()):
        part = {}
        for label, stamps in shuffled.items():
            end = len(stamps) if split == "test" else start[label] + max(1, round(share * len(stamps)))
            part[label] = stamps[start[label] : end]
            start[label] = end
        count = arguments.train if split == "train" else arguments.test
        write_split(unfinished / split, count, part, arguments.seed + index)
        print(f"{split:<12}{count:>6} pictures of {', '.join(f'{len(part[one])} {one}s' for one in part)}")
    (unfinished / "labels.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    unfinished.rename(arguments.out)


if __name__ == "__main__":
    main()
