"""Bar: a wrong input is refused within 3 seconds, and within 1 where files alone tell that it is wrong.

The whole command is timed, in a fresh process, from its start to its exit code 2. The figures are seconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from _bars import Figure, alternate, main, median_interval, verdict
from edgewright_targets import InputError

FILES_LIMIT, LIMIT = 1.0, 3.0
ROUNDS = 10

_FILES: dict[str, bytes] = {
    "good.csv": b"text,label\nplay,a\n",
    "latin.csv": b"text,label\ncaf\xe9,a\n",
    "torn.onnx": b"\x08\x0a",
    "adapter/adapter_config.json": b'{"peft_type": "LORA"}',
    "bert/config.json": b'{"architectures": ["BertForSequenceClassification"]}',
    "old.ortpackage/manifest.json": b"{",
    "module.py": b"def make():\n    return 1\n",
}
_BUILD = ("-o", "new", "--target", "host")
# What is wrong -> the command, and the seconds it may take. PACKAGE is the package of the argument.
_CASES: dict[str, tuple[tuple[str, ...], float]] = {
    "build: no source": (("build", "nothing", *_BUILD, "--evaluation", "good.csv"), FILES_LIMIT),
    "build: an adapter": (("build", "adapter", *_BUILD, "--evaluation", "good.csv"), FILES_LIMIT),
    "build: no weights, no data": (("build", "bert", *_BUILD, "--evaluation", "missing.csv"), FILES_LIMIT),
    "build: code without data": (("build", "module:make", *_BUILD, "--evaluation", "missing.npz"), FILES_LIMIT),
    "build: an unknown target": (("build", "nothing", "-o", "new", "--target", "hosts"), FILES_LIMIT),
    "build: a damaged graph": (("build", "torn.onnx", *_BUILD, "--calibration", "good.csv"), LIMIT),
    "build: code that gives no module": (("build", "module:make", *_BUILD), LIMIT),
    "bench: no package": (("bench", "nothing", "--data", "good.csv"), FILES_LIMIT),
    "bench: no data": (("bench", "PACKAGE", "--data", "missing.csv"), FILES_LIMIT),
    "bench: data of another encoding": (("bench", "PACKAGE", "--data", "latin.csv"), LIMIT),
    "run: a damaged package": (("run", "old.ortpackage", "play"), FILES_LIMIT),
    "run: an unknown engine": (("run", "PACKAGE", "play", "--engine", "none"), LIMIT),
    "verify: a damaged package": (("verify", "old.ortpackage"), FILES_LIMIT),
    "finish: a damaged package": (("finish", "old.ortpackage"), FILES_LIMIT),
    "inspect: no package": (("inspect", "nothing"), FILES_LIMIT),
    "targets: an unknown target": (("targets", "show", "hosts"), FILES_LIMIT),
    "cache: wrong use": (("cache", "--older-than", "3"), FILES_LIMIT),
}


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    package = Path(options.package).absolute()
    if not package.exists():
        raise InputError(f"There is no package '{options.package}'.", hint="Build one, and pass it with --package.")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in _FILES.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        sides = {
            name: _refused(Path(folder), [str(package) if word == "PACKAGE" else word for word in words])
            for name, (words, _) in _CASES.items()
        }
        found = alternate(sides, options.rounds or ROUNDS)
    figures = []
    for name, (_, limit) in _CASES.items():
        seconds = median_interval([value for values in found[name] for value in values])
        figures.append(
            Figure(
                bar="refusal", compared=f"{name} (seconds)", ratio=seconds, limit=limit, verdict=verdict(seconds, limit)
            )
        )
    return figures


def _refused(folder: Path, words: list[str]) -> Callable[[], list[float]]:
    def run() -> list[float]:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "edgewright_cli", *words], cwd=folder, capture_output=True, check=False
        )
        seconds = time.perf_counter() - start
        if done.returncode != InputError.exit_code:
            raise InputError(f"'{' '.join(words)}' was not refused: exit code {done.returncode}.")
        return [seconds]

    return run


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
