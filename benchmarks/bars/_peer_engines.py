"""Engines of peers: made in their environments, opened in processes of their own, timed in turns with ours."""

from __future__ import annotations

import contextlib
import json
import random
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from _peer_environments import PEERS_FOLDER, Peer, peer_environment
from edgewright_targets import InputError
from edgewright_targets.host import HostFacts

# A round of an engine, as long as the meter's.
_ROUND_SECONDS = 0.25
_SHOWN = 300
# The names of optimum's quantizer for what a processor has, the best first.
_ISA = {"avx512_vnni": "avx512_vnni", "avx512f": "avx512", "avx2": "avx2", "asimd": "arm64"}


class PeerError(Exception):
    """A peer cannot make its engine or run it; the text says why, for people."""


@dataclass(frozen=True, kw_only=True)
class PeerJob:
    """What a row brings to every peer.

    Attributes:
        source: A checkpoint folder, `module:function`, or a graph.
        kind: `checkpoint`, `module` or `graph`.
        task: As transformers' pipelines spell it.
        model: The float graph as one ONNX file.
        calibration: Folder of feeds.
        evaluation: Folder of feeds.
        labels: Right class of each evaluation sample, or None.
        max_drop: The budget as a share.
        threads: Threads of an engine.
        machine: This machine.
    """

    source: str
    kind: str
    task: str
    model: Path
    calibration: Path
    evaluation: Path
    labels: tuple[int, ...] | None
    max_drop: float
    threads: int
    machine: HostFacts


def make_engine(peer: Peer, job: PeerJob, environment: Path, out: Path) -> float:
    """Make a peer's engine in `out`, with `engine.json` for `worker.py`; gives the seconds that it took.

    Raises:
        PeerError: It takes other sources, or something failed.
    """
    if job.kind not in peer.sources:
        raise PeerError(f"It takes no {job.kind}; it takes a {' or a '.join(peer.sources)}.")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    start = time.monotonic()
    path = ""
    if peer.maker:
        described: dict[str, Any] = {
            "model": str(job.model),
            "calibration": str(job.calibration),
            "evaluation": str(job.evaluation),
            "labels": job.labels,
            "transformer": "Softmax" in _operators(job.model) and "LayerNormalization" in _operators(job.model),
            "max_drop": job.max_drop,
            "out": str(out),
        }
        (out / "job.json").write_text(json.dumps(described), encoding="utf-8")
        script = PEERS_FOLDER / "make_engine.py"
        _run([environment / "bin" / "python", script, peer.maker, out / "job.json"], environment, job.threads, out)
        path = str(out / json.loads((out / "made.json").read_text(encoding="utf-8")))
    for command in peer.commands:
        isa = next((word for name, word in _ISA.items() if name in job.machine.features), "avx2")
        words = shlex.split(command.format(source=job.source, task=job.task, out=out, isa=isa))
        _run([environment / "bin" / words[0], *words[1:]], environment, job.threads, out)
    if peer.made:
        path = str(_made(out, peer.made))
    seconds = time.monotonic() - start
    engine: dict[str, Any] = {"kind": peer.engine, "path": path, "threads": job.threads}
    if peer.engine == "torch":
        engine |= {"source": job.source, "compiled": peer.compiled}
        if job.kind == "checkpoint":
            config = json.loads((Path(job.source) / "config.json").read_text(encoding="utf-8"))
            engine["model_class"] = config["architectures"][0]
    (out / "engine.json").write_text(json.dumps(engine), encoding="utf-8")
    return seconds


def _made(out: Path, name: str) -> Path:
    found = [out / name] if (out / name).is_file() else sorted(out.rglob(Path(name).name))
    if not found:
        raise PeerError(f"Its commands left no {name}.")
    return found[0]


def _operators(model: Path) -> set[str]:
    import onnx

    graph = onnx.load(model, load_external_data=False)
    return {node.op_type for part in (graph.graph, *graph.functions) for node in part.node}


def _run(command: Sequence[object], environment: Path, threads: int, folder: Path) -> None:
    # In the folder of the engine: some leave files where they are run.
    done = subprocess.run(
        list(map(str, command)), check=False, capture_output=True, text=True,
        env=peer_environment(environment, threads), cwd=folder,
    )  # fmt: skip
    if done.returncode:
        raise PeerError(_last(done.stderr) or f"{Path(str(command[0])).name} ended with exit code {done.returncode}.")


def _last(errors: str) -> str:
    lines = [line.strip() for line in errors.strip().splitlines() if line.strip()]
    return lines[-1][:_SHOWN] if lines else ""


def engine_bytes(peer: Peer, job: PeerJob, out: Path) -> int:
    """What the engine needs on disk: its graph with its weights, or the source where it runs that itself."""
    path = json.loads((out / "engine.json").read_text(encoding="utf-8"))["path"]
    if path:
        # Weights lie beside a graph under its name: model.onnx.data, model.bin.
        return sum(file.stat().st_size for file in Path(path).parent.glob(f"{Path(path).stem}.*"))
    if peer.engine == "torch" and job.kind == "checkpoint":
        return sum(file.stat().st_size for file in Path(job.source).glob("*.safetensors"))
    return job.model.stat().st_size


class PeerWorker:
    """A process with one engine in it; `worker.py` says what it can be asked.

    Raises:
        PeerError: The engine cannot be opened, or dies.
    """

    def __init__(
        self, python: Path, engine: Path, feeds: Path, environment: Mapping[str, str], errors: IO[str]
    ) -> None:
        self._errors = errors
        self._process = subprocess.Popen(
            [python, PEERS_FOLDER / "worker.py", engine, feeds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=dict(environment),
            cwd=PEERS_FOLDER.parents[1],
        )
        try:
            self.load_seconds = float(self._answer()["seconds"])
        except BaseException:
            self.close()
            raise

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a line."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(question), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.flush()
            said = Path(self._errors.name).read_text(encoding="utf-8", errors="replace")
            raise PeerError(_last(said) or f"Its process ended with exit code {self._process.returncode}.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def time(self, indices: Sequence[int]) -> list[float]:
        """Seconds of a call on each of these samples."""
        return [float(value) for value in self.ask({"time": list(indices)})["seconds"]]

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextlib.contextmanager
def opened(python: Path, engine: Path, feeds: Path, environment: Mapping[str, str]) -> Iterator[PeerWorker]:
    """A worker for a `with` block."""
    with engine.with_suffix(".errors").open("w", encoding="utf-8") as errors:
        worker = PeerWorker(python, engine, feeds, environment, errors)
        try:
            yield worker
        finally:
            worker.close()


def timed_in_turns(
    workers: Mapping[str, PeerWorker], first: str, samples: int, rounds: int
) -> tuple[dict[str, list[list[float]]], dict[str, str]]:
    """Seconds of calls of each engine, round by round: all on the same samples, in a new order each round.

    Args:
        workers: Name to worker.
        first: The engine that decides how many calls a round has.
        samples: How many there are.
        rounds: Of every engine.

    Returns:
        Rounds by name, and why an engine stopped taking part.
    """
    chance = random.Random(0)
    once = workers[first].time([index % samples for index in range(5)])
    calls = max(1, min(64, round(_ROUND_SECONDS / max(sorted(once)[2], 1e-6))))
    found: dict[str, list[list[float]]] = {name: [] for name in workers}
    failed: dict[str, str] = {}
    for number in range(rounds + 1):
        taken = [chance.randrange(samples) for _ in range(calls)]
        for name in chance.sample(list(workers), len(workers)):
            if name in failed:
                continue
            try:
                seconds = workers[name].time(taken)
            except PeerError as error:
                failed[name] = str(error)
                continue
            if number:  # the first round fills caches, and is not counted
                found[name].append(seconds)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if first in failed:
        raise InputError(f"The float engine stopped: {failed[first]}")
    return {name: some for name, some in found.items() if name not in failed}, failed
