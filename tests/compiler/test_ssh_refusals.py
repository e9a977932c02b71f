"""Devices that cannot be used: one sentence each, what to do, no traceback, nothing left there."""

import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from command import Command
from ssh_server import SshServer

pytestmark = pytest.mark.slow


def refuses(command: Command, server: SshServer, package: Path, *words: object, says: list[str], url: str = "") -> None:
    command.refuses("verify", package, "--device", url or server.url(), *words, "-q", says=says)
    assert server.left == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("kitchen", "must begin with ssh://"),
        ("ssh://", "it has no host"),
        ("ssh://pi:secret@kitchen", "passwords are not allowed in an address"),
        ("ssh://kitchen:port", "Port could not be cast"),
        ("ssh://kitchen/folder", "'/folder' after the host has no meaning"),
        ("ssh://kitchen?pyton=x", "unknown option 'pyton'. Did you mean 'python'?"),
        ("ssh://kitchen?workdir=here", "it must be the absolute path of a folder"),
        ("ssh://kitchen?python=", "the option 'python' is not one path"),
        ("ssh://-oProxyCommand=x", "is not a name of a host"),
        ("ssh://-oProxyCommand=x@kitchen", "is not a name of a user"),
        ("ssh://kitchen;reboot", "is not a name of a host"),
    ],
)
def test_an_address_that_is_none(command: Command, built_arrays: Path, sources: Path, url: str, says: str) -> None:
    for verb in (("verify", built_arrays), ("bench", built_arrays, "--data", sources / "inputs.npz")):
        command.refuses(
            *verb, "--device", url, says=[f"'{url}' is not an address of a device: ", says, "ssh://[user@]host"]
        )


def test_options_that_go_with_a_device(command: Command, built_arrays: Path, sources: Path) -> None:
    data = ("--data", sources / "inputs.npz")
    command.refuses("bench", built_arrays, *data, "--target", "x86-64", says=["--target needs --device"])
    command.refuses("verify", built_arrays, "--keep", says=["--keep needs --device"])


def test_an_unknown_host_key(command: Command, server: SshServer, built_arrays: Path) -> None:
    (server.folder / "known_hosts").write_text("")
    refuses(command, server, built_arrays, says=["cannot be reached. Its host key is not known here", "fingerprint"])


def test_a_wrong_host_key(command: Command, server: SshServer, built_arrays: Path) -> None:
    server.stop()
    server.make_key("host_key")
    server.start()
    refuses(command, server, built_arrays, says=["Its host key differs from the known one", "ssh-keygen -R"])


def test_a_key_that_is_not_let_in(command: Command, server: SshServer, built_arrays: Path) -> None:
    server.make_key("user_key")
    refuses(
        command, server, built_arrays, says=["does not accept the keys that ssh offers for this user", "ssh-copy-id"]
    )


def test_nothing_listens(command: Command, server: SshServer, built_arrays: Path) -> None:
    server.stop()
    refuses(command, server, built_arrays, says=["cannot be reached. The port is closed", "Is sshd running"])


def test_a_host_that_does_not_exist(command: Command, server: SshServer, built_arrays: Path) -> None:
    refuses(command, server, built_arrays, url="ssh://no-such-host.invalid", says=["The host name is unknown"])


def test_something_else_listens(
    command: Command, server: SshServer, built_arrays: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that accepts and never says a word."""
    from edgewright_benchmarks.devices import session

    monkeypatch.setattr(session.FarEndSession.__init__, "__defaults__", (2.0,))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"ssh://127.0.0.1:{listener.getsockname()[1]}"
        refuses(command, server, built_arrays, url=url, says=["cannot be reached. It did not respond in time"])


def test_no_ssh_here(command: Command, built_arrays: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    says = [
        "OpenSSH's client 'ssh' is needed to reach a device, but is not installed",
        "apt-get install openssh-client",
    ]
    command.refuses("verify", built_arrays, "--device", "ssh://kitchen", says=says)


def test_no_python_there(command: Command, server: SshServer, built_arrays: Path) -> None:
    says = ["needs Python 3.11 or newer, and '/no/such/python' there is not.", "?python=/path/to/python3"]
    refuses(command, server, built_arrays, url=server.url("/no/such/python"), says=says)


def test_an_old_python_as_a_script_that_says_so(
    command: Command, server: SshServer, built_arrays: Path, tmp_path: Path
) -> None:
    """No old Python can be installed everywhere: a script answers as one does, to a question about its version."""
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    refuses(command, server, built_arrays, url=server.url(old), says=["there is not. Found:", "is Python 3.9.2"])


def test_a_target_for_another_architecture(
    command: Command, server: SshServer, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package says that its engines are for an architecture that the far end is not."""
    manifest = package / "manifest.json"
    text = manifest.read_text().replace(f'"architecture": "{os.uname().machine}"', '"architecture": "riscv64"')
    manifest.write_text(text)
    says = ["has no engine for device", "its engines are for riscv64, but the device is", "Build it with a target"]
    refuses(command, server, package, says=says)
    says = ["Target 'tiny' is not device", "its engines are for riscv64"]
    refuses(command, server, package, "--target", "tiny", says=says)
    refuses(command, server, package, "--target", "tin", says=["was not built for the target 'tin'", "Did you mean"])


def test_a_package_that_is_damaged_here(command: Command, server: SshServer, package: Path) -> None:
    manifest = package / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")
    outcome = command("verify", package, "--device", server.url(), "-q")
    outcome.check_refusal(["is damaged", "manifest.json"], code=1)
    assert server.left == []


def test_a_file_that_changed_here_is_noticed_there(command: Command, server: SshServer, package: Path) -> None:
    golden = package / "edgewright" / "golden.npz"
    golden.write_bytes(golden.read_bytes()[:-1] + b"x")
    outcome = command("verify", package, "--device", server.url(), "-q")
    outcome.check_refusal(["do not match their digests after copying: edgewright/golden.npz"], code=1)
    assert server.left == []


def test_too_little_memory(command: Command, server: SshServer, package: Path) -> None:
    """Weights of 64 TiB, of which the disk holds none: more than any machine has."""
    weights = next(path for path in package.rglob("*") if path.parent.name.startswith("sha256-"))
    with weights.open("r+b") as file:
        try:
            file.truncate(2**43)
        except OSError:
            pytest.skip("this file system holds no sparse file of 8 TiB")
    refuses(command, server, package, says=["has too little memory", "take 8,796,093.0 MB"])


def test_a_work_folder_that_cannot_be_made(command: Command, server: SshServer, built_arrays: Path) -> None:
    file = server.folder / "file"
    file.write_text("")
    says = ["refused: Not a directory", str(file)]
    refuses(command, server, built_arrays, url=server.url(workdir=file / "below"), says=says)


def test_too_little_room(
    command: Command, server: SshServer, built_arrays: Path, own_mounts: tuple[str, ...], tmp_path: Path
) -> None:
    """A small disk that only the Python there sees."""
    disk = tmp_path / "disk"
    disk.mkdir()
    python = tmp_path / "python"
    mounted = f'{" ".join(own_mounts)} sh -c \'mount -t tmpfs -o size=64k tmpfs {disk} && exec "$0" "$@"\''
    python.write_text(f'#!/bin/sh\nexec {mounted} {sys.executable} "$@"\n')
    python.chmod(0o755)
    words = ("verify", built_arrays, "--device", server.url(python, workdir=disk / "work"), "-q")
    command.refuses(*words, says=["has too little disk space: ", f"are free in '{disk / 'work'}'", "?workdir=/path"])
    assert server.left == []


def test_a_disk_that_says_no_while_it_is_written(
    command: Command, server: SshServer, built_arrays: Path, tmp_path: Path
) -> None:
    """A limit on the size of files, as shared machines set it: nothing tells of it beforehand."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nulimit -f 2\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    refuses(command, server, built_arrays, url=server.url(python), says=["refused: File too large"])


def test_a_python_that_cannot_run_it(command: Command, server: SshServer, built_arrays: Path, tmp_path: Path) -> None:
    """Its libraries have names and versions, and do not load."""
    site = tmp_path / "site"
    for name in ("numpy", "onnxruntime"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text("raise ImportError('built for another processor')")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    refuses(command, server, built_arrays, url=server.url(python), says=["built for another processor"])


def test_no_wheels_for_that_machine(command: Command, server: SshServer, built_arrays: Path, tmp_path: Path) -> None:
    """A Python without libraries, and a pip here that reaches no index."""
    bare = tmp_path / "bare"
    import subprocess

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        patch.setenv("PIP_NO_CACHE_DIR", "1")
        patch.setenv("PIP_RETRIES", "0")
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        says = ["lacks numpy", "pip cannot fetch wheels for the device", "Install it there: pip install numpy=="]
        refuses(command, server, built_arrays, url=server.url(bare / "bin" / "python"), says=says)


def test_a_folder_that_others_use_is_left_alone(command: Command, server: SshServer, built_arrays: Path) -> None:
    work = server.folder / "shared"
    work.mkdir()
    (work / "letter.txt").write_text("mine")
    outcome = command("verify", built_arrays, "--device", server.url(workdir=work), "-q")
    assert outcome.code == 0, outcome.err
    assert [path.name for path in work.iterdir()] == ["letter.txt"]
    shutil.rmtree(work)
