"""Write the tables of the cascade over the pictures of examples/fashion: validation.csv and test.csv.

A table of an application has a column for each input and for each value whose ground truth is known: here the picture,
the label, and the label again for what the small model says alone.

Example:
    python make_tables.py --data fashion --out cascade
"""

import argparse
import csv
import os
from pathlib import Path

SPLITS = ("validation", "test")


def rows(folder: Path, out: Path) -> list[tuple[str, str, str]]:
    """Picture, label and label of each picture in the folders of classes; paths are relative to `out`."""
    files = sorted(folder.glob("*/*.png"))
    return [(Path(os.path.relpath(file, out)).as_posix(), file.parent.name, file.parent.name) for file in files]


def main() -> None:
    """Write both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of examples/fashion/make_data.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        found = rows(arguments.data / split, arguments.out)
        if not found:
            parser.error(f"there are no pictures at {arguments.data / split}; make them with examples/fashion")
        with (arguments.out / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("image", "label", "quick"))
            writer.writerows(found)
        print(f"{split:<12}{len(found):>6} pictures")


if __name__ == "__main__":
    main()
