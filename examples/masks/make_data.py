"""Compose pictures of stamps on backgrounds, with a mask of their classes: train, validation and test.

The stamps come inside Debian's package of Tux Paint (161 MB), which is fetched with `apt-get download` and unpacked
(nothing is installed), or given with --packages. Their own transparency says which pixels are theirs. A stamp is in one
split only.

Example:
    python make_data.py --out data
"""

import argparse
import hashlib
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
# Class -> the folder of its stamps; what no stamp covers is the first class.
CLASSES = {"background": None, "animal": "animals", "food": "food", "plant": "plants", "vehicle": "vehicles"}
# Share of the stamps of a class.
SPLITS = {"train": 0.7, "validation": 0.15, "test": 0.15}
EDGE = 128
SMALLEST, LARGEST = 40, 90


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
        command = [tool("apt-get"), "download", f"{PACKAGE}={VERSION}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(
                f"apt-get cannot fetch {PACKAGE} {VERSION}: {done.stderr.strip()}\n"
                "Fetch it on a Debian system and pass its folder with --packages."
            )
    (file,) = packages.glob(f"{PACKAGE}_*.deb")
    if hashlib.sha256(file.read_bytes()).hexdigest() != DIGEST:
        sys.exit(f"{file} is not the file that this script was made for (version {VERSION}).")
    subprocess.run([tool("dpkg"), "-x", file, folder], check=True)
    return folder / STAMPS


def read_stamps(folder: Path) -> dict[str, dict[str, list[Image.Image]]]:
    """Split to class to stamps with transparency, cut to what is visible."""
    found: dict[str, dict[str, list[Image.Image]]] = {split: {} for split in SPLITS}
    for label, place in CLASSES.items():
        if place is None:
            continue
        files = sorted(file for file in (folder / place).rglob("*.png") if "_mirror" not in file.name)
        random.Random(7).shuffle(files)
        start = 0.0
        for split, share in SPLITS.items():
            part = files[round(start * len(files)) : round((start + share) * len(files))]
            stamps = [Image.open(file).convert("RGBA") for file in part]
            found[split][label] = [stamp.crop(stamp.getchannel("A").getbbox()) for stamp in stamps]
            start += share
    return found


def background(chance: np.random.Generator) -> Image.Image:
    """A slope between two colours with noise, coarse and fine."""
    corners = chance.integers(0, 256, (2, 2, 3)).astype(np.uint8)
    slope = np.asarray(Image.fromarray(corners).resize((EDGE, EDGE), Image.Resampling.BICUBIC)).astype(float)
    coarse = Image.fromarray(chance.integers(0, 256, (8, 8, 3)).astype(np.uint8)).resize((EDGE, EDGE))
    mixed = slope * 0.75 + np.asarray(coarse) * 0.25 + chance.normal(0, 8, slope.shape)
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))


def compose(stamps: dict[str, list[Image.Image]], chance: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """A picture of one to three stamps, and the mask of their classes."""
    picture, mask = background(chance), Image.new("L", (EDGE, EDGE), 0)
    labels = list(CLASSES)
    for _ in range(chance.integers(1, 4)):
        # Classes are equally frequent, however many stamps they have.
        label = labels[chance.integers(1, len(labels))]
        stamp = stamps[label][chance.integers(len(stamps[label]))]
        stamp = stamp.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if chance.random() < 0.5 else stamp
        scale = chance.integers(SMALLEST, LARGEST) / max(stamp.size)
        stamp = stamp.resize([max(1, round(edge * scale)) for edge in stamp.size])
        place = tuple(int(chance.integers(0, EDGE - edge + 1)) for edge in stamp.size)
        picture.paste(stamp, place, stamp)
        mask.paste(labels.index(label), place, stamp.getchannel("A").point(lambda alpha: 255 * (alpha > 127)))
    return picture, mask


def main() -> None:
    """Write everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--packages", type=Path, help="folder with the package, instead of fetching it")
    parser.add_argument("--stamps", type=Path, help="folder of unpacked stamps, instead of the package")
    parser.add_argument("--train", type=int, default=1600, help="pictures to train on (default: %(default)s)")
    parser.add_argument("--test", type=int, default=1600, help="to choose on, and to test on (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.out.is_dir():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        stamps = read_stamps(arguments.stamps or unpack(arguments.packages, Path(scratch)))
    for number, split in enumerate(SPLITS):
        for name in ("images", "masks"):
            (unfinished / split / name).mkdir(parents=True)
        chance = np.random.default_rng(number)
        count = arguments.train if split == "train" else arguments.test
        for index in range(count):
            picture, mask = compose(stamps[split], chance)
            picture.save(unfinished / split / "images" / f"{index:05}.png")
            mask.save(unfinished / split / "masks" / f"{index:05}.png")
    (unfinished / "labels.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    # Renamed at the end: what is there is whole.
    unfinished.rename(arguments.out)


if __name__ == "__main__":
    main()
