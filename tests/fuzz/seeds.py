"""What is mutated: real packages, sources, data and conversations, built once for a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
PACKAGES = ("arrays", "text", "audio")
# Plays a recorded conversation, then waits for a moment for the other side to end it, as a device would.
PLAY = 'cat "$0"; [ -e "$0.endless" ] && tr "\\0" x < /dev/zero | head -c 3221225472; exec timeout 2 cat > /dev/null'
_SSH_RECORDS = """#!/bin/sh
for last; do :; done
case "$last" in *worker.main*) name=worker;; *) name=far;; esac
sh -c "$last" | tee "$FUZZ_STREAMS/$name.stream"
"""
_SSH_PLAYS = f"""#!/bin/sh
for last; do :; done
case "$last" in *worker.main*) name=worker;; *) name=far;; esac
exec sh -c '{PLAY}' "$FUZZ_STREAMS/$name.stream"
"""


# All kinds of keys that a build file has.
_BUILDS = """\
kind = "build"
schema = 1
targets = ["tiny.toml"]
archive = true

[budget]
max_drop = "5%"
confidence = 0.9
search = 3

[model.texts]
source = "../checkpoint"
[model.texts.data]
evaluation = "train.csv"
samples = 20
[model.arrays]
source = "../source/perceptron.onnx"
output = "arrays.ortpackage"
gates.fail_on = "latency.p50 > +5%"
"""


# Steps of a model and of nodes, a condition, a list of texts, a metric and a budget.
_JUDGE = """\
kind = "application"
schema = 1
answer = ["intent", "reply", "again"]

[input]
command = "text"

[model.intents]
package = "text.ortpackage"

[step.intent]
model = "intents"
input.text = "command"
options.top_k = 2

[step.reply]
do = "template"
input = { choice = "intent.label", sure = "intent.score" }
options.text = "I do not know."
options.texts = { nothing = "({sure})" }
when = "intent.score >= 0.1"

[step.again]
model = "intents"
input.text = "reply"
when = "intent.score < 0.9"

[metric]
intent = "accuracy"

[budget]
max_drop = "5%"
confidence = 0.9
"""


@dataclass(frozen=True)
class Seeds:
    """The folder of all seeds; see `make_seeds`."""

    folder: Path

    def package(self, name: str) -> Path:
        """A package of `PACKAGES`, whole."""
        return self.folder / f"{name}.ortpackage"


def make_seeds(folder: Path) -> Seeds:
    """Build everything there; takes less than a minute."""
    import tiny_models
    import tiny_pipelines
    import tiny_targets

    data = folder / "data"
    data.mkdir(parents=True)
    tiny_models.write_csv(data / "train.csv")
    tiny_models.write_arrays(data / "inputs.npz")
    tiny_targets.write_target(data / "tiny.toml")
    (data / "builds.toml").write_text(_BUILDS, encoding="utf-8")
    source = folder / "source"
    source.mkdir()
    tiny_models.write_onnx(source / "perceptron.onnx", external="external.bin")
    tiny_models.write_checkpoint(folder / "checkpoint")
    clips = tiny_pipelines.write_clips(folder / "clips")
    declaration = tiny_pipelines.write_pipeline(folder / "declared")
    table = folder / "clips" / "clips.csv"
    assert table.is_file(), clips
    builds = {
        "arrays": (source / "perceptron.onnx", "--calibration", data / "inputs.npz"),
        "text": (
            folder / "checkpoint",
            "--calibration",
            data / "train.csv",
            "--evaluation",
            data / "train.csv",
            # Random weights give one class for all texts of this table.
            "--accept-baseline",
        ),
        "audio": (declaration, "--calibration", table, "--evaluation", table, "--max-drop", "50%"),
    }
    for name, words in builds.items():
        output = folder / f"{name}.ortpackage"
        quick = (
            "--target",
            data / "tiny.toml",
            "--rounds",
            "2",
            "--calls",
            "4",
            "--loads",
            "1",
            "--archive",
            "-q",
            "-o",
            output,
        )
        command = [sys.executable, "-m", "edgewright_cli", "build", *map(str, (*words, *quick))]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    shutil.copyfile(folder / "text.ortpackage/edgewright/evidence/tiny.json", data / "result.json")
    _build_application(folder)
    seeds = Seeds(folder)
    _record(seeds)
    return seeds


def _build_application(folder: Path) -> None:
    """An application of the package of texts, with golden samples and evidence of the whole; its file beside it."""
    declared = folder / "application"
    declared.mkdir()
    shutil.copytree(folder / "text.ortpackage", declared / "text.ortpackage")
    (declared / "judge.toml").write_text(_JUDGE, encoding="utf-8")
    table = folder / "data" / "commands.csv"
    table.write_text("command,intent\nturn on the light,TurnOn\nplay some music,PlayMusic\n", encoding="utf-8")
    words = (declared / "judge.toml", "--evaluation", table, "--rounds", "2", "--calls", "2", "-q")
    output = ("-o", folder / "judge.ortpackage")
    command = [sys.executable, "-m", "edgewright_cli", "build", *map(str, (*words, *output))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _record(seeds: Seeds) -> None:
    """Conversations with a real worker, and with a real far end whose ssh is a script that runs it here."""
    from edgewright_benchmarks.devices.engine_worker import WORKER_COMMAND
    from edgewright_benchmarks.devices.ssh import SshDevice
    from edgewright_benchmarks.devices.workers import WorkerProcess
    from edgewright_benchmarks.progress import Quiet
    from edgewright_runtime import Package

    streams = seeds.folder / "worker"
    streams.mkdir()
    command = ("sh", "-c", f'"$@" | tee {streams}/worker.stream', "sh", *WORKER_COMMAND)
    with WorkerProcess(command=command) as worker:
        talk_to_worker(worker, seeds)
    device = seeds.folder / "device"
    device.mkdir()
    with played(device, _SSH_RECORDS):
        address = f"ssh://nowhere?python={sys.executable}&workdir={seeds.folder / 'far'}"
        with SshDevice(address, Quiet()) as far:
            far.send(Package.open(seeds.package("arrays")))
            with far.worker() as remote:
                remote.verify(far.path_of(seeds.package("arrays")), None, strict=False)


class played:  # noqa: N801 - used as a function that opens a block
    """The program `ssh` is a script in this block, with its streams in `folder`."""

    def __init__(self, folder: Path, script: str = _SSH_PLAYS) -> None:
        self._path = os.environ["PATH"]
        program = folder / "bin" / "ssh"
        program.parent.mkdir(exist_ok=True)
        program.write_text(script, encoding="utf-8")
        program.chmod(0o755)
        os.environ["PATH"] = f"{program.parent}:{self._path}"
        os.environ["FUZZ_STREAMS"] = str(folder)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        os.environ["PATH"] = self._path


def talk_to_worker(worker: object, seeds: Seeds) -> None:
    """Everything that a meter asks of a worker."""
    from edgewright_benchmarks.devices.workers import WorkerProcess

    assert isinstance(worker, WorkerProcess)
    package = seeds.package("arrays")
    worker.keep([{"pixels": np.ones((1, 8), dtype=np.float32)}, {"pixels": np.zeros((1, 8), dtype=np.float32)}])
    worker.load(package, None, 1)
    worker.answer([0, 1])
    worker.feeds([1])
    worker.time([0, 1])
    worker.verify(package, None, strict=False)
    worker.peak_memory_bytes()
