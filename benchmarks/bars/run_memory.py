"""Bar: `edgewright run PACKAGE TEXT` has at most 1.15 times the peak resident memory of a script by hand.

The script opens the same graph, weights and tokenizer with onnxruntime and tokenizers, and prints its answer too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from _bars import FOLDER, Figure, alternate, child, figure, main
from _package import parts_by_hand, texts

LIMIT = 1.15
ROUNDS = 7

# The peak that the system reports for a child begins with that of its parent and survives exec: hence a small parent.
_LAUNCHER = """
import os, sys
nothing = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
process = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ, file_actions=[nothing])
_, status, usage = os.wait4(process, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figure of this bar."""
    text = texts(options.package)[0]
    parts = json.dumps(parts_by_hand(options.package))
    found = alternate(
        {
            "ours": _peak("-m", "edgewright_cli", "run", options.package, text),
            "by hand": _peak(str(FOLDER / "_by_hand.py"), parts, text),
        },
        options.rounds or ROUNDS,
    )
    return [figure("memory", "edgewright run / a script by hand", found["ours"], found["by hand"], LIMIT)]


def _peak(*arguments: str) -> Callable[[], list[float]]:
    return lambda: [float(child("-S", "-c", _LAUNCHER, *arguments))]


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
