"""A real OpenSSH server on loopback for tests: its own configuration, host key and port, and a client that knows it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil
import pytest

_SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
SetEnv XDG_CACHE_HOME={cache}
"""
_CLIENT = """
Host *
  IdentityFile {folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
"""


class SshServer:
    """One server; `start` and `stop` it as often as a test likes.

    Attributes:
        folder: Keys, configuration, and in `bin` the client that uses them.
        cache: The user's cache folder as sessions see it.
        work: The default work folder there.
        port: Where it listens.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "far" / "cache"
        self.cache.parent.mkdir()
        self.work = self.cache / "edgewright" / "remote"
        self.port = _free_port()
        self._sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        self._process: subprocess.Popen[bytes] | None = None
        self.make_key("host_key")
        self.make_key("user_key")
        shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
        self.know_host()
        (folder / "sshd_config").write_text(_SERVER.format(port=self.port, folder=folder, cache=self.cache))
        (folder / "ssh_config").write_text(_CLIENT.format(folder=folder))
        client = folder / "bin" / "ssh"
        client.parent.mkdir()
        client.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder / "ssh_config"} "$@"\n')
        client.chmod(0o755)

    def make_key(self, name: str) -> None:
        """A new key, in the place of an old one."""
        (self.folder / name).unlink(missing_ok=True)
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
        subprocess.run(words, check=True, capture_output=True)

    def know_host(self) -> None:
        """Let the client know this server."""
        key = (self.folder / "host_key.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")

    def start(self) -> None:
        """Listen."""
        if os.geteuid() == 0:
            # The distribution's service makes it; here there is no service.
            Path("/run/sshd").mkdir(exist_ok=True)
        log = self.folder / "sshd.log"
        words = [str(self._sshd), "-D", "-E", str(log), "-f", str(self.folder / "sshd_config")]
        self._process = subprocess.Popen(words)
        end = time.monotonic() + 300
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError(f"sshd does not listen: {log.read_text() if log.exists() else ''}")

    def kill_sessions(self) -> int:
        """Kill the server's processes for connections, not what runs in them; gives how many there were."""
        return self._signal_sessions(signal.SIGKILL)

    def freeze_sessions(self) -> int:
        """Stop them without an end: to the client as silent as a cable that was pulled."""
        return self._signal_sessions(signal.SIGSTOP)

    def _signal_sessions(self, what: signal.Signals) -> int:
        assert self._process is not None
        children = psutil.Process(self._process.pid).children(recursive=True)
        found = [child for child in children if _name(child) == "sshd"]
        for child in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.send_signal(what)
        return len(found)

    def stop(self) -> None:
        """Listen no more, and end all connections."""
        if self._process is not None:
            self.kill_sessions()
            self._process.kill()
            self._process.wait()
            self._process = None

    def url(self, python: str | Path = sys.executable, **options: object) -> str:
        """The device's address."""
        words = "&".join(f"{name}={value}" for name, value in {"python": python, **options}.items())
        return f"ssh://127.0.0.1:{self.port}?{words}"

    @property
    def left(self) -> list[str]:
        """What is in the folders of the far end."""
        return sorted(str(path.relative_to(self.cache.parent)) for path in self.cache.parent.rglob("*"))

    def wait_until_clean(self, seconds: float) -> None:
        """Wait until nothing is left at the far end, neither files nor processes."""
        end = time.monotonic() + seconds
        while self.left or self.command_lines():
            assert time.monotonic() < end, (self.left, self.command_lines())
            time.sleep(0.1)

    def processes(self) -> list[psutil.Process]:
        """Far ends and workers that run here; those of another server are other tests', which run beside."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def command_lines(self) -> list[str]:
        """Of these processes, to be read."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                found.append(" ".join(process.cmdline())[:200])
        return found

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            environment = process.environ()
        except psutil.Error:
            return False
        return "EDGEWRIGHT_SESSION" in environment and environment.get("XDG_CACHE_HOME") == str(self.cache)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""


def _free_port() -> int:
    """Below those that systems give to connections: none of them can take it before the server listens."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def ssh_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    """A server that listens, and whose client is the `ssh` that is found first."""
    if shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
        pytest.skip("OpenSSH's server is not installed (Debian: apt-get install openssh-server)")
    server = SshServer(folder)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    with server:
        yield server
