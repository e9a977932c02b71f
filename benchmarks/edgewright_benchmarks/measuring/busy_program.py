"""A program that keeps one core busy until its standard input ends: `python -m` of this module, see `busy_programs`."""

from __future__ import annotations

import os
import sys
import threading

import numpy as np

# Products of matrices that fit a core's own cache, as programs that compute have.
_SIZE = 192


def main() -> None:
    """Compute; ends with the program that started it, however that ends, as its pipe ends with it."""
    threading.Thread(target=_wait_for_end, daemon=True).start()
    matrix = np.random.default_rng(0).normal(size=(_SIZE, _SIZE)).astype(np.float32)
    product = matrix @ matrix
    print("busy", flush=True)
    while True:
        product = matrix @ (product / np.abs(product).max())


def _wait_for_end() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
