"""Make tables of spoken telephone prompts with their transcripts: train.csv, validation.csv and test.csv.

The recordings and their texts come inside two Debian packages, which are fetched with `apt-get download` and unpacked
(nothing is installed), or given with --packages.

Example:
    python make_data.py --out data
"""

import argparse
import csv
import gzip
import hashlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import soundfile

VERSION = "1.6.1-1"
# Package -> SHA-256 of its file.
PACKAGES = {
    "asterisk-core-sounds-en-wav": "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
    "asterisk-core-sounds-en": "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
}
SOUNDS = Path("usr/share/asterisk/sounds/en_US_f_Allison")
TEXTS = Path("usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
SPLITS = {"train": 0.7, "validation": 0.15, "test": 0.15}
LONGEST_SECONDS = 12.0
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def tool(name: str) -> str:
    """Where a program of Debian's is; without it nothing can be done here."""
    return shutil.which(name) or sys.exit(f"There is no {name}: the recordings come inside Debian packages.")


def fetch(folder: Path) -> None:
    """Put the packages into `folder`, unless they are there already.

    Raises:
        SystemExit: They cannot be fetched; the message says what to do.
    """
    for name in PACKAGES:
        if list(folder.glob(f"{name}_*.deb")):
            continue
        command = [tool("apt-get"), "download", f"{name}={VERSION}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(
                f"apt-get cannot fetch {name} {VERSION}: {done.stderr.strip()}\n"
                "Fetch both packages on a Debian system and pass their folder with --packages."
            )


def unpack(packages: Path, folder: Path) -> None:
    """Unpack the packages below `folder`, after their digests were found right."""
    for name, digest in PACKAGES.items():
        (file,) = packages.glob(f"{name}_*.deb")
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            sys.exit(f"{file} is not the file that this script was made for (version {VERSION}).")
        subprocess.run([tool("dpkg"), "-x", file, folder], check=True)


def spoken(text: str) -> str:
    """A transcript in the letters that the model writes: upper case, digits as words, no punctuation.

    >>> spoken("Press 1, then the pound key.")
    'PRESS ONE THEN THE POUND KEY'
    """
    text = re.sub(r"\d", lambda match: f" {_DIGITS[int(match[0])]} ", text.replace("\u2019", "'"))
    return " ".join(re.sub(r"[^A-Z' ]", " ", text.upper()).split())


def transcripts(path: Path) -> dict[str, str]:
    """Name of a recording to what is said in it; sounds that are not speech (in brackets) are left out."""
    found = {}
    for line in gzip.decompress(path.read_bytes()).decode("utf-8", "replace").splitlines():
        name, separator, text = line.partition(":")
        if separator and not line.startswith(";") and not re.search(r"[\[\](){}<>]", text) and spoken(text):
            found[name.strip()] = spoken(text)
    return found


def main() -> None:
    """Write the recordings and the tables, and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables and the recordings")
    parser.add_argument("--packages", type=Path, help="folder with the two .deb files (default: they are fetched)")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if (arguments.out / "test.csv").is_file():
        print(f"{arguments.out} is there already: nothing to do.")
        return

    arguments.out.mkdir(parents=True, exist_ok=True)
    clips = arguments.out / "clips"
    with tempfile.TemporaryDirectory(dir=arguments.out) as scratch:
        packages = arguments.packages or Path(scratch)
        fetch(packages)
        unpack(packages, Path(scratch) / "files")
        texts = transcripts(Path(scratch) / "files" / TEXTS)
        rows = []
        for name, text in sorted(texts.items()):
            file = Path(scratch) / "files" / SOUNDS / f"{name}.wav"
            if file.is_file() and 0.2 < soundfile.info(file).duration <= LONGEST_SECONDS:
                kept = clips / f"{name.replace('/', '-')}.wav"
                kept.parent.mkdir(exist_ok=True)
                shutil.copyfile(file, kept)
                rows.append((kept, text))
    random.Random(arguments.seed).shuffle(rows)
    start = 0
    for split, share in SPLITS.items():
        end = len(rows) if split == "test" else start + round(share * len(rows))
        with (arguments.out / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("audio", "text"))
            writer.writerows((str(path.relative_to(arguments.out)), text) for path, text in rows[start:end])
        seconds = sum(soundfile.info(path).duration for path, _ in rows[start:end])
        words = sum(len(text.split()) for _, text in rows[start:end])
        print(f"{split:<12}{end - start:>5} recordings{seconds / 60:>6.1f} minutes{words:>6} words")
        start = end


if __name__ == "__main__":
    main()
