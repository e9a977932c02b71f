"""Bar: `edgewright run PACKAGE TEXT` has at most 1.15 times the peak resident memory of a script by hand.

The script opens the same graph, weights and tokenizer with onnxruntime and tokenizers, and prints its answer too.
"""

from __future__ import annotations

import argparse
import json
import sys

from _bars import FOLDER, Figure, alternate, figure, main, peak_memory
from _package import parts_by_hand, texts

LIMIT = 1.15
ROUNDS = 7


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figure of this bar."""
    text = texts(options.package)[0]
    parts = json.dumps(parts_by_hand(options.package))
    found = alternate(
        {
            "ours": peak_memory("-m", "edgewright_cli", "run", options.package, text),
            "by hand": peak_memory(str(FOLDER / "_by_hand.py"), parts, text),
        },
        options.rounds or ROUNDS,
    )
    return [figure("memory", "edgewright run / a script by hand", found["ours"], found["by hand"], LIMIT)]


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
