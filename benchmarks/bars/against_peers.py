"""Bar: the engine that ships is at least as fast as the best engine that people would pick instead.

The same model and data through PyTorch, ONNX Runtime's own quantization, OpenVINO with NNCF, optimum-cli and Olive,
each in an environment of its own with pinned versions (`benchmarks/peers/peers.toml`), which is made below the cache
where it is not there. Every engine runs in a process of its own; all take turns in one run, on the same input arrays,
with the same number of threads. Times are those of the graph alone, ours too, since peers have no steps around it.
Accuracy is on the same samples, by our metric and through our steps. A peer that cannot be installed, made or run is
named with its last line, and the others go on. Outcomes are kept as JSON and joined; engines that were made are not
made again.

    python benchmarks/bars/against_peers.py --only intents --only lite0
    python benchmarks/bars/against_peers.py --only intents --peer openvino-nncf
    python benchmarks/bars/against_peers.py --table docs/peers.md       # of what was kept, without measuring
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import math
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import _peer_feeds as feeds
from _bars import Figure, main, verdict
from _peer_engines import PeerError, PeerJob, PeerWorker, engine_bytes, make_engine, opened, timed_in_turns
from _peer_environments import (
    NotInstalledError,
    Peer,
    made_environment,
    peer_environment,
    read_peers,
)
from _peer_results import BEGIN, END, PeerFigures, PeerRow, joined, read_row, table_of, write_row
from _suite_builds import SuiteBuild, built
from _suite_rows import ROOT, ROWS, SuiteRow
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.engine_result import Accuracy, Interval
from edgewright_benchmarks.judging.evidence import now
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.statistics.intervals import latency_ratio
from edgewright_runtime import Package
from edgewright_runtime.manifest import COMPONENT
from edgewright_targets import EdgewrightError, host_facts

sys.path.insert(0, str(ROOT / "benchmarks"))
from families import put_into

OURS, FLOAT = "edgewright", "onnxruntime-float"
MEAN_LIMIT = 0.95
ROUNDS = 15
SAMPLES = 400
CALIBRATION = 300


@dataclass(frozen=True)
class _Engine:
    """An engine that is there: what `worker.py` opens, with what, and what was found of it so far."""

    python: Path
    described: Path
    environment: Mapping[str, str]
    feeds: Path
    figures: PeerFigures


def compare(row: SuiteRow, options: argparse.Namespace, peers: Sequence[Peer], pins: Mapping[str, Any]) -> PeerRow:
    """One row beside its peers."""
    facts = host_facts()
    found = PeerRow(row=row.name, title=row.title, weights=row.weights, machine=facts, versions={})
    extra = ("--search", options.search) if options.search else ()
    made = built(row, options.suite, extra)
    if made.failure:
        return replace(found, reason=f"it was not built: {made.failure.splitlines()[-1]}")
    package = Package.open(made.package)
    try:
        steps = feeds.Steps(package)
        data = feeds.read_data(package, row.option("--evaluation"), options.samples)
        calibration = feeds.read_data(package, row.option("--calibration"), CALIBRATION)
    except EdgewrightError as error:
        return replace(found, reason=error.message)
    result = made.result()
    digest = hashlib.sha256((package.root / "SHA256SUMS").read_bytes()).hexdigest()
    work = options.work / row.name
    key = work / "key.json"
    # Of the package its float graph alone: another choice of ours changes nothing for the peers.
    graph = package.manifest.engines[result.baseline].parts[COMPONENT]
    floats = hashlib.sha256(package.file(graph.model_file).read_bytes()).hexdigest() + str(graph.session_options)
    wanted = json.dumps([floats, data.digest, len(data.samples), calibration.digest])
    if not key.is_file() or key.read_text(encoding="utf-8") != wanted:
        # Another float graph or other samples: nothing that was made of them before counts.
        shutil.rmtree(work, ignore_errors=True)
        steps.write_feeds(data.samples, work / "evaluation")
        steps.write_feeds(calibration.samples, work / "calibration")
        feeds.write_float_graph(package, result.baseline, work / "float.onnx")
        key.write_text(wanted, encoding="utf-8")
    numbers = feeds.class_numbers(package, data)
    job = PeerJob(
        source=row.source if ":" in row.source else str((ROOT / row.source).resolve()),
        kind="module" if ":" in row.source else "graph" if row.source.endswith(".onnx") else "checkpoint",
        task=package.manifest.task,
        model=(work / "float.onnx").resolve(),
        calibration=(work / "calibration").resolve(),
        evaluation=(work / "evaluation").resolve(),
        labels=None if numbers is None else tuple(numbers),
        max_drop=row.max_drop,
        threads=result.settings.threads,
        machine=facts,
    )
    found = replace(
        found,
        engine=result.chosen,
        package=digest,
        samples=len(data.samples),
        labelled=data.labels is not None,
        max_drop=row.max_drop,
        threads=job.threads,
        versions={peer.environment: tuple(pins[peer.environment]) for peer in peers},
    )
    engines, failed = _made_engines(peers, pins, job, work)
    engines = {OURS: _ours(made, steps, data.samples, work, job), **engines}
    print(f"{row.name}: {', '.join(engines)} answer {len(data.samples)} samples", file=sys.stderr, flush=True)
    predictions: dict[str, list[Prediction]] = {}
    for name, engine in list(engines.items()):
        try:
            figures, predictions[name] = _answers(engine, steps, data.samples, work / name)
            engines[name] = replace(engine, figures=figures)
        except (PeerError, EdgewrightError) as error:
            failed.append(_failed(engine.figures, str(error)))
            del engines[name]
    if not {OURS, FLOAT} <= set(engines):
        return replace(found, reason="; ".join(f"{one.title}: {one.reason}" for one in failed))

    def judged(name: str) -> Accuracy:
        return feeds.accuracy(package, data, predictions[FLOAT], predictions[name], row.max_drop)

    measured, stopped = _timed(engines, len(data.samples), options.rounds or ROUNDS)
    failed += [_failed(engines[name].figures, reason) for name, reason in stopped.items()]
    done = {name: _figures(engines[name].figures, measured, judged(name)) for name in measured}
    return replace(found, ours=done.pop(OURS), peers=(*done.values(), *failed))


def _made_engines(
    peers: Sequence[Peer], pins: Mapping[str, Any], job: PeerJob, work: Path
) -> tuple[dict[str, _Engine], list[PeerFigures]]:
    engines, failed = {}, []
    for peer in peers:
        figures = PeerFigures(name=peer.name, title=peer.title, typed=peer.typed, does=peer.does)
        out = (work / peer.name).resolve()
        said = out / "made-in.json"
        try:
            folder = made_environment(peer.environment, pins[peer.environment])
            if not said.is_file() or json.loads(said.read_text(encoding="utf-8"))[0] != list(pins[peer.environment]):
                print(f"{peer.name}: making its engine", file=sys.stderr, flush=True)
                seconds = make_engine(peer, job, folder, out)
                said.write_text(json.dumps([list(pins[peer.environment]), seconds]), encoding="utf-8")
            seconds = json.loads(said.read_text(encoding="utf-8"))[1]
            figures = replace(figures, size_bytes=engine_bytes(peer, job, out), make_seconds=seconds)
        except NotInstalledError as error:
            failed.append(_failed(figures, f"It cannot be installed: {error}"))
        except PeerError as error:
            failed.append(_failed(figures, str(error)))
        else:
            environment = peer_environment(folder, job.threads)
            engines[peer.name] = _Engine(
                folder / "bin" / "python", out / "engine.json", environment, job.evaluation, figures
            )
    return engines, failed


def _ours(made: SuiteBuild, steps: feeds.Steps, samples: Sequence[Any], work: Path, job: PeerJob) -> _Engine:
    package, chosen = steps.package, made.result().chosen
    place = job.evaluation
    if package.manifest.engines[chosen].pad_to_multiple_of > 1:
        # Its pipeline pads texts, which is part of the engine.
        place = work / f"evaluation-{chosen}"
        if not place.is_dir():
            feeds.Steps(package, chosen).write_feeds(samples, place)
    out = work / OURS
    out.mkdir(parents=True, exist_ok=True)
    described = {"kind": "edgewright", "path": made.package, "engine": chosen, "threads": job.threads}
    (out / "engine.json").write_text(json.dumps(described), encoding="utf-8")
    size = sum(file.stat().st_size for file in package.engine_files(chosen))
    figures = PeerFigures(
        name=OURS,
        title=f"Edgewright, {chosen.removeprefix(f'{package.targets[0]}-')}",
        typed="1 command",
        size_bytes=size,
        make_seconds=made.seconds,
    )
    return _Engine(Path(sys.executable), out / "engine.json", peer_environment(None, job.threads), place, figures)


def _answers(
    engine: _Engine, steps: feeds.Steps, samples: Sequence[Any], out: Path
) -> tuple[PeerFigures, list[Prediction]]:
    with opened(engine.python, engine.described, engine.feeds, engine.environment) as worker:
        worker.ask({"answer": str((out / "outputs.npz").resolve())})
        memory = int(worker.ask({"memory": True})["bytes"])
        figures = replace(engine.figures, memory_bytes=memory, load_seconds=worker.load_seconds)
    outputs = feeds.read_outputs(out / "outputs.npz", len(samples))
    (out / "outputs.npz").unlink()
    return figures, steps.predictions(samples, outputs)


def _timed(
    engines: Mapping[str, _Engine], samples: int, rounds: int
) -> tuple[dict[str, list[list[float]]], dict[str, str]]:
    failed: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(machine_to_itself(Quiet()))
        workers: dict[str, PeerWorker] = {}
        for name, one in engines.items():
            try:
                workers[name] = stack.enter_context(opened(one.python, one.described, one.feeds, one.environment))
            except PeerError as error:
                failed[name] = str(error)
        found, stopped = timed_in_turns(workers, FLOAT, samples, rounds)
    return found, {**failed, **stopped}


def _figures(figures: PeerFigures, measured: Mapping[str, list[list[float]]], found: Accuracy) -> PeerFigures:
    rounds, ours = measured[figures.name], measured[OURS]
    name, value = next(iter(found.metrics.items()))
    return replace(
        figures,
        metric=(name, value.value),
        drop=None if figures.name == FLOAT else found.drop,
        seconds=float(np.median([second for one in rounds for second in one])),
        ratio=Interval(1.0, 1.0, 1.0) if figures.name == OURS else latency_ratio(ours, rounds),
        run=now(),
    )


def _failed(figures: PeerFigures, reason: str) -> PeerFigures:
    return replace(figures, status="failed", reason=reason)


def kept_rows(folder: Path) -> list[PeerRow]:
    """The rows that were kept of this processor, in the order of the suite."""
    order = [row.name for row in ROWS]
    here = host_facts()
    found = [read_row(file) for file in sorted(folder.glob("*.json"))]
    same = [row for row in found if row.machine.cpu == here.cpu and row.machine.features == here.features]
    return sorted((row for row in same if row.row in order), key=lambda row: order.index(row.row))


def figures_of(rows: Sequence[PeerRow]) -> list[Figure]:
    """Ours against the best peer at no worse accuracy in each row, and the geometric mean."""
    figures, ratios = [], []
    for row in rows:
        best = row.best_peer()
        if row.ours is None or best is None or best.ratio is None:
            nothing = Interval(math.nan, math.nan, math.nan)
            note = row.reason or "no peer was as accurate, or kept the budget"
            figures.append(_figure(row.row, nothing, None, "for information", note))
            continue
        ratios.append(best.ratio)
        judged = "pass" if best.ratio.low <= 1 else "FAIL"
        figures.append(_figure(row.row, best.ratio, 1.0, judged, f"{row.engine} against {best.title}, lower end"))
    if ratios:
        ends = (
            [one.value for one in ratios],
            [one.low for one in ratios],
            [one.high for one in ratios],
        )
        mean = Interval(*(math.exp(sum(map(math.log, some)) / len(some)) for some in ends))
        value = Interval(mean.value, mean.low, mean.high)
        figures.append(_figure("geometric mean", value, MEAN_LIMIT, verdict(value, MEAN_LIMIT), f"{len(ratios)} rows"))
    return figures


def _figure(compared: str, ratio: Interval, limit: float | None, judged: object, note: str) -> Figure:
    return Figure(bar="peers", compared=compared, ratio=ratio, limit=limit, verdict=judged, note=note)  # type: ignore[arg-type]


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    peers, pins = read_peers()
    asked = tuple(peer for peer in peers if not options.peer or peer.name in (*options.peer, FLOAT))
    for row in () if options.table else ROWS:
        if options.only and row.name not in options.only:
            continue
        start = time.monotonic()
        file = options.results / f"{row.name}.json"
        found = compare(row, options, asked, pins)
        write_row(joined(read_row(file) if file.is_file() else None, found), file)
        minutes = (time.monotonic() - start) / 60
        print(f"{row.name}: {found.reason or 'measured'}, {minutes:.1f} minutes", file=sys.stderr, flush=True)
    rows = kept_rows(options.results)
    if options.table:
        put_into(options.table, table_of(rows), (BEGIN, END))
    elif not options.json:
        print(table_of([row for row in rows if not options.only or row.row in options.only]), end="\n\n")
    return figures_of(rows)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this bar."""
    rows, peers = [row.name for row in ROWS], [peer.name for peer in read_peers()[0]]
    parser.add_argument("--only", action="append", choices=rows, metavar="ROW", help=f"only this: {', '.join(rows)}")
    parser.add_argument("--peer", action="append", choices=peers, metavar="NAME", help=f"only: {', '.join(peers)}")
    parser.add_argument("--search", metavar="TIME", help="ours is built with a search of this length (default: plain)")
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, help="most samples that accuracy is measured on (default: %(default)s)"
    )
    parser.add_argument("--results", type=Path, default=Path("demo/peers-results"), help="where outcomes are kept")
    parser.add_argument("--suite", type=Path, default=Path("demo/suite-results"), help="where builds of the source are")
    parser.add_argument("--work", type=Path, default=Path("demo/peers"), help="where engines of peers are kept")
    parser.add_argument("--table", type=Path, metavar="DOCUMENT", help="write the tables of what was kept into this")


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], arguments))
