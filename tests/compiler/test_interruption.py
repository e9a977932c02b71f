"""Builds that are killed, run at once, or run again: what is at the output is whole or not there, work is kept."""

import os
import random
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from command import PROGRAM, QUICK, Command, environment, leftovers, run_apart
from edgewright_runtime import verify

pytestmark = pytest.mark.slow

_SEED = 2


class Builder:
    """Builds of one source into one output with one cache, each in a process of its own."""

    def __init__(self, folder: Path, source: Sequence[object], target: Path) -> None:
        self.cache = folder / "cache"
        self.output = folder / "out" / "p.ortpackage"
        self.output.parent.mkdir(parents=True)
        self._words = [str(word) for word in ("build", *source, "--target", target, "-o", self.output, *QUICK)]

    def finish(self, *more: str) -> str:
        """Build to the end; gives what was said on the way."""
        done = run_apart(*self._words, *more, cache=self.cache)
        assert done.code == 0, done.err
        return done.err

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Begin a build."""
        return subprocess.Popen(
            [*PROGRAM, *self._words, *more],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(self.cache),
            start_new_session=True,
        )

    def kill(self, after: str, delay: float, *more: str) -> bool:
        """Begin a build and kill it `delay` seconds after it said `after`; False if it had ended by then."""
        process = self.start(*more)
        assert process.stderr is not None
        for line in process.stderr if after else ():
            if line.startswith(after):
                break
        time.sleep(delay)
        process.kill()
        process.stderr.close()
        killed = process.wait(timeout=60) == -9
        _wait_for_the_end_of(process.pid)
        return killed

    @property
    def unfinished(self) -> list[str]:
        """What lies beside the output and in the cache that is no result."""
        beside = [path.name for path in self.output.parent.iterdir() if path != self.output]
        return beside + leftovers(self.cache)


def _wait_for_the_end_of(session: int) -> None:
    """Workers end by themselves when the build that asked them is gone."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("a worker outlived the build that started it")


def test_killed_at_any_moment(checkpoint: Path, sources: Path, tmp_path: Path) -> None:
    data = ("--calibration", sources / "train.csv", "--evaluation", sources / "validation.csv")
    builder = Builder(tmp_path, (checkpoint, *data), sources / "tiny.toml")
    chosen = random.Random(_SEED)
    # What the build said last, and how many seconds its next work takes at most: the moments lie all over a build.
    moments = [
        ("", 1), ("", 4), ("Exported", 0.4), ("Checked", 0.4), ("Quantized", 0.4), ("Measuring", 1.5), ("Measuring", 3),
        ("Measured", 0.1), ("Measured", 0.1), ("Measured", 0.3),
    ]  # fmt: skip
    killed = 0
    for after, longest in moments:
        killed += builder.kill(after, chosen.uniform(0, longest))
        if builder.output.exists():
            verify(builder.output)
    assert killed >= 8
    said = builder.finish()
    verify(builder.output)
    assert "is up to date" in said or "Exported intents to ONNX: from the cache" in said
    assert builder.unfinished == []


def test_killed_while_a_package_is_replaced(sources: Path, tmp_path: Path) -> None:
    """The old package or the new one, and never none: `renameat2` exchanges them in one step on this system."""
    source = (sources / "perceptron.onnx", "--calibration", sources / "inputs.npz")
    builder = Builder(tmp_path, source, sources / "tiny.toml")
    builder.finish()
    chosen = random.Random(_SEED)
    killed = 0
    for number in range(8):
        # Another budget is another package, and measures nothing again.
        killed += builder.kill("Measured: from the cache", chosen.uniform(0, 0.12), f"--max-drop=0.{number + 10}")
        verify(builder.output)
    assert killed >= 4
    builder.finish("--max-drop=0.5")
    assert verify(builder.output).samples == 8
    assert builder.unfinished == []


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
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
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
