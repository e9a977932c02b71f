"""Make tables of short texts with their translations: train.csv, validation.csv and test.csv.

The texts are what Tux Paint says of its stamps, in English and in another language, two stamps at a time: "A duck. A
peach." and "Eine Ente. Ein Pfirsich." Every stamp is in the training data, alone and in pairs; pairs of the test are
in no other split: whoever translates them has learned words and where they belong, and no words that were never shown.
The texts come inside a Debian package, which is fetched with `apt-get download` and unpacked (nothing is installed),
or given with --packages.

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

PACKAGE, VERSION = "tuxpaint-stamps-default", "2022.06.04-1"
SHA256 = "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34"
STAMPS = Path("usr/share/tuxpaint/stamps")
# Pairs in each split for one stamp.
PAIRS = {"train": 4.0, "validation": 1.5, "test": 1.5}
# "A sail boat." is short; whole stories of a stamp are few, and each says something that no other says.
LONGEST = 50


def tool(name: str) -> str:
    """Where a program of Debian's is; without it nothing can be done here."""
    return shutil.which(name) or sys.exit(f"There is no {name}: the texts come inside a Debian package.")


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


def tidy(text: str) -> str:
    """A text with single spaces.

    >>> tidy("Un bus\N{NO-BREAK SPACE}! ")
    'Un bus !'
    """
    return " ".join(text.split())


def stamps(folder: Path, language: str) -> list[tuple[str, str]]:
    """Text and translation of each stamp that has both; of several translations of a text the first."""
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(folder.rglob("*.txt")):
        text, _, others = file.read_text(encoding="utf-8").partition("\n")
        translated = re.search(rf"^{language}\.utf8=(.+)$", others, re.MULTILINE)
        if translated and text.strip() and max(len(text), len(translated[1])) <= LONGEST:
            found.setdefault(tidy(text).casefold(), (tidy(text), tidy(translated[1])))
    return list(found.values())


def pairs(found: list[tuple[str, str]], chance: random.Random) -> dict[str, list[tuple[str, str]]]:
    """Rows of each split: two stamps, one behind the other, no two of them twice."""
    taken: set[tuple[int, int]] = set()
    rows: dict[str, list[tuple[str, str]]] = {}
    for split, share in PAIRS.items():
        rows[split] = list(found) if split == "train" else []
        wanted = min(len(taken) + round(share * len(found)), len(found) * (len(found) - 1))
        while len(taken) < wanted:
            first, second = chance.sample(range(len(found)), 2)
            if (first, second) not in taken:
                taken.add((first, second))
                (one, translated), (other, translated_too) = found[first], found[second]
                rows[split].append((f"{one} {other}", f"{translated} {translated_too}"))
        chance.shuffle(rows[split])
    return rows


def main() -> None:
    """Write the tables, and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--packages", type=Path, help="folder with the .deb file (default: it is fetched)")
    parser.add_argument("--stamps", type=Path, help="folder of stamps' texts to use instead")
    parser.add_argument("--language", default="de", help="of the translations, such as de or fr (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if (arguments.out / "test.csv").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return

    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.out) as scratch:
        folder = arguments.stamps or unpacked(arguments.packages, Path(scratch))
        found = stamps(folder, arguments.language)
    if not found:
        sys.exit(f"There are no texts in the language '{arguments.language}'.")
    for split, rows in pairs(found, random.Random(arguments.seed)).items():
        with (arguments.out / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("text", "translation"))
            writer.writerows(rows)
        print(f"{split:<12}{len(rows):>5} texts")
    print(f"{len(found)} stamps")


if __name__ == "__main__":
    main()
