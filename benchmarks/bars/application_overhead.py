"""Bar: an application takes at most 1.05 times its packages called by hand, in time and in peak memory.

The application is made from the package, a text classifier: a model, a template that makes a text of its label, and a
second model that reads this text. By hand are the same two packages, loaded with `edgewright_runtime.load`, and an
f-string between them.

The time is held in one process: both sides call the same two loaded models in turn on the same text, so that engines
and their state are the same for both. The memory is that of a process each, which loads the packages and answers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _bars import Figure, Rounds, alternate, figure, main, peak_memory
from _package import texts
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.applications import build_application
from edgewright_runtime.applications import load_application
from edgewright_runtime.package import package_folder
from edgewright_targets import InputError

LIMIT = 1.05
ROUNDS = 30
MEMORY_ROUNDS = 7
# Golden samples are few, and a median of few calls is a rough one.
REPEATS = 4

_DECLARED = """\
kind = "application"
answer = ["first", "reply", "second"]
input = {{ text = "text" }}

[model]
one.package = "{package}"
other.package = "{package}"

[step]
first = {{ model = "one", input.text = "text" }}
reply = {{ do = "template", input.label = "first.label", options.text = "It is {{label}}." }}
second = {{ model = "other", input.text = "reply" }}
"""
_OURS = """
import sys
from edgewright_runtime.applications import load_application
with load_application(sys.argv[1]) as application:
    print(application(sys.argv[2]))
"""
_BY_HAND = """
import sys
from edgewright_runtime import load
with load(sys.argv[1] + "/models/one") as one, load(sys.argv[1] + "/models/other") as other:
    first = one(sys.argv[2])
    reply = f"It is {first[0]['label']}."
    print({"first": first, "reply": reply, "second": other(reply)})
"""


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    samples = texts(options.package)
    with tempfile.TemporaryDirectory() as folder:
        made = _made(Path(folder), package_folder(options.package))
        ours, theirs = _calls(made, samples, options.rounds or ROUNDS)
        memory = alternate(
            {
                "ours": peak_memory("-c", _OURS, str(made), samples[0]),
                "by hand": peak_memory("-c", _BY_HAND, str(made), samples[0]),
            },
            options.rounds or MEMORY_ROUNDS,
        )
    return [
        figure("application", "application(text) / its packages by hand: one process", ours, theirs, LIMIT),
        figure("application memory", "the same, a process each", memory["ours"], memory["by hand"], LIMIT),
    ]


def _made(folder: Path, package: Path) -> Path:
    """An application of two models, both of which are the package."""
    source = folder / "application.toml"
    source.write_text(_DECLARED.format(package=package.resolve()), encoding="utf-8")
    return build_application(source, folder / "application.ortpackage").package


def _calls(made: Path, samples: list[str], rounds: int) -> tuple[Rounds, Rounds]:
    """Seconds of the same calls of the application, and by hand with the application's own loaded models."""
    ours: Rounds = []
    theirs: Rounds = []
    with load_application(made) as application, machine_to_itself(Quiet()):
        one, other = application.model("one"), application.model("other")

        def by_hand(text: str) -> dict[str, Any]:
            first = one(text)
            reply = f"It is {first[0]['label']}."
            return {"first": first, "reply": reply, "second": other(reply)}

        for text in samples:
            if application(text) != by_hand(text):
                raise InputError(f"The application answers otherwise than its packages by hand: {text[:100]!r}.")
        for number in range(rounds + 1):
            found: list[dict[Any, float]] = []
            for index, text in enumerate(samples * REPEATS):
                # Who is first changes from call to call and from round to round.
                pair: tuple[Callable[[str], Any], ...] = (application, by_hand)
                found.append({side: _seconds(side, text) for side in pair[:: 1 if (index + number) % 2 else -1]})
            if number:
                ours.append([seconds[application] for seconds in found])
                theirs.append([seconds[by_hand] for seconds in found])
    return ours, theirs


def _seconds(side: Callable[[str], Any], text: str) -> float:
    start = time.perf_counter()
    side(text)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
