"""Bar: opening a package, its first answer and its calls take at most 1.02 of what they took in an older checkout.

git worktree add ../before COMMIT
python benchmarks/bars/before_after.py --before ../before --package demo/intents.ortpackage

Both sides run in fresh processes with this Python, in turns, on a package that both can read, with the same engine:
what differs is the runtime's code alone. The clock starts after the imports.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from _bars import FOLDER, Figure, alternate, child, figure, main
from _package import running_engine, texts
from edgewright_runtime import Package
from edgewright_targets import InputError

LIMIT = 1.02
ROUNDS = 40
_ROOMS = ("compiler", "runtime", "benchmarks", "targets")
# Seconds of opening and the first answer, then the median seconds of a call.
_CODE = """
import json, statistics, sys, time
import numpy, onnxruntime, tokenizers
import edgewright_runtime
package, engine, *texts = json.loads(sys.argv[1])
start = time.perf_counter()
model = edgewright_runtime.load(package, engine=engine)
model(texts[0])
opened = time.perf_counter() - start
calls = []
for text in texts * 20:
    start = time.perf_counter()
    model(text)
    calls.append(time.perf_counter() - start)
print(json.dumps([opened, statistics.median(calls), edgewright_runtime.__file__]))
"""


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    engine = running_engine(Package.open(options.package)).name
    arguments = json.dumps([options.package, engine, *texts(options.package)])
    sides = {"after": FOLDER.parent.parent, "before": Path(options.before).resolve()}
    found = alternate(
        {name: lambda root=root: _times(root, arguments) for name, root in sides.items()},  # type: ignore[misc]
        options.rounds or ROUNDS,
    )
    opened, calls = ({name: [[one[at]] for one in rounds] for name, rounds in found.items()} for at in (0, 1))
    return [
        figure("before and after", "open + first answer", opened["after"], opened["before"], LIMIT),
        figure("before and after", "a call", calls["after"], calls["before"], LIMIT),
    ]


def _times(root: Path, arguments: str) -> list[float]:
    rooms = [str(root / room) for room in _ROOMS]
    *seconds, code = json.loads(child("-c", f"import sys; sys.path[:0] = {rooms!r}\n{_CODE}", arguments))
    if not Path(code).is_relative_to(root):
        raise InputError(f"'{root}' has no runtime of its own: the code of '{Path(code).parent}' ran.")
    return [float(value) for value in seconds]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The argument of this bar."""
    parser.add_argument("--before", required=True, help="folder of an older checkout")


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], arguments))
