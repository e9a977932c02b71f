"""Bar: a generator takes at most 1.25 times its weights of memory, although a prompt and a token are other work.

A language model that is split into a graph for the prompt and one for each token holds its weights twice where nobody
looks after it. Here the resident memory of a process is read when the libraries are imported, and again after an
answer: what it grew by is compared with the bytes of weights that the engine has on disk. It takes weights of 100 MB at
least; caches and buffers of a smaller model are as large as the model itself.

    python benchmarks/bars/weights_once.py --package large.ortpackage
"""

from __future__ import annotations

import argparse
import sys

from _bars import Figure, Rounds, child, figure, main
from _package import running_engine, texts
from edgewright_runtime import Package
from edgewright_targets import InputError

LIMIT = 1.25
ROUNDS = 7
LEAST_BYTES = 100e6

_GROWTH = """
import sys
import numpy, onnxruntime, tokenizers
import edgewright_runtime
from edgewright_runtime.probe import Probe

def resident():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))

package, text = sys.argv[1:]
before = resident()
model = edgewright_runtime.load(package)
model(text, max_new_tokens=16, min_new_tokens=16)
Probe(model).values_for_comparison(text)
print(resident() - before)
"""


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figure of this bar."""
    package = Package.open(options.package)
    if "generate" not in (step.step for step in package.manifest.pipeline.steps):
        raise InputError(f"'{options.package}' generates no text.")
    name = running_engine(package).name
    size = sum(path.stat().st_size for path in package.engine_files(name))
    if size < LEAST_BYTES:
        raise InputError(f"'{name}' has {size / 1e6:.0f} MB; this bar takes {LEAST_BYTES / 1e6:.0f} MB or more.")
    text = texts(options.package)[0]
    grown: Rounds = [[float(child("-c", _GROWTH, options.package, text))] for _ in range(options.rounds or ROUNDS)]
    note = f"{name}, {size / 1e6:.0f} MB on disk"
    return [figure("weights", "memory of a generator / its weights", grown, [[float(size)]] * len(grown), LIMIT, note)]


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
