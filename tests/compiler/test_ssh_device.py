"""A package on a device, for which a real OpenSSH server on loopback stands: measured, checked, nothing left there."""

import json
import platform
import sys
from pathlib import Path

import pytest

import tiny_targets
from command import Command
from doubles import QUICK_METER, Recording, stand_in_emulator
from edgewright_benchmarks.devices.ssh import SshDevice
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.result_files import read_result
from edgewright_compiler import BuildOptions, build
from edgewright_runtime import Package
from edgewright_targets import Target
from ssh_server import SshServer

pytestmark = pytest.mark.slow

QUICK = ("--rounds", "2", "--calls", "4", "--loads", "1", "-q")


@pytest.fixture(scope="module")
def two_targets(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with engines for this machine ('tiny') and for a board ('board'), two of them: do not write into it.

    The board's engines were built on a worker of this machine that stands in for an emulator: no speed decides there,
    so both of its candidates are in.
    """
    folder = tmp_path_factory.mktemp("two-targets")
    board = tiny_targets.write_target(folder / "board.toml", rung="emulated")
    with pytest.MonkeyPatch.context() as patch:
        # While it is built, this machine is no such board; as a device on loopback it is one.
        patch.setattr(Target, "matches_machine", lambda target: target.name == "tiny")
        stand_in_emulator(patch)
        options = BuildOptions(
            output=folder / "two.ortpackage",
            targets=(str(sources / "tiny.toml"), str(board)),
            calibration=sources / "inputs.npz",
            max_drop=0.5,
            meter=QUICK_METER,
        )
        return build(str(sources / "perceptron.onnx"), options).package


def test_bench_of_two_engines(command: Command, server: SshServer, two_targets: Path, sources: Path) -> None:
    page, values = command.folder / "pi.html", command.folder / "pi.json"
    words = ("--device", server.url(), "--target", "board", "--data", sources / "inputs.npz", *QUICK, "--loads", "2")
    outcome = command("bench", two_targets, *words, "--cold-starts", "1", "--report", page, "-o", values)
    assert outcome.code == 0, outcome.err
    result = read_result(values)
    assert {engine.name for engine in result.engines} == {"board-cpu-fp32", "board-cpu-int8"}
    for engine in result.engines:
        assert engine.rung == "measured"
        assert engine.latency is not None
        assert [len(seconds) for seconds in engine.latency.rounds] == [4, 4]
        assert len(engine.load_seconds) == 2
        # Of a process there, and not of the connection.
        assert engine.cold_start is not None
        assert len(engine.cold_start.readings) == 1
        assert engine.peak_memory_bytes is not None
    assert result.machine.architecture == platform.machine()
    assert not result.machine.emulated
    assert set(result.versions) >= {"edgewright", "onnxruntime", "numpy", "scikit-learn"}
    assert "board-cpu-int8" in page.read_text(encoding="utf-8")
    assert server.left == []
    assert server.command_lines() == []


def test_answers_there_are_those_here(command: Command, server: SshServer, built_text: Path, sources: Path) -> None:
    data = ("--data", sources / "validation.csv", *QUICK, "--json")
    there = command("bench", built_text, "--device", server.url(), *data)
    here = command("bench", built_text, *data)
    assert (there.code, here.code) == (0, 0), there.err
    accuracies = [
        [engine["accuracy"]["metrics"] for engine in json.loads(outcome.out)["engines"]] for outcome in (there, here)
    ]
    assert accuracies[0] == accuracies[1]
    assert server.left == []


def test_what_is_sent_is_for_that_device(server: SshServer, two_targets: Path) -> None:
    """A package of its own with nothing in it that only the other target's engines need."""
    with SshDevice(server.url(), Quiet()) as device:
        device.send(Package.open(two_targets), "tiny")
        sent = Package.open(Path(device.path_of(two_targets)))
        assert sent.check_digests() > 0
        assert sent.targets == ("tiny",)
        assert {spec.target for spec in sent.manifest.engines.values()} == {"tiny"}
        assert not [path for path in sent.root.rglob("*") if "board" in path.name]
        assets = [path.name for path in (sent.root / "shared_assets").iterdir()]
        assert assets
        assert all(asset.removeprefix("sha256-") in (sent.root / "manifest.json").read_text() for asset in assets)
        # Owner only: others on the device need not read a model.
        assert server.work.stat().st_mode & 0o077 == 0
    assert server.left == []


def test_the_package_without_a_target_named(command: Command, server: SshServer, two_targets: Path) -> None:
    outcome = command("verify", two_targets, "--device", server.url(), "--json", "-q")
    assert outcome.code == 0, outcome.err
    report = json.loads(outcome.out)
    assert report["engine"]["target"] == "tiny"
    assert report["samples"] == 8
    assert report["rung"] == "measured"


def test_verify_says_where(command: Command, server: SshServer, built_text: Path) -> None:
    outcome = command("verify", built_text, "--device", server.url(), "-q")
    assert (outcome.code, outcome.out) == (0, "")
    outcome = command("verify", built_text, "--device", server.url())
    printed = " ".join(outcome.out.split())
    assert f"files match their digests on 127.0.0.1:{server.port} (" in printed
    assert "8 golden samples through" in printed
    assert server.left == []


def test_verify_says_no_there(command: Command, server: SshServer, text_package: Path) -> None:
    """A package whose digests are right and whose answers are not: the check fails there, with its exit code."""
    import hashlib

    golden = text_package / "edgewright" / "golden.npz"
    sums = text_package / "SHA256SUMS"
    before = hashlib.sha256(golden.read_bytes()).hexdigest()
    from edgewright_runtime.selftest import GoldenSample, golden_samples, write_golden

    moved = [
        GoldenSample(one.sample, one.feeds, {name: value + 1 for name, value in one.outputs.items()})
        for one in golden_samples(golden)
    ]
    write_golden(golden, moved)
    sums.write_text(sums.read_text().replace(before, hashlib.sha256(golden.read_bytes()).hexdigest()))
    command.refuses(
        "verify", text_package, "--device", server.url(), "-q", says=["differs from the float outputs by 1"], code=1
    )
    assert server.left == []


def test_kept_on_request_and_not_sent_again(command: Command, server: SshServer, built_text: Path) -> None:
    words = ("verify", built_text, "--device", server.url())
    assert "Copying" in command(*words, "--keep").err
    kept = server.left
    assert any(name.endswith("/manifest.json") for name in kept)
    assert not [name for name in kept if name.endswith(("/session.json", ".part"))]
    again = command(*words)
    assert again.code == 0
    assert "Copying" not in again.err
    # This one was not asked to keep, and removes only what it brought: nothing.
    assert server.left == kept
    changed = next(server.work.glob("package-*/edgewright/golden.npz"))
    changed.write_bytes(b"changed there")
    assert "Copying" in command(*words).err
    import shutil

    shutil.rmtree(server.cache)


def test_a_python_without_libraries_gets_wheels(
    command: Command, server: SshServer, built_text: Path, tmp_path: Path
) -> None:
    """A Python that has nothing: the libraries are copied as wheels, in the versions of this machine."""
    import subprocess
    from importlib import metadata

    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    python = bare / "bin" / "python"
    outcome = command("verify", built_text, "--device", server.url(python), "--json")
    assert outcome.code == 0, outcome.err
    assert f"lacks numpy {metadata.version('numpy')}, onnxruntime {metadata.version('onnxruntime')}" in outcome.err_line
    assert json.loads(outcome.out)["samples"] == 8
    assert server.left == []
    assert not list(bare.glob("lib/*/site-packages/*"))


def test_one_measurement_at_a_time(server: SshServer, built_arrays: Path) -> None:
    import threading

    waiting = threading.Event()
    order: list[str] = []

    def heard(text: str) -> None:
        if "waiting for it to end" in text:
            waiting.set()

    progress = Recording(on_note=heard)

    def second() -> None:
        with SshDevice(server.url(), progress) as device:
            order.append("second")
            device.send(Package.open(built_arrays))

    with SshDevice(server.url(), Quiet()):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(600)
        order.append("first")
    thread.join(600)
    assert order == ["first", "second"]
    assert any("Another measurement is running on 127.0.0.1" in note for note in progress.notes)
    assert server.left == []
