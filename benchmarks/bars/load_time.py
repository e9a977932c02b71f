"""Bar: opening a package and the first answer take at most 1.2 times what they take by hand.

By hand is the same graph, weights, session options and tokenizer, opened with onnxruntime and tokenizers. Each side
runs in a fresh process, and its clock starts after the imports of the libraries.
"""

from __future__ import annotations

import argparse
import json
import sys

from _bars import Figure, alternate, child, figure, main
from _package import parts_by_hand, texts

LIMIT = 1.2
ROUNDS = 40

_OURS = """
import sys, time
import numpy, onnxruntime, tokenizers
import edgewright_runtime
start = time.perf_counter()
edgewright_runtime.load(sys.argv[1])(sys.argv[2])
print(time.perf_counter() - start)
"""
_BY_HAND = """
import json, sys, time
from _by_hand import ByHand
parts = json.loads(sys.argv[1])
start = time.perf_counter()
ByHand(parts)(sys.argv[2])
print(time.perf_counter() - start)
"""


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figure of this bar."""
    text = texts(options.package)[0]
    parts = json.dumps(parts_by_hand(options.package))
    found = alternate(
        {
            "ours": lambda: [float(child("-c", _OURS, options.package, text))],
            "by hand": lambda: [float(child("-c", _BY_HAND, parts, text))],
        },
        options.rounds or ROUNDS,
    )
    return [figure("load", "open + first answer / by hand", found["ours"], found["by hand"], LIMIT)]


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
