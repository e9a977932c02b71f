"""Write Fashion-MNIST as folders of PNG pictures: train, validation and test, each with a folder for every class.

The data set comes inside Debian's package dataset-fashion-mnist (31 MB). Where it is not installed, it is fetched with
`apt-get download` and unpacked (nothing is installed), or given with --source.

Example:
    python make_data.py --out data
"""

import argparse
import gzip
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PACKAGE = "dataset-fashion-mnist"
SOURCE = Path("/usr/share/datasets/fashion-mnist")
LABELS = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot",
)  # fmt: skip
# Validation is taken from the end of what is for training; the test set is only ever tested on.
VALIDATION = 3000


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array in a file of the form that MNIST came in: sizes as big-endian numbers, then bytes."""
    data = gzip.decompress(path.read_bytes())
    axes = data[3]
    shape = np.frombuffer(data, dtype=">u4", count=axes, offset=4)
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def fetch(folder: Path) -> Path:
    """Fetch Debian's package and unpack it below `folder`; gives the folder of the data set.

    Raises:
        SystemExit: It cannot be had here; the message says what to do.
    """
    hint = f"Run 'apt-get install {PACKAGE}' on a Debian system, and pass its {SOURCE} with --source."
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg")
    if apt is None or dpkg is None:
        sys.exit(f"The data set comes inside a Debian package, and there is no apt-get here. {hint}")
    done = subprocess.run([apt, "download", PACKAGE], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"apt-get cannot fetch {PACKAGE}: {done.stderr.strip()}\n{hint}")
    (package,) = folder.glob(f"{PACKAGE}_*.deb")
    subprocess.run([dpkg, "-x", package, folder], check=True)
    return folder / SOURCE.relative_to("/")


def write_split(folder: Path, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
    """Write each picture into the folder of its class."""
    for label in LABELS:
        (folder / label).mkdir(parents=True)
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image).save(folder / LABELS[label] / f"{index:05}.png")


def main() -> None:
    """Write the three splits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--source", type=Path, help="folder with the data set (default: it is fetched)")
    parser.add_argument("--train", type=int, default=20_000, help="pictures to train on (default: %(default)s)")
    parser.add_argument("--test", type=int, default=5_000, help="pictures to test on (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.out.exists():
        print(f"{arguments.out} is there already: nothing to do.")
        return
    with tempfile.TemporaryDirectory() as scratch:
        source = arguments.source or (SOURCE if SOURCE.is_dir() else fetch(Path(scratch)))
        if not (source / "train-images-idx3-ubyte.gz").is_file():
            parser.error(f"there is no data set at {source}")
        images, labels = (read_idx(source / f"train-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
        tests = [read_idx(source / f"t10k-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")]
    unfinished = arguments.out.with_name(f".{arguments.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    held = min(VALIDATION, len(images) // 4)
    count = min(arguments.train, len(images) - held)
    write_split(unfinished / "train", images[:count], labels[:count])
    write_split(unfinished / "validation", images[-held:], labels[-held:])
    write_split(unfinished / "test", tests[0][: arguments.test], tests[1][: arguments.test])
    unfinished.rename(arguments.out)


if __name__ == "__main__":
    main()
