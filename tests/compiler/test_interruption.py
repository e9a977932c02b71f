"""Builds that are killed, run at once, or run again: what is at the output is whole or not there, work is kept."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from command import PROGRAM, QUICK, Command, environment, leftovers, run_apart
from edgewright_runtime import verify

pytestmark = pytest.mark.slow

_SEED = 2


class Builder:
    """Builds of one source into one output with one cache, each in a process of its own."""

    def __init__(self, folder: Path, source: Sequence[object], target: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.output = folder / "out" / "p.ortpackage"
        self.output.parent.mkdir(parents=True)
        self.words = [str(word) for word in ("build", *source, "--target", target, "-o", self.output, *QUICK)]

    def finish(self, *more: str) -> str:
        """Build to the end; gives what was said on the way."""
        done = run_apart(*self.words, *more, cache=self.cache)
        assert done.code == 0, done.err
        return done.err

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Begin a build."""
        return subprocess.Popen(
            [*PROGRAM, *self.words, *more],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self.cache),
            start_new_session=True,
        )

    def kill(self, seen: str, delay: float, *more: str) -> bool:
        """Begin a build and kill it `delay` seconds after a path like `seen` is there; False if it had ended by then.

        Paths and not seconds, so that the moments are the same ones on a slow machine.
        """
        process = self.start(*more)
        while process.poll() is None and not self._is_there(seen):
            time.sleep(0.001)
        time.sleep(delay)
        process.kill()
        process.communicate(timeout=600)
        _wait_for_the_end_of(process.pid)
        return process.returncode == -9

    def _is_there(self, seen: str) -> bool:
        try:
            return any(self.folder.glob(seen))
        except FileNotFoundError:
            # The build removed a folder while it was walked through.
            return False

    @property
    def unfinished(self) -> list[str]:
        """What lies beside the output and in the cache that is not a result."""
        beside = [path.name for path in self.output.parent.iterdir() if path != self.output]
        return beside + leftovers(self.cache)


def _wait_for_the_end_of(session: int) -> None:
    """Workers end by themselves when the build that asked them is gone."""
    end = time.monotonic() + 600
    while any(_runs_in(session, process) for process in psutil.process_iter()):
        assert time.monotonic() < end, "a worker outlived the build that started it"
        time.sleep(0.05)


def _runs_in(session: int, process: psutil.Process) -> bool:
    try:
        # Nobody waits for a worker without its build: its new parent may leave it as a zombie.
        return os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


def test_killed_at_any_moment(checkpoint: Path, sources: Path, tmp_path: Path) -> None:
    # The weights of the checkpoint are random.
    data = ("--calibration", sources / "train.csv", "--evaluation", sources / "validation.csv", "--accept-baseline")
    builder = Builder(tmp_path, (checkpoint, *data), sources / "tiny.toml")
    chosen = random.Random(_SEED)
    # What is there before the kill, and how many seconds later at most it comes: moments all over a build, many of them
    # when something has just got its final name.
    stages, aside = "cache/edgewright/stages", "cache/edgewright/.aside/stage-*.tmp"
    moments = [
        ("out", 1), ("out", 4), (f"{stages}/export/*", 0.05), (f"{stages}/check/*", 0.05), (f"{aside}/*/float", 0.1),
        (f"{stages}/quantize/*", 0.05), (f"{aside}/package/SHA256SUMS", 1), (f"{aside}/package/SHA256SUMS", 3),
        (f"{stages}/measure/*", 0.05), ("out/.p.*.tmp", 0.02), ("out/.p.*.tmp/package/SHA256SUMS", 0.02),
        ("out/p.ortpackage", 0),
    ]  # fmt: skip
    killed = 0
    for number, (seen, longest) in enumerate(moments):
        # Another budget each time: a package that is up to date would end the build before the late moments.
        killed += builder.kill(seen, chosen.uniform(0, longest), f"--max-drop=0.{number + 10}")
        if builder.output.exists():
            verify(builder.output)
    assert killed >= 8
    stderr_text = builder.finish()
    verify(builder.output)
    assert "is up to date" in stderr_text or "Exported intents to ONNX: from the cache" in stderr_text
    assert builder.unfinished == []


def test_killed_while_a_package_is_replaced(sources: Path, tmp_path: Path) -> None:
    """The old package or the new one, and never none: `renameat2` exchanges them in one step on this system."""
    source = (sources / "perceptron.onnx", "--calibration", sources / "inputs.npz")
    builder = Builder(tmp_path, source, sources / "tiny.toml")
    builder.finish()
    chosen = random.Random(_SEED)
    number = killed = 0
    # On a busy machine a build may have ended before this process looks again.
    while number < 6 or (killed < 3 and number < 60):
        # Another budget is another package, and measures nothing again. The last file is there: the exchange is next.
        last = "out/.p.*.tmp/package/SHA256SUMS"
        killed += builder.kill(last, chosen.uniform(0, 0.02), f"--max-drop=0.{number + 10}")
        verify(builder.output)
        number += 1
    assert killed >= 3
    process = builder.start("--max-drop=0.8")
    moments = 0
    while process.poll() is None:
        assert builder.output.exists(), "a reader finds no package while it is replaced"
        moments += 1
    assert process.communicate()[1]
    assert process.returncode == 0
    assert moments > 100
    assert verify(builder.output).samples == 8
    assert builder.unfinished == []


# A build that is killed when the package has its name and its archive is next.
_KILLED_BEFORE_THE_ARCHIVE = """
import os, signal, sys
from edgewright_cli import main
from edgewright_runtime import archive

archive.write_archive = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.exit(main(sys.argv[1:]))
"""


def test_killed_between_the_package_and_its_archive(sources: Path, tmp_path: Path) -> None:
    """No archive, rather than one of the package that was there before."""
    source = (sources / "perceptron.onnx", "--calibration", sources / "inputs.npz")
    builder = Builder(tmp_path, source, sources / "tiny.toml")
    archive = builder.output.with_name("p.ortpackage.tar")
    builder.finish("--archive")
    older = archive.read_bytes(), (builder.output / "SHA256SUMS").read_bytes()
    words = [*builder.words, "--archive", "--max-drop=0.4"]
    program = (sys.executable, "-c", _KILLED_BEFORE_THE_ARCHIVE)
    assert run_apart(*words, cache=builder.cache, program=program).code == -signal.SIGKILL
    assert (builder.output / "SHA256SUMS").read_bytes() != older[1]
    assert verify(builder.output).samples == 8
    assert not archive.exists()
    assert builder.unfinished == []
    builder.finish("--archive", "--max-drop=0.4")
    assert verify(archive).samples == 8
    assert archive.read_bytes() != older[0]


def test_at_the_same_time(sources: Path, tmp_path: Path) -> None:
    """Twice the same into one output, the same into another, and another model, all with one cache."""
    data = ("--calibration", sources / "inputs.npz")
    target = sources / "tiny.toml"
    first = Builder(tmp_path / "one", (sources / "perceptron.onnx", *data), target)
    other = Builder(tmp_path / "two", (sources / "perceptron.onnx", *data), target)
    third = Builder(tmp_path / "three", (sources / "external.onnx", *data), target)
    other.cache = third.cache = first.cache
    builders = [first, first, other, third]
    processes = [builder.start() for builder in builders]
    for process in processes:
        _, stderr_text = process.communicate(timeout=900)
        assert process.returncode == 0, stderr_text
    for builder in builders:
        assert verify(builder.output).samples == 8
        assert builder.unfinished == []


def _stages(cache: Path) -> dict[str, tuple[int, int]]:
    """Every file of every stage, with what changes when it is made again."""
    files = [path for path in (cache / "edgewright" / "stages").rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def test_nothing_is_done_twice(sources: Path, tmp_path: Path) -> None:
    source = (sources / "perceptron.onnx", "--calibration", sources / "inputs.npz")
    builder = Builder(tmp_path, source, sources / "tiny.toml")
    builder.finish("--archive")
    stages = _stages(builder.cache)
    before = {path: path.stat().st_mtime_ns for path in builder.output.rglob("*")}
    assert stages

    again = builder.finish("--archive")
    assert f"{builder.output} is up to date." in again
    assert ": from the cache" not in again
    assert {path: path.stat().st_mtime_ns for path in builder.output.rglob("*")} == before

    other = builder.finish("--max-drop", "20%")
    assert "Measured: from the cache" in other
    assert _stages(builder.cache) == stages

    (builder.output / "manifest.json").write_text("{}", encoding="utf-8")
    mended = builder.finish()
    assert "Measured: from the cache" in mended
    assert verify(builder.output).samples == 8
    assert _stages(builder.cache) == stages


def test_changed_inputs_are_noticed(command: Command, sources: Path, tmp_path: Path) -> None:
    """What decides a stage is its content: the same bytes under another name are the same, other bytes are not."""
    model = tmp_path / "perceptron.onnx"
    model.write_bytes((sources / "perceptron.onnx").read_bytes())
    data = tmp_path / "inputs.npz"
    data.write_bytes((sources / "inputs.npz").read_bytes())
    words = ("build", model, "--calibration", data, "--target", command.target, "-o", command.folder / "p", *QUICK)
    assert command(*words).code == 0
    assert "is up to date" in command(*words).err
    from tiny_models import write_arrays

    write_arrays(data, pixels=__import__("numpy").ones((24, 8), "float32"))
    other_data = command(*words).err
    assert "Exported perceptron to ONNX: from the cache" in other_data
    assert "Quantized to int8: from the cache" not in other_data
