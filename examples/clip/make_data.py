"""Make tables of pictures with captions: train.csv, validation.csv, test.csv, and the labels of the test pictures.

Each picture is a stamp of Tux Paint on a coloured ground, its caption what Tux Paint calls the stamp and the colour:
"a sail boat on a blue ground". All stamps and all colours are in each split, but a pair of the two is in one split
only: whoever tells the test pictures right has understood both apart. The stamps come inside a Debian package, which is
fetched with `apt-get download` and unpacked (nothing is installed), or given with --packages or --stamps.

Example:
    python make_data.py --out data
"""

import argparse
import csv
import hashlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

PACKAGE, VERSION = "tuxpaint-stamps-default", "2022.06.04-1"
SHA256 = "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34"
STAMPS = Path("usr/share/tuxpaint/stamps")
EDGE = 64
COLOURS = {
    "red": (214, 40, 40),
    "orange": (247, 140, 30),
    "yellow": (250, 220, 60),
    "green": (60, 160, 70),
    "blue": (40, 90, 200),
    "purple": (125, 60, 170),
    "white": (245, 245, 245),
    "black": (20, 20, 20),
}
# Pictures of each pair of a stamp and a colour.
COPIES = {"train": 3, "validation": 1, "test": 1}
# "a great white shark" is short, "the sign for the letter F in American Sign Language" is not.
LONGEST_NAME = 4


def tool(name: str) -> str:
    """Where a program of Debian's is; without it nothing can be done here."""
    return shutil.which(name) or sys.exit(f"There is no {name}: the stamps come inside a Debian package.")


def unpacked(packages: Path | None, scratch: Path) -> Path:
    """The folder of stamps, unpacked below `scratch`.

    Raises:
        SystemExit: The package cannot be fetched, or is another one; the message says what to do.
    """
    folder = packages or scratch
    if not list(folder.glob(f"{PACKAGE}_*.deb")):
        command = [tool("apt-get"), "download", f"{PACKAGE}={VERSION}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(
                f"apt-get cannot fetch {PACKAGE} {VERSION}: {done.stderr.strip()}\n"
                "Fetch it on a Debian system and pass its folder with --packages."
            )
    (file,) = folder.glob(f"{PACKAGE}_*.deb")
    if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"{file} is not the file that this script was made for (version {VERSION}).")
    subprocess.run([tool("dpkg"), "-x", file, scratch / "files"], check=True)
    return scratch / "files" / STAMPS


def name_of(text: str) -> str:
    """What a stamp is called, in lower case and without a full stop; empty where that is no short name of a thing.

    >>> name_of("A sail boat.")
    'a sail boat'
    """
    name = text.strip().rstrip(".").lower()
    short = re.fullmatch(r"an? [a-z' -]+", name) and len(name.split()) <= LONGEST_NAME
    return name if short else ""


def stamps(folder: Path) -> dict[str, list[Path]]:
    """Name to the pictures of it; letters, signs and coins are left out, which differ too little at this size."""
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.rglob("*.png")):
        text = file.with_suffix(".txt")
        if (
            "symbols" in file.relative_to(folder).parts
            or file.stem.endswith(("_mirror", "_flip"))
            or not text.is_file()
        ):
            continue
        name = name_of(text.read_text(encoding="utf-8").partition("\n")[0])
        if name:
            found.setdefault(name, []).append(file)
    return found


def picture(stamp: Path, colour: tuple[int, int, int], chance: random.Random) -> Image.Image:
    """The stamp on a ground of nearly that colour, somewhere, in some size, sometimes mirrored."""
    with Image.open(stamp) as file:
        image = file.convert("RGBA")
    edge = round(EDGE * chance.uniform(0.7, 0.95))
    image = ImageOps.contain(image, (edge, edge), Image.Resampling.BICUBIC)
    if chance.random() < 0.5:
        image = ImageOps.mirror(image)
    ground = tuple(max(0, min(255, value + chance.randint(-18, 18))) for value in colour)
    made = Image.new("RGB", (EDGE, EDGE), ground)
    place = (chance.randint(0, EDGE - image.width), chance.randint(0, EDGE - image.height))
    made.paste(image, place, mask=image)
    return made


def main() -> None:
    """Write the pictures and the tables, and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables and the pictures")
    parser.add_argument("--packages", type=Path, help="folder with the .deb file (default: it is fetched)")
    parser.add_argument("--stamps", type=Path, help="folder of stamps, .png beside .txt, to use instead")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if (arguments.out / "labels.txt").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return

    arguments.out.mkdir(parents=True, exist_ok=True)
    chance = random.Random(arguments.seed)
    rows: dict[str, list[tuple[str, str, str]]] = {split: [] for split in COPIES}
    with tempfile.TemporaryDirectory(dir=arguments.out) as scratch:
        found = stamps(arguments.stamps or unpacked(arguments.packages, Path(scratch)))
        if not found:
            sys.exit("There are no stamps with a short name.")
        for split in COPIES:
            (arguments.out / split).mkdir(exist_ok=True)
        for name, files in found.items():
            colours = list(COLOURS)
            chance.shuffle(colours)
            # Of the eight colours one is for validation and one for the test.
            for colour, split in zip(colours, ["validation", "test", *["train"] * len(colours)], strict=False):
                for copy in range(COPIES[split]):
                    path = f"{split}/{name[name.index(' ') + 1 :].replace(' ', '-')}-{colour}-{copy}.png"
                    picture(chance.choice(files), COLOURS[colour], chance).save(arguments.out / path)
                    rows[split].append((path, f"{name} on {'an' if colour == 'orange' else 'a'} {colour} ground", name))
    for split, entries in rows.items():
        # One table serves both: pairs of an image and a text, and images with a label.
        with (arguments.out / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("image", "text", "label"))
            writer.writerows(entries)
        print(f"{split:<12}{len(entries):>6} pictures")
    (arguments.out / "labels.txt").write_text("\n".join(found) + "\n", encoding="utf-8")
    print(f"{len(found)} stamps")


if __name__ == "__main__":
    main()
