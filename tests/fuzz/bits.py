"""Single flipped bits of a package that `verify` does not notice: there must be none.

`python tests/fuzz/bits.py PACKAGE --count 10000` by hand; the package is copied first.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from edgewright_runtime import DamagedPackageError, verify


def unnoticed_flips(package: Path, count: int, seed: int) -> list[tuple[str, int, int]]:
    """Flip one bit of the package at a time, and back; gives file, byte and bit of those that `verify` accepts.

    Every byte of every file is as likely as another.
    """
    drawn = random.Random(seed)
    files = sorted(path for path in package.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    found = []
    for _ in range(count):
        (path,) = drawn.choices(files, sizes)
        whole = path.read_bytes()
        place, bit = drawn.randrange(len(whole)), drawn.randrange(8)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
        try:
            verify(package)
        except DamagedPackageError:
            pass
        else:
            found.append((str(path.relative_to(package)), place, bit))
        finally:
            path.write_bytes(whole)
    verify(package)
    return found


def main() -> int:
    """Run by hand; gives 1 where a flip went unnoticed."""
    parser = argparse.ArgumentParser(description="Flips single bits of a package and counts those that verify accepts.")
    parser.add_argument("package", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgewright-bits-") as folder:
        found = unnoticed_flips(Path(shutil.copytree(options.package, Path(folder, "p"))), options.count, options.seed)
    print(f"{options.count} flipped bits, {len(found)} unnoticed by verify")
    for flip in found:
        print(*flip)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
