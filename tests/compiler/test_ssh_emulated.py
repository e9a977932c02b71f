"""A remote Raspberry Pi, whose far end is the emulated ARM64 system, end to end."""

import json
import shlex
from pathlib import Path

import pytest

from command import Command
from doubles import QUICK_METER, Recording
from edgewright_benchmarks.bench import bench
from edgewright_benchmarks.devices import ssh
from edgewright_benchmarks.devices.address import RemoteDevice
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_cli.summary import result_text
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.cache import StageCache
from edgewright_compiler.emulators import aarch64
from edgewright_runtime.cache_folder import cache_folder
from edgewright_targets import EdgewrightError
from ssh_server import SshServer

pytestmark = pytest.mark.slow

# The user's own, read before the tests of this folder are given another: what is fetched stays for the next run.
_CACHE = cache_folder()
# A Raspberry Pi 5 with a few of its candidates: each engine that is loaded in the emulator takes seconds.
_TARGET = "board"
_CANDIDATES = ("cpu-fp32", "cpu-int8", "cpu-int8-dynamic")


@pytest.fixture(scope="module")
def bare_pi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian's arm64 Python under QEMU as one program that starts like any Python; it has no libraries."""
    return _python(tmp_path_factory.mktemp("bare-pi"), libraries=False)


@pytest.fixture(scope="module")
def pi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the runtime's libraries installed."""
    return _python(tmp_path_factory.mktemp("pi"), libraries=True)


def _python(folder: Path, *, libraries: bool) -> Path:
    reason = aarch64.missing()
    if reason is not None:
        pytest.skip(reason)
    try:
        emulator = aarch64.prepare(Quiet(), StageCache(_CACHE))
    except EdgewrightError as error:
        # No mirror or index within reach; the sentence says which.
        pytest.skip(f"The emulator cannot be prepared: {error.message}")
    command = emulator.command("cortex-a76")
    # Compiled once in this module: without a place for it each start compiles numpy again.
    settings = {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    if libraries:
        settings["PYTHONPATH"] = f"{emulator.system / 'edgewright-site'}:{emulator.libraries}"
    path = "".join(f"{name}={shlex.quote(value)} " for name, value in settings.items())
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\n{path}exec {shlex.join(command[: command.index("-I")])} "$@"\n')
    python.chmod(0o755)
    return python


@pytest.fixture(scope="module")
def pi_package(pi: Path, sources: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package for this machine and for a Raspberry Pi 5, whose engines answered in the emulator."""
    del pi, shared_cache
    folder = tmp_path_factory.mktemp("pi-package")
    board, tables = folder / f"{_TARGET}.toml", "".join(f'\n[[candidate]]\nname = "{name}"\n' for name in _CANDIDATES)
    board.write_text(f'kind = "target"\ntitle = "A board"\nextends = "raspberry-pi-5"\n{tables}', encoding="utf-8")
    options = BuildOptions(
        output=folder / "pi.ortpackage",
        targets=(str(sources / "tiny.toml"), str(board)),
        calibration=sources / "inputs.npz",
        max_drop=0.5,
        emulated_samples=8,
        meter=QUICK_METER,
    )
    with pytest.MonkeyPatch.context() as patch:
        # The emulator of the user's own cache serves the build too.
        patch.setattr(aarch64, "StageCache", lambda: StageCache(_CACHE))
        return build(str(sources / "perceptron.onnx"), options).package


def test_a_remote_raspberry_pi_whose_connection_breaks(
    server: SshServer, pi_package: Path, pi: Path, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "RETRY_SECONDS", (0.1, 1, 2))
    killed: list[int] = []

    def kill(title: str, done: int) -> None:
        # Once, when the first engine has answered.
        if "answering" in title and not any(killed):
            killed.append(server.kill_sessions())

    progress = Recording(on_step=kill)
    remote = RemoteDevice(server.url(pi), _TARGET)
    result = bench(pi_package, sources / "inputs.npz", settings=MeterSettings(), progress=progress, remote=remote)
    assert any(killed)
    assert any(note.startswith("Connected to") for note in progress.notes)
    assert not any("lacks" in note for note in progress.notes), progress.notes
    assert result.machine.architecture == "aarch64"
    assert result.machine.emulated
    assert len(result.engines) >= 2
    for engine in result.engines:
        assert engine.rung == "emulated"
        assert engine.accuracy is not None
        assert engine.accuracy.samples == 24
        # An emulator's time is never shown as a latency, nor its memory as the engine's.
        assert engine.latency is None
        assert engine.peak_memory_bytes is None
        assert engine.load_seconds == ()
    assert any("The engines ran in an emulator" in warning for warning in result.warnings)
    summary = result_text(result)
    assert "emulated" in summary
    assert " ms" not in summary.replace("p50 ms", "")
    assert server.left == []
    assert server.command_lines() == []


def test_it_is_no_raspberry_pi_by_itself(command: Command, server: SshServer, pi_package: Path, pi: Path) -> None:
    """Nothing there says that it is one: whoever wants its engines there names them."""
    says = ["has no engine for device", "the firmware of the device says nothing", "Name the target to measure there"]
    command.refuses("verify", pi_package, "--device", server.url(pi), "-q", says=says)
    assert server.left == []


def test_from_a_bare_python_there(command: Command, server: SshServer, pi_package: Path, bare_pi: Path) -> None:
    """Wheels for its architecture, its glibc and its Python are fetched here and copied."""
    outcome = command("verify", pi_package, "--device", server.url(bare_pi), "--target", _TARGET, "--json")
    assert outcome.code == 0, outcome.err
    assert "lacks numpy" in outcome.err_line
    report = json.loads(outcome.out)
    assert (report["rung"], report["engine"]["target"], report["samples"]) == ("emulated", _TARGET, 8)
    assert server.left == []
