"""Bar: side by side, beside a program that keeps a core busy, the gate hardly ever fails a package against itself.

At most 1 of 20 comparisons of a package with itself may fail (`equal`). 20 of 20 must fail of a package that pads texts
further (`padding`), of one with a thread less than cores (`thread`), of one that does 10 % more work (`slower-10`), all
at `latency.p50 > +5%`, and of one that loses a point (`loss`), at `accuracy < -0.5`. On an idle machine (`--beside 0`)
at most 5 of 100 may fail of `equal`, and 9 of 10 must fail of one that does 5 % more work (`slower-5`), at
`latency.p50 > +0%`.

    python benchmarks/bars/gate.py --package demo/intents.ortpackage --data demo/data/test.csv
    python benchmarks/bars/gate.py --only equal thread --repeats 5          # a slice; the next call goes on behind it
    python benchmarks/bars/gate.py --beside 0 --only equal --repeats 100
    python benchmarks/bars/gate.py --beside 0 --only slower-5 --repeats 10

Every comparison is a line of the file `--results`. Those of the same package, data and settings are not made again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from _bars import Figure, main
from _gate_planted import cores, losing, padded, with_threads
from _gate_shares import share_of
from _gate_slower import slowed
from edgewright_benchmarks.data import check_there
from edgewright_benchmarks.gate.comparison import GateResult
from edgewright_benchmarks.gate.rerun import compare_packages
from edgewright_benchmarks.measuring.busy_programs import busy_programs
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_runtime import Package

REPEATS = 20
RULE, LOSS_RULE, ANY_RULE = "latency.p50 > +5%", "accuracy < -0.5", "latency.p50 > +0%"
# Rounds of a comparison, and the most that undecided rules ask for. Accuracy needs none.
ROUNDS, MOST_ROUNDS, LOSS_ROUNDS = 15, 480, 6
# Of the samples of the data, in points.
LOSS = 1.0


@dataclass(frozen=True)
class _Kind:
    """What is compared: by which rule, which verdict is right, what share may be wrong, and how much work is added."""

    rule: str
    wanted: Literal["fail", "not fail"]
    most: float
    slower: float = 0.0


KINDS = {
    "equal": _Kind(RULE, "not fail", 0.05),
    "padding": _Kind(RULE, "fail", 0.0),
    "thread": _Kind(RULE, "fail", 0.0),
    "loss": _Kind(LOSS_RULE, "fail", 0.0),
    "slower-10": _Kind(RULE, "fail", 0.0, 0.10),
    "slower-5": _Kind(ANY_RULE, "fail", 0.1, 0.05),
}


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar: of all comparisons that the file of results has of these settings."""
    Package.open(options.package)
    check_there(options.data)
    chosen = [name for name in KINDS if name in (options.only or KINDS)]
    results = Path(options.results or Path(options.package).parent / "gate-bar.jsonl")
    return [_figure(name, _all(name, options, results)) for name in chosen]


def _all(name: str, options: argparse.Namespace, results: Path) -> list[dict[str, Any]]:
    """The comparisons of a kind, those made before first; what is missing is made, and appended one by one."""
    setup = _setup(name, options)
    found = [row for row in _read(results) if row["setup"] == setup][: options.repeats]
    with tempfile.TemporaryDirectory(dir=Path(options.package).parent) as folder:
        compare: Callable[[int], dict[str, Any]] | None = None
        for repeat in range(len(found), options.repeats):
            # Copies are made where there is something to compare.
            compare = compare or _comparison(name, options, Path(folder))
            row = {"kind": name, "repeat": repeat, "setup": setup, **compare(repeat)}
            _append(results, row)
            found.append(row)
    return found


def _comparison(name: str, options: argparse.Namespace, folder: Path) -> Callable[[int], dict[str, Any]]:
    package, data = Path(options.package), Path(options.data)
    settings = MeterSettings(rounds=options.rounds or ROUNDS, most_rounds=MOST_ROUNDS, loads=1, samples=options.samples)
    if name == "loss":
        settings = replace(settings, rounds=options.rounds or LOSS_ROUNDS, most_rounds=0, samples=None)
    base, new = package, package
    if name == "padding":
        new = padded(package, folder / "padded.ortpackage")
    if name == "thread":
        base = with_threads(package, folder / "cores.ortpackage", cores())
        new = with_threads(package, folder / "less.ortpackage", cores() - 1)
    planted: dict[str, Any] = {}
    if KINDS[name].slower:
        new, slowdown = slowed(package, folder / "slower.ortpackage", data, share=KINDS[name].slower)
        planted = {"planted_slowdown": slowdown}

    def compare(repeat: int) -> dict[str, Any]:
        # Other rounds draw other samples.
        seeded, other, facts = replace(settings, seed=repeat), new, planted
        if name == "loss":
            other, share = losing(package, folder / f"{repeat}.ortpackage", data, points=LOSS, seed=repeat)
            facts = {"planted_points": 100 * share}
        with busy_programs(options.beside):
            found = compare_packages(base, other, data, KINDS[name].rule, settings=seeded)
        return {**facts, **_said(found)}

    return compare


def _said(found: GateResult) -> dict[str, Any]:
    (rule,) = found.rules
    return {"verdict": rule.verdict, "value": rule.value, "rounds": found.rounds, "samples": found.samples}


def _setup(name: str, options: argparse.Namespace) -> str:
    """A digest of what decides a comparison: the package, the data, and how it is measured."""
    manifest, data = Path(options.package) / "manifest.json", Path(options.data)
    facts = [name, KINDS[name].rule, options.samples, options.rounds, options.beside]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for path in (manifest, data):
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:16]


def _append(results: Path, row: dict[str, Any]) -> None:
    before = results.read_text(encoding="utf-8") if results.exists() else ""
    whole = not before or before.endswith("\n")
    with results.open("a", encoding="utf-8") as file:
        file.write(("" if whole else "\n") + json.dumps(row) + "\n")


def _read(results: Path) -> list[dict[str, Any]]:
    if not results.exists():
        return []
    # The last line of a call that was ended may be cut off.
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def _figure(name: str, rows: list[dict[str, Any]]) -> Figure:
    kind = KINDS[name]
    shown = share_of("gate", f"{name}, {kind.rule}", [row["verdict"] for row in rows], kind.wanted, most=kind.most)
    values = sorted(row["value"] for row in rows)
    if name == "loss":
        note = f"change {100 * values[0]:+.2f} to {100 * values[-1]:+.2f} points of {rows[0]['samples']:,} samples"
    else:
        rounds = sorted(row["rounds"] for row in rows)
        note = f"ratio {1 + values[0]:.3f} to {1 + values[-1]:.3f}, {rounds[0]} to {rounds[-1]} rounds"
    if kind.slower:
        note += f"; planted {1 + rows[0]['planted_slowdown']:.3f}"
    return replace(shown, note=f"{shown.note}; {note}")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this bar."""
    parser.add_argument("--data", default="demo/data/test.csv", help="samples (default: %(default)s)")
    words = "most samples where times are compared (default: %(default)s); a loss takes all"
    parser.add_argument("--samples", type=int, default=200, help=words)
    parser.add_argument("--repeats", type=int, default=REPEATS, help="comparisons of each kind (default: %(default)s)")
    parser.add_argument("--beside", type=int, default=1, help="busy programs beside (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=list(KINDS), help="these kinds alone")
    words = "where comparisons are kept, a line each (default: gate-bar.jsonl beside the package)"
    parser.add_argument("--results", metavar="FILE", help=words)


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], arguments))
