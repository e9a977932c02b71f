"""Connections that end: results are complete once they are back, a clear end where they stay away, nothing left."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tiny_models
from command import PROGRAM, Command, environment
from doubles import Recording
from edgewright_benchmarks.bench import bench
from edgewright_benchmarks.devices import connection, ssh
from edgewright_benchmarks.devices.address import RemoteDevice
from edgewright_benchmarks.devices.ssh import SshDevice
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_runtime import Package
from edgewright_targets import InputError
from ssh_server import SshServer, ssh_server

pytestmark = pytest.mark.slow

_QUICK = MeterSettings(rounds=3, calls=4, loads=2)


@pytest.fixture
def retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "RETRY_SECONDS", (0.1, 0.3))


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "_GRACE_SECONDS", 1.0)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """More samples than are answered at once."""
    pixels = np.random.default_rng(1).normal(size=(200, 8)).astype(np.float32)
    return tiny_models.write_arrays(tmp_path / "many.npz", pixels=pixels)


@pytest.mark.usefixtures("retries")
def test_results_are_complete_after_the_connection_came_back(server: SshServer, built_arrays: Path, many: Path) -> None:
    killed: list[str] = []

    def kill(title: str, done: int) -> None:
        # After the first answers, and once more between two rounds.
        moment = "answering" if "answering" in title else title
        if (moment, done) in (("answering", 64), ("timing in rounds", 1)) and moment not in killed:
            killed.append(moment)
            assert server.kill_sessions()

    progress = Recording(on_step=kill)
    remote = RemoteDevice(server.url())
    result = bench(built_arrays, many, settings=_QUICK, progress=progress, remote=remote)
    calm = bench(built_arrays, many, settings=_QUICK, remote=remote)
    assert killed == ["answering", "timing in rounds"]
    assert sum(note.startswith("Connected to") for note in progress.notes) == 2
    assert any("is lost; trying again in 0.1 s (1 of 2)" in note for note in progress.notes)
    # What was copied is there still.
    assert sum(note.startswith("Copying") for note in progress.notes) == 1
    for engine, undisturbed in zip(result.engines, calm.engines, strict=True):
        assert engine.accuracy == undisturbed.accuracy
        assert engine.latency is not None
        assert [len(seconds) for seconds in engine.latency.rounds] == [4, 4, 4]
        assert len(engine.load_seconds) == 2
        # The process that is there now answered a part only: its peak is not that of the engine on all samples.
        assert engine.peak_memory_bytes is None
        assert undisturbed.peak_memory_bytes
    assert server.left == []
    assert server.command_lines() == []


@pytest.mark.usefixtures("retries")
def test_a_copy_goes_on_where_it_broke(server: SshServer, package: Path) -> None:
    weights = next(path for path in package.rglob("*") if path.parent.name.startswith("sha256-"))
    before = hashlib.sha256(weights.read_bytes()).hexdigest()
    with weights.open("ab") as file:
        file.write(os.urandom(64 * 2**20))
    sums = package / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(before, hashlib.sha256(weights.read_bytes()).hexdigest()))
    killed = threading.Event()

    def kill(title: str, done: int) -> None:
        if done > 40 * 2**20 and not killed.is_set():
            killed.set()
            assert server.kill_sessions()

    progress = Recording(on_step=kill)
    with SshDevice(server.url(), progress) as device:
        device.send(Package.open(package))
        assert Package.open(Path(device.path_of(package))).check_digests() > 0
    first, second = (note for note in progress.notes if note.startswith("Copying"))
    assert float(first.split()[1]) > 67
    assert float(second.split()[1]) < 60, "it began again from the beginning"
    assert server.left == []


@pytest.mark.usefixtures("retries", "short_grace")
def test_a_server_that_stays_away(server: SshServer, built_arrays: Path, many: Path) -> None:
    def stop(title: str, done: int) -> None:
        if "answering" in title:
            server.stop()

    words = r"was lost and did not come back within 0\.4 seconds\. The port is closed"
    with pytest.raises(InputError, match=words) as e:
        bench(built_arrays, many, settings=_QUICK, progress=Recording(on_step=stop), remote=RemoteDevice(server.url()))
    assert e.value.exit_code == 2
    # Nobody can tell it to: the far end cleans up by itself.
    server.wait_until_clean(600)


@pytest.mark.usefixtures("retries", "short_grace")
def test_a_server_that_comes_back_with_another_key(server: SshServer, built_arrays: Path, many: Path) -> None:
    def exchange(title: str, done: int) -> None:
        if "answering" in title:
            server.stop()
            server.make_key("host_key")
            server.start()

    with pytest.raises(InputError, match="Its host key differs from the known one"):
        bench(
            built_arrays, many, settings=_QUICK, progress=Recording(on_step=exchange), remote=RemoteDevice(server.url())
        )
    server.wait_until_clean(600)


@pytest.mark.usefixtures("retries")
def test_a_cable_that_is_pulled(
    server: SshServer, built_arrays: Path, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither end hears of it: the client notices the silence, and the next session ends what the last one left."""
    monkeypatch.setitem(connection._SETTINGS, "ServerAliveInterval", "1")
    frozen: list[int] = []

    def freeze(title: str, done: int) -> None:
        if title == "timing in rounds" and done == 1 and not frozen:
            frozen.append(server.freeze_sessions())

    progress = Recording(on_step=freeze)
    result = bench(built_arrays, many, settings=_QUICK, progress=progress, remote=RemoteDevice(server.url()))
    assert all(frozen)
    assert all(engine.latency for engine in result.engines)
    assert any("It no longer responds." in note for note in progress.notes), progress.notes
    assert sum(note.startswith("Copying") for note in progress.notes) == 1
    assert not any("Another measurement" in note for note in progress.notes)
    assert server.left == []
    assert server.command_lines() == []


@pytest.mark.usefixtures("retries")
def test_the_device_was_cleaned_up_meanwhile(server: SshServer, built_arrays: Path, many: Path) -> None:
    """As after a restart with a disk in memory: everything is sent again."""

    def clean(title: str, done: int) -> None:
        import shutil

        if title == "timing in rounds" and done == 1:
            server.kill_sessions()
            for process in server.processes():
                process.kill()
            shutil.rmtree(server.cache)

    progress = Recording(on_step=clean)
    result = bench(built_arrays, many, settings=_QUICK, progress=progress, remote=RemoteDevice(server.url()))
    assert all(engine.latency for engine in result.engines)
    assert sum(note.startswith("Copying") for note in progress.notes) == 2
    assert server.left == []


def test_an_engine_that_is_killed_there_is_no_lost_connection(
    server: SshServer, built_arrays: Path, many: Path
) -> None:
    def kill(title: str, done: int) -> None:
        if "answering" in title and done == 64:
            for process in server.processes():
                if "edgewright_runtime" in " ".join(process.cmdline()):
                    process.kill()

    progress = Recording(on_step=kill)
    with pytest.raises(InputError, match="ended by signal 9 during 'answer'"):
        bench(built_arrays, many, settings=_QUICK, progress=progress, remote=RemoteDevice(server.url()))
    assert not [note for note in progress.notes if "lost" in note]
    assert server.left == []


def test_sessions_on_another_server_are_not_touched(
    server: SshServer, built_arrays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files of tests run at once: what one kills on its device are not workers of the other's."""
    with SshDevice(server.url(), Recording()) as device:
        device.send(Package.open(built_arrays))
        with device.worker() as worker, ssh_server(tmp_path, monkeypatch) as other:
            assert len(server.processes()) >= 2
            assert other.processes() == []
            with SshDevice(other.url(), Recording()):
                for process in other.processes():
                    process.kill()
            assert worker.load(device.path_of(built_arrays), None, None).seconds > 0
    assert server.command_lines() == []


def _started(
    server: SshServer, package: Path, data: Path, cache: Path, program: tuple[str, ...]
) -> "subprocess.Popen[str]":
    words = ["bench", package, "--device", server.url(), "--data", data, "--rounds", "100000", "--calls", "4"]
    process = subprocess.Popen(
        [*program, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(cache),
        start_new_session=True,
    )
    end = time.monotonic() + 600
    # Two workers: the engines are loaded.
    while sum("edgewright_runtime" in line for line in server.command_lines()) < 1:
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


def test_interrupted_by_its_user(server: SshServer, built_arrays: Path, many: Path, tmp_path: Path) -> None:
    process = _started(server, built_arrays, many, tmp_path, PROGRAM)
    time.sleep(1)
    # As a terminal does: to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    _, stderr_text = process.communicate(timeout=600)
    assert process.returncode == 130, stderr_text
    assert "Traceback" not in stderr_text
    assert server.left == []
    server.wait_until_clean(600)


def test_killed_here(server: SshServer, built_arrays: Path, many: Path, tmp_path: Path) -> None:
    """Nobody says goodbye: the far end cleans up when its time of grace is over."""
    code = "from edgewright_benchmarks.devices import ssh; ssh._GRACE_SECONDS = 1.0; "
    code += "import sys; from edgewright_cli import main; sys.exit(main())"
    process = _started(server, built_arrays, many, tmp_path, (sys.executable, "-c", code))
    process.kill()
    process.communicate(timeout=600)
    server.wait_until_clean(600)


def test_a_session_that_follows_a_killed_one_uses_what_it_sent(
    command: Command, server: SshServer, built_arrays: Path, many: Path, tmp_path: Path
) -> None:
    process = _started(server, built_arrays, many, tmp_path, PROGRAM)
    process.kill()
    process.communicate(timeout=600)
    outcome = command("verify", built_arrays, "--device", server.url())
    assert outcome.code == 0, outcome.err
    assert "Copying" not in outcome.err
    server.wait_until_clean(600)
