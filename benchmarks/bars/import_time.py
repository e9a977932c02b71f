"""Bar: `import edgewright_runtime` takes at most 1.2 times what `import numpy, onnxruntime` takes.

Imports inside functions could hide cost from that figure, so a second one holds everything that a first call imports
against the three libraries alone. Each import is timed inside a fresh interpreter; its own start counts for neither.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from _bars import Figure, alternate, child, figure, main

LIMIT = 1.2
ROUNDS = 40

_TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"
_EVERYTHING = (
    "numpy, onnxruntime, tokenizers, edgewright_runtime, edgewright_runtime.engine, edgewright_runtime.providers.cpu, "
    "edgewright_runtime.steps.text.tokenize, edgewright_runtime.steps.graph.infer, "
    "edgewright_runtime.steps.graph.labels"
)


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    found = alternate(
        {
            "runtime": _imported("edgewright_runtime"),
            "libraries": _imported("numpy, onnxruntime"),
            "everything": _imported(_EVERYTHING),
            "all libraries": _imported("numpy, onnxruntime, tokenizers"),
            "help": _process("-m", "edgewright_cli", "--help"),
            "nothing": _process("-c", "pass"),
        },
        options.rounds or ROUNDS,
    )
    return [
        figure(
            "import",
            "import edgewright_runtime / import numpy, onnxruntime",
            found["runtime"],
            found["libraries"],
            LIMIT,
        ),
        figure(
            "import",
            "all that a call imports / numpy, onnxruntime, tokenizers",
            found["everything"],
            found["all libraries"],
            LIMIT,
        ),
        figure("start", "edgewright --help / python -c pass", found["help"], found["nothing"], None),
    ]


def _imported(names: str) -> Callable[[], list[float]]:
    return lambda: [float(child("-c", _TIMED.format(names)))]


def _process(*arguments: str) -> Callable[[], list[float]]:
    def run() -> list[float]:
        start = time.perf_counter()
        child(*arguments)
        return [time.perf_counter() - start]

    return run


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
