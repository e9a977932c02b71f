"""What reads a mutated input, and which mutations it gets."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from fuzz import answers, lies
from fuzz.bytes_operators import BYTES
from fuzz.file_operators import FILES, OWN_FILES, FileOperator, link, own_link
from fuzz.json_operators import JSON
from fuzz.room import Room
from fuzz.seeds import PACKAGES, PLAY, Seeds, played, talk_to_worker
from fuzz.tar_operators import TAR
from fuzz.toml_operators import TOML

Mutation = Callable[[Random, Path, Room], None]
# Reads what was mutated; raises an EdgewrightError, or gives what is wrong with having accepted it.
Reader = Callable[[Path, Seeds, Room], str]

# That a device may be silent here; its own limits are minutes.
_SILENCE_SECONDS = 5.0


@dataclass(frozen=True)
class Subject:
    """One way in.

    Attributes:
        seed: The file or folder below the seeds that is copied and mutated.
        operators: Mutations by name.
        read: What is done with it.
    """

    seed: str
    operators: Mapping[str, Mutation]
    read: Reader


def _of_file(change: lies.Lie, pattern: str) -> Mutation:
    """A mutation of one file of a folder that matches `pattern`, or of the seed itself where that is a file."""

    def mutate(random: Random, path: Path, room: Room) -> None:
        found = [path] if path.is_file() else sorted(file for file in path.glob(pattern) if file.is_file())
        file = random.choice(found)
        file.write_bytes(change(random, file.read_bytes(), room.hostile_strings()))

    return mutate


def _of_bytes(name: str) -> lies.Lie:
    return lambda random, data, _: BYTES[name](random, data)


def _of_json(name: str) -> lies.Lie:
    def change(random: Random, data: bytes, hostile: Any) -> bytes:
        return JSON[name](random, data.decode(), hostile).encode(errors="surrogatepass")

    return change


def _of_path(change: FileOperator) -> Mutation:
    """Any file of a folder, a folder in it, or the whole is something else."""

    def mutate(random: Random, path: Path, room: Room) -> None:
        files = sorted(file for file in path.rglob("*") if file.is_file())
        folders = [path, *sorted(file for file in path.rglob("*") if file.is_dir())]
        # Mostly files: a folder in the place of many is refused by the first who looks for one of them.
        chosen = random.choice(files if files and random.randrange(4) else folders)
        # What the user names may be a link, also where what is in it may not.
        (own_link if change is link and chosen == path else change)(random, chosen, room)

    return mutate


def _for_files(pattern: str = "**/*") -> dict[str, Mutation]:
    return {name: _of_file(_of_bytes(name), pattern) for name in BYTES}


def _for_json(pattern: str) -> dict[str, Mutation]:
    return {name: _of_file(_of_json(name), pattern) for name in JSON}


def _for_package(name: str) -> dict[str, Mutation]:
    found = {
        **_for_files(),
        **_for_json("**/*.json"),
        **{f"manifest {kind}": _of_file(_of_json(kind), "manifest.json") for kind in JSON},
        **{kind: _of_path(change) for kind, change in FILES.items()},
        "options": _of_file(lies.options, "manifest.json"),
        "lying npz": _of_file(lies.arrays, "**/*.npz"),
        "lying onnx": _of_file(lies.graph, "**/*.onnx"),
        "lying sums": _of_file(lies.sums, "SHA256SUMS"),
    }
    return found | ({"lying tokenizer": _of_file(lies.tokenizer, "**/tokenizer.json")} if name == "text" else {})


def _content(folder: Path) -> dict[str, bytes]:
    """All that a package holds but the list of it: what may have another form."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).digest() for path in files}


def _answer(path: Path, name: str, seeds: Seeds) -> Path:
    """Load it and call it twice; gives where it lies."""
    from edgewright_runtime import load

    samples: dict[str, list[Any]] = {
        "arrays": [{"pixels": np.full((1, 8), value, dtype=np.float32)} for value in (0, 1)],
        "text": ["turn on the kitchen light", "t" * 200],
        "audio": sorted((seeds.folder / "clips").glob("*.wav"))[:2],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with load(path) as model:
            for sample in samples[name]:
                model(sample)
            return model.package.root


def _load(path: Path, seeds: Seeds, room: Room, *, name: str) -> str:
    _answer(path, name, seeds)
    return ""


def _verify(path: Path, seeds: Seeds, room: Room, *, name: str) -> str:
    from edgewright_runtime import verify

    verify(path)
    return "" if _content(path) == _content(seeds.package(name)) else "accepted, and its content is another"


def _verify_sealed(path: Path, seeds: Seeds, room: Room) -> str:
    from edgewright_runtime import verify

    if path.is_dir() and not path.is_symlink():
        _reseal(path)
    verify(path)
    return ""


def _reseal(path: Path) -> None:
    """Write the digests anew, as a forger would."""
    files = [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    lines = []
    for file in sorted(files):
        if file.name != "SHA256SUMS" and file.stat().st_size < 2**28:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            lines.append(f"{digest}  {file.relative_to(path)}\n")
    place = path / "SHA256SUMS"
    if not place.is_symlink() and (place.is_file() or not place.exists()):
        place.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")


def _archive(path: Path, seeds: Seeds, room: Room, *, name: str) -> str:
    from edgewright_runtime import verify

    root = _answer(path, name, seeds)
    verify(path)
    return "" if _content(root) == _content(seeds.package(name)) else "accepted, and its content is another"


def _command(*words: str) -> Reader:
    """The command line with the mutated path in the place of `{}`."""

    def read(path: Path, seeds: Seeds, room: Room) -> str:
        from edgewright_cli import main
        from edgewright_targets import InputError

        code = main([word.format(path, seeds=seeds.folder) for word in words])
        if code in (1, 2):
            raise InputError("the command line refused")
        return "" if code == 0 else f"exit code {code}"

    return read


def _dataset(path: Path, seeds: Seeds, room: Room, *, task: str, takes: str) -> str:
    import tiny_models
    from edgewright_benchmarks.data import read_dataset

    names = tiny_models.LABELS if task == "text-classification" else ()
    read_dataset(path, task=task, input_name=takes, class_names=names)
    return ""


def _result(path: Path, seeds: Seeds, room: Room) -> str:
    from edgewright_benchmarks.result_files import read_result

    read_result(path)
    return ""


def _target(path: Path, seeds: Seeds, room: Room) -> str:
    from edgewright_targets import load_target

    load_target(str(path))
    return ""


def _build_file(path: Path, seeds: Seeds, room: Room) -> str:
    from edgewright_compiler.build_files.plan import plan_builds

    plan_builds(path)
    return ""


def _application(path: Path, seeds: Seeds, room: Room) -> str:
    """Load it and call it, run its golden samples, and read its evidence; digests are not looked at."""
    from edgewright_benchmarks.applications.whole_result import whole_evidence
    from edgewright_runtime.applications import load_application
    from edgewright_runtime.applications.selftest import verify_whole

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with load_application(path) as application:
            application.run("turn on the kitchen light")
        verify_whole(application.package)
    whole_evidence(application.package)
    return ""


def _application_file(path: Path, seeds: Seeds, room: Room) -> str:
    from edgewright_compiler.applications import build_application

    build_application(path / "judge.toml", room.folder / "tmp" / "made.ortpackage")
    return ""


def _source(path: Path, seeds: Seeds, room: Room, *, file: str = "", sample: Any = None) -> str:
    from edgewright_compiler.sources import SourceOptions, open_source

    source = open_source(str(path / file), SourceOptions())
    source.digest()
    if sample is not None:
        source.reference([sample])
    return ""


def _worker(path: Path, seeds: Seeds, room: Room) -> str:
    from edgewright_benchmarks.devices.workers import WorkerProcess

    with WorkerProcess(command=("sh", "-c", PLAY, str(path / "worker.stream")), timeout=20) as worker:
        talk_to_worker(worker, seeds)
    return ""


def _device(path: Path, seeds: Seeds, room: Room) -> str:
    from edgewright_benchmarks.devices import copying, session, ssh
    from edgewright_benchmarks.devices.workers import WorkerProcess
    from edgewright_benchmarks.progress import Quiet
    from edgewright_runtime import Package
    from edgewright_targets import InputError

    def no_download(*_: object) -> list[Path]:
        raise InputError("No library is fetched here.")

    # A device that does not come back, or is silent, is waited for for minutes, which would add nothing here.
    vars(ssh).update(RETRY_SECONDS=(), download=no_download)
    vars(copying).update(_COPY_SECONDS=_SILENCE_SECONDS)
    waiting: tuple[Any, ...] = (session.FarEndSession.ask, WorkerProcess.__init__)
    for call in waiting:
        call.__kwdefaults__["timeout"] = _SILENCE_SECONDS
    with played(path), ssh.SshDevice("ssh://nowhere", Quiet()) as device:
        device.send(Package.open(seeds.package("arrays")))
        with device.worker() as worker:
            worker.verify(device.path_of(seeds.package("arrays")), None, strict=False)
    return ""


def _endless(random: Random, path: Path, room: Room) -> None:
    """One line of a stream never ends."""
    stream = random.choice(sorted(path.glob("*.stream")))
    lines = stream.read_bytes().split(b"\n")
    stream.write_bytes(b"\n".join(lines[: random.randrange(len(lines))]) + b"\n{")
    stream.with_name(f"{stream.name}.endless").touch()


def _subjects() -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    for name in PACKAGES:
        folder, operators = f"{name}.ortpackage", _for_package(name)
        archive = _for_files() | {kind: _of_file(change, "") for kind, change in TAR.items()}
        found |= {
            f"{name}: load": Subject(folder, operators, partial(_load, name=name)),
            f"{name}: verify": Subject(folder, operators, partial(_verify, name=name)),
            f"{name}: sealed verify": Subject(folder, operators, _verify_sealed),
            f"{name}: archive": Subject(f"{folder}.tar", archive, partial(_archive, name=name)),
        }
    own = {kind: _of_path(change) for kind, change in OWN_FILES.items()}
    npz = {**_for_files("inputs.npz"), "lying npz": _of_file(lies.arrays, ""), **own}
    table = {**_for_files("train.csv"), **own}
    toml = {kind: _of_file(change, "*.toml") for kind, change in TOML.items()}
    graph = {**_for_files("*"), "lying onnx": _of_file(lies.graph, "*.onnx"), **own}
    checkpoint = {
        **_for_files("*"),
        **_for_json("*.json"),
        "lying safetensors": _of_file(lies.safetensors, "*.safetensors"),
        "lying tokenizer": _of_file(lies.tokenizer, "tokenizer.json"),
        **own,
    }
    stream = {kind: _of_file(change, "*.stream") for kind, change in answers.ANSWERS.items()} | {"endless": _endless}
    whole = {
        **_for_files("*.*"),
        **_for_json("application.json"),
        **{f"evidence {kind}": _of_file(_of_json(kind), "evidence.json") for kind in JSON},
        **{kind: _of_path(change) for kind, change in FILES.items()},
        "lying npz": _of_file(lies.arrays, "**/*.npz"),
        "lying sums": _of_file(lies.sums, "SHA256SUMS"),
    }
    sentence = "turn on the kitchen light"
    found |= {
        "inspect": Subject("arrays.ortpackage", _for_package("arrays"), _command("inspect", "{}")),
        "run": Subject("data/inputs.npz", npz, _command("run", "{seeds}/arrays.ortpackage", "{}")),
        "arrays": Subject("data/inputs.npz", npz, partial(_dataset, task="arrays", takes="*")),
        "table": Subject("data/train.csv", table, partial(_dataset, task="text-classification", takes="text")),
        "result": Subject("data/result.json", {**_for_files(), **_for_json("")}, _result),
        "target": Subject("data/tiny.toml", toml, _target),
        "build file": Subject("data/builds.toml", toml, _build_file),
        "application": Subject("judge.ortpackage", whole, _application),
        "application: inspect": Subject("judge.ortpackage", whole, _command("inspect", "{}")),
        "application file": Subject("application", toml, _application_file),
        "declaration": Subject("declared", toml, partial(_source, file="tiny.toml")),
        "graph": Subject("source", graph, partial(_source, file="perceptron.onnx")),
        "checkpoint": Subject("checkpoint", checkpoint, partial(_source, sample=sentence)),
        "worker": Subject("worker", stream, _worker),
        "device": Subject("device", stream, _device),
    }
    return found


SUBJECTS = _subjects()
